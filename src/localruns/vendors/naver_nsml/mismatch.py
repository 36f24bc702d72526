"""Why a signature does not match, for the journal: what was signed instead, found by trying.

Nothing secret comes out of here: no secret key, no API key, no signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, unquote, unquote_plus, urlencode

from localruns.engine.call import Call
from localruns.engine.message import Request, parse_query
from localruns.vendors.naver_nsml.headers import API_KEY, SIGNATURE_V1, SIGNATURE_V2
from localruns.vendors.naver_nsml.signature import Signed, readings_of, sign, wire_bytes

_SHOWN = 2_000
_NEAR_MS = 250


def explain(call: Call, header: str, given: str) -> str:
    """The text that counts here with its hash, and how the text that was signed differs, as far as can be found."""
    signed = next(iter(readings_of(call.request).values()))
    shown = signed.text.decode("utf-8", "replace").replace("\n", "\\n")
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
    hashed = hashlib.sha256(signed.text).hexdigest()
    return f"{header} does not match the text to sign '{shown}' (SHA-256 {hashed}): {_difference(call, header, given)}"


def _difference(call: Call, header: str, given: str) -> str:
    secret: str = call.state.credentials[call.entry.credential]["secret"]
    wanted = _raw(given)
    if wanted is None:
        return f"it holds {len(given)} characters that are no HMAC-SHA256, expected 44 of Base64"
    readings = readings_of(call.request)
    for signed in readings.values():
        if _same(secret, signed.text, wanted):
            return "the HMAC is right but not written as standard Base64 with padding"
    other = SIGNATURE_V1 if header == SIGNATURE_V2 else SIGNATURE_V2
    beside = _raw((call.request.header(other) or "").strip())
    if beside and any(_same(secret, signed.text, beside) for signed in readings.values()):
        return f"{other} beside it does match"
    for done, signed in readings.items():
        for words, text in _alternatives(signed, call.request):
            if _same(secret, text, wanted):
                return f"signed was {words}" + ("" if done == "as received" else f", the target {done}")
    return _other_key(call, secret, wanted)


def _other_key(call: Call, secret: str, wanted: bytes) -> str:
    texts = [signed.text for signed in readings_of(call.request).values()]
    for name, known in call.state.credentials.items():
        if "secret" in known and any(_same(known["secret"], text, wanted) for text in texts):
            return f"signed was with the secret key of {name}"
    decoded = _base64(secret)
    if decoded and any(hmac.compare_digest(hmac.digest(decoded, text, "sha256"), wanted) for text in texts):
        return "signed was with the secret key Base64-decoded, expected its characters as they are"
    return "nothing that was tried matches, so it is another secret key or another text"


def _alternatives(signed: Signed, request: Request) -> Iterator[tuple[str, bytes]]:
    """(in words, text) of what clients sign by mistake."""
    for words, target in _targets(signed.target, request):
        if target != signed.target:
            yield words, replace(signed, target=target).text
    for method in (signed.method.lower(), "POST"):
        yield f"the method {method}", replace(signed, method=method).text
    lines = signed.text.split(b"\n")
    api_key = wire_bytes((request.header(API_KEY) or "").strip())
    yield "the layout of signature v1, with a line for the API key", b"\n".join([*lines[:2], api_key, lines[2]])
    yield "a text with a line break at its end", signed.text + b"\n"
    yield "a text with CRLF as line break", b"\r\n".join(lines)
    yield "a text with access key and timestamp exchanged", b"\n".join([lines[0], lines[2], lines[1]])
    yield "a text without the timestamp", b"\n".join([lines[0], lines[2]])
    yield "a text without the access key", b"\n".join(lines[:2])
    yield "the timestamp in seconds", replace(signed, timestamp=signed.timestamp[:-3]).text
    for ms in range(1, _NEAR_MS + 1):
        for moved in (ms, -ms):
            timestamp = str(int(signed.timestamp) + moved)
            yield f"another timestamp, {timestamp}", replace(signed, timestamp=timestamp).text


def _targets(target: str, request: Request) -> Iterator[tuple[str, str]]:
    path, mark, query = target.partition("?")
    yield "the target without the query", path
    yield "the target with a bare '?' behind it", target + "?"
    yield "the target without the leading slash", target.lstrip("/")
    yield "the target with a slash behind its path", path + "/" + mark + query
    for base in ("/nsml/v1", "/nsml"):
        yield f"the target without {base}", target.replace(base, "", 1)
    host = request.header("host") or ""
    for scheme in ("http://", "https://"):
        yield "the whole URL", scheme + host + target
    for words, other in _queries(query):
        yield words, f"{path}?{other}"


def _queries(query: str) -> Iterator[tuple[str, str]]:
    pairs, items = list(parse_query(query)[0]), query.split("&")
    yield "the query decoded", unquote(query)
    yield "the query decoded", unquote_plus(query)
    yield "the query with '+' for a space", query.replace("%20", "+")
    yield "the query with %20 for a space", query.replace("+", "%20")
    for words, ordered in (
        ("the query encoded anew", pairs),
        ("the query in another order", sorted(pairs)),
        ("the query in another order", pairs[::-1]),
    ):
        yield words, urlencode(ordered)
        yield words, urlencode(ordered, quote_via=quote)
    yield "the query in another order", "&".join(sorted(items))
    yield "the query in another order", "&".join(items[::-1])
    yield "the query without empty values", "&".join(item for item in items if item.partition("=")[2])


def _same(secret: str, text: bytes, wanted: bytes) -> bool:
    return hmac.compare_digest(sign(secret, text), wanted)


def _raw(given: str) -> bytes | None:
    """The 32 bytes of a signature, however it is written."""
    raw = _base64(given) if len(given) < 64 else _hex(given)
    return raw if raw and len(raw) == hashlib.sha256().digest_size else None


def _base64(text: str) -> bytes | None:
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(wire_bytes(plain) + b"=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return None


def _hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
