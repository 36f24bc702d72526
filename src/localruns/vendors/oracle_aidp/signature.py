"""OCI request signatures, version 1: RSA over the headers that the client names.

**Source**: Request Signatures (Oracle Cloud documentation); steps checked against wire captures of the real SDK.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from localruns.clock import wall_now
from localruns.engine.call import Call
from localruns.engine.message import Request
from localruns.errors import Unauthorized
from localruns.vendors.oracle_aidp import keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_FIELD = re.compile(r'(\w+)="([^"]*)"')
_ALWAYS = ("(request-target)", "host")
_BODY = ("content-length", "content-type", "x-content-sha256")
_WITH_BODY = ("POST", "PUT", "PATCH")


def fields(text: str) -> dict[str, str]:
    """The `name="value"` pairs behind `Signature`, in any order."""
    return dict(_FIELD.findall(text))


def verify(call: Call, known: Mapping[str, Any], shared: str) -> None:
    """Hold the signature against the credential's public key. Raises Unauthorized; the journal learns why."""
    given = fields((call.request.header("authorization") or "").partition(" ")[2])
    names = _names(call.request, given)
    _fresh(call, names)
    _same_body(call.request)
    if not known.get("public_key"):
        kind = _token_kind(given["keyId"])
        raise Unauthorized(detail=f"the scenario has no public key for {kind}")
    key = _public_key(known["public_key"], shared)
    own, presented = keys.fingerprint(key), given["keyId"].rpartition("/")[2]
    if ":" in presented and presented != own:
        raise Unauthorized(detail=f"the key id names the fingerprint {presented}, the scenario's key has {own}")
    raw = _signature(given)
    for target, words in _targets(call.request):
        if _holds(key, raw, signing_text(call.request, names, target)):
            if call.request.prefix:
                call.entry.note(f"signature over the path {words}")
            return
    raise Unauthorized(detail=_difference(call.request, names, key, raw))


def must_sign(method: str) -> tuple[str, ...]:
    """The names that a signature of such a request has to cover, the date aside."""
    return (*_ALWAYS, *(_BODY if method in _WITH_BODY else ()))


def body_digest(body: bytes) -> str:
    """The value of `x-content-sha256`."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def signing_text(request: Request, names: list[str], target: str) -> str:
    """The text that the signature covers: a line per named header, in the client's order."""
    lines = []
    for name in names:
        value = f"{request.method.lower()} {target}" if name == "(request-target)" else request.header(name)
        lines.append(f"{name}: {value}")
    return "\n".join(lines)


def _names(request: Request, given: Mapping[str, str]) -> list[str]:
    """The signed header names. Raises Unauthorized when the header is incomplete or too little is signed."""
    missing = [name for name in ("keyId", "headers", "signature") if not given.get(name)]
    if missing:
        raise Unauthorized(detail=f"Authorization has no {', '.join(missing)}")
    if given.get("algorithm", "").lower() != "rsa-sha256" or given.get("version", "1") != "1":
        raise Unauthorized(detail='Authorization must say algorithm="rsa-sha256" and version="1"')
    names = given["headers"].lower().split()
    unsigned = [name for name in must_sign(request.method) if name not in names]
    if "date" not in names and "x-date" not in names:
        unsigned.append("date")
    absent = [name for name in names if name != "(request-target)" and request.header(name) is None]
    if unsigned or absent:
        raise Unauthorized(
            detail=f"not signed: {', '.join(unsigned) or '-'}; signed but not sent: {', '.join(absent) or '-'}"
        )
    return names


def _fresh(call: Call, names: list[str]) -> None:
    name = "x-date" if "x-date" in names else "date"
    text = call.request.header(name) or ""
    try:
        moment = parsedate_to_datetime(text)
        away_s = abs((wall_now() - moment).total_seconds())
    except (ValueError, TypeError):
        raise Unauthorized(detail=f"{name} is {text[:80]!r}, expected an RFC 7231 date in GMT") from None
    if away_s > call.settings["signature_skew_s"]:
        raise Unauthorized(
            detail=f"{name} is {away_s:.0f} s from now, expected at most {call.settings['signature_skew_s']} s"
        )


def _same_body(request: Request) -> None:
    if request.method not in _WITH_BODY:
        return
    digest = body_digest(request.body)
    given = request.header("x-content-sha256")
    if given != digest:
        raise Unauthorized(detail=f"x-content-sha256 is {given!r}, the body has {digest!r}: the body differs")
    if request.header("content-length") != str(len(request.body)):
        raise Unauthorized(
            detail=f"content-length is {request.header('content-length')!r}, the body has {len(request.body)}"
        )


def _public_key(text: str, shared: str) -> RSAPublicKey:
    return keys.shared_key().public_key() if text == shared else keys.public_key(text)


def _signature(given: Mapping[str, str]) -> bytes:
    try:
        return base64.b64decode(given["signature"], validate=True)
    except binascii.Error:
        raise Unauthorized(detail="the signature is not base64") from None


def _holds(key: RSAPublicKey, raw: bytes, text: str) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(raw, text.encode("latin-1", "replace"), padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _targets(request: Request) -> Iterator[tuple[str, str]]:
    """The raw target as received, then without the mount prefix."""
    yield request.target, "as received"
    if request.prefix and request.target.startswith(request.prefix):
        yield request.target[len(request.prefix) :], f"without {request.prefix}"


def _difference(request: Request, names: list[str], key: RSAPublicKey, raw: bytes) -> str:
    """What we computed, and the first part that explains the mismatch, if one alone does."""
    text = signing_text(request, names, request.target)
    shown = text.replace("\n", "\\n")
    digest = hashlib.sha256(text.encode("latin-1", "replace")).hexdigest()
    cause = next(_causes(request, names, key, raw), "")
    if not cause:
        cause = f"another key signed it, or one of these was changed after signing: {', '.join(names)}"
    return f"signature mismatch: {cause}; we computed (SHA-256 {digest}): {shown}"


def _causes(request: Request, names: list[str], key: RSAPublicKey, raw: bytes) -> Iterator[str]:
    path = request.target.partition("?")[0]
    if path != request.target and _holds(key, raw, signing_text(request, names, path)):
        yield "(request-target) was signed without the query"
    host = request.header("host") or ""
    for other in {
        host.partition(":")[0],
        host.replace("127.0.0.1", "localhost"),
        host.replace("localhost", "127.0.0.1"),
    }:
        text = signing_text(request, names, request.target).replace(f"host: {host}", f"host: {other}")
        if other != host and _holds(key, raw, text):
            yield f"host was signed as {other!r} and came as {host!r}"


def _token_kind(key_id: str) -> str:
    if key_id.startswith("ST$"):
        return "a security token (key id ST$...)"
    return f"the key id {key_id[:200]!r}" if "/" in key_id else f"a resource principal ({key_id[:40]!r})"
