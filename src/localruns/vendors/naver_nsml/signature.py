"""Signature v2: what is signed, and whether a request carries it.

**Source**: Ncloud API signature creation, API Gateway troubleshooting; the layout was read in every vendor SDK.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from localruns.engine.call import Call
from localruns.engine.message import Request
from localruns.vendors.naver_nsml.headers import ACCESS_KEY, SIGNATURE_V1, TIMESTAMP
from localruns.vendors.naver_nsml.problems import invalid


@dataclass(frozen=True, slots=True)
class Signed:
    """The parts of the text to sign; host, headers, API key and body are not among them."""

    method: str
    target: str
    timestamp: str
    access_key: str

    @property
    def text(self) -> bytes:
        """`METHOD target LF timestamp LF access-key`, without a line break at the end."""
        return wire_bytes(f"{self.method} {self.target}\n{self.timestamp}\n{self.access_key}")


def sign(secret: str, text: bytes) -> bytes:
    """The HMAC-SHA256, raw; the secret counts as it is written, not Base64-decoded."""
    return hmac.digest(secret.encode(), text, hashlib.sha256)


def signature(secret: str, signed: Signed) -> str:
    """The header's value: 44 characters of standard Base64."""
    return base64.b64encode(sign(secret, signed.text)).decode()


def verify(call: Call, header: str) -> None:
    """Refuse a signature that no reading of the request yields; the journal says which one did.

    A client that was given a mount prefix as part of its base URL signs it, one behind a rewriting proxy does not.
    """
    credential = call.state.credentials.get(call.entry.credential)
    if credential is None:
        known = ", ".join(call.state.credentials)
        raise invalid(f"no access key {call.entry.credential!r} in the scenario, expected one of: {known}")
    if "secret" not in credential:
        raise invalid(f"the scenario gives no secret for {call.entry.credential}, so no signature of it can hold")
    given = (call.request.header(header) or "").strip()
    readings = readings_of(call.request)
    for words, signed in readings.items():
        if hmac.compare_digest(signature(credential["secret"], signed).encode(), wire_bytes(given)):
            if len(readings) > 1 or header == SIGNATURE_V1:
                call.entry.note(f"{header} matches the target {words}")
            return
    # Only a refusal needs the search for what went wrong.
    from localruns.vendors.naver_nsml.mismatch import explain

    raise invalid(explain(call, header, given))


def readings_of(request: Request) -> Mapping[str, Signed]:
    """What the request may have signed, by what is done to its target; mostly one."""
    timestamp = (request.header(TIMESTAMP) or "").strip()
    access_key = (request.header(ACCESS_KEY) or "").strip()
    _, mark, query = request.target.partition("?")
    rest = request.path + mark + query
    targets = {
        "as received": request.target,
        "without scheme and host": request.prefix + rest if "://" in request.target[:12] else request.target,
        f"without the prefix {request.prefix}": rest if request.prefix else request.target,
    }
    readings = {}
    for words, target in targets.items():
        if words == "as received" or target != request.target:
            readings[words] = Signed(request.method, target, timestamp, access_key)
    return readings


def wire_bytes(text: str) -> bytes:
    """The bytes of what came over the wire as Latin-1 text, else UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
