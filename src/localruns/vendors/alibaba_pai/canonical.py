"""What a client signed: the parts of its Authorization, and the canonical request computed from what came.

**Source**: Request syntax and signature method V3; recomputed signatures equal those of the real SDK (Python sync and
async, POST, STS) and of the Node core.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from localruns.engine.kept import kept
from localruns.engine.message import Request

ALGORITHM = "ACS3-HMAC-SHA256"
_HEADER = re.compile(r"(?P<algorithm>ACS3-[A-Z0-9-]+) +(?P<fields>\S.*)")
_FIELDS = ("Credential", "SignedHeaders", "Signature")


@dataclass(frozen=True, slots=True)
class Authorization:
    """An `Authorization: ACS3-...` header; a field that is not there is empty."""

    algorithm: str
    credential: str
    signed_headers: str
    signature: str

    @property
    def names(self) -> tuple[str, ...]:
        """The signed headers, lower case, in the client's order."""
        return tuple(name.lower() for name in self.signed_headers.split(";") if name)


@dataclass(frozen=True, slots=True)
class Canonical:
    """The parts of a canonical request. Shape: `headers` (name, value) as signed; `payload` the body's hash."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    signed_headers: str
    payload: str

    @property
    def text(self) -> str:
        """The canonical request; its block of headers ends in a line break of its own."""
        block = "".join(f"{name}:{value}\n" for name, value in self.headers)
        return "\n".join((self.method, self.path, self.query, block, self.signed_headers, self.payload))

    @property
    def digest(self) -> str:
        """Its SHA-256, lower hex. Text from the wire is Latin-1, a character per byte."""
        return hashlib.sha256(self.text.encode("latin-1", "backslashreplace")).hexdigest()

    @property
    def string_to_sign(self) -> str:
        """What the HMAC is taken of."""
        return f"{ALGORITHM}\n{self.digest}"

    def signature(self, secret: str) -> str:
        """The signature that `secret` gives, lower hex."""
        return hmac.new(secret.encode(), self.string_to_sign.encode(), hashlib.sha256).hexdigest()


@kept
def read(header: str) -> Authorization | None:
    """The parts of an Authorization header of the ACS3 family, else None."""
    match = _HEADER.fullmatch(header.strip())
    if match is None:
        return None
    pairs = (part.strip().partition("=") for part in match["fields"].split(","))
    fields = {name: value for name, _, value in pairs}
    return Authorization(match["algorithm"], *(fields.get(name, "") for name in _FIELDS))


def canonicals(request: Request, authorization: Authorization) -> Iterator[Canonical]:
    """What the client may have signed: the raw path without the mount prefix, then with it."""
    values: dict[str, list[str]] = {}
    for name, value in request.headers:
        values.setdefault(name, []).append(value.strip())
    headers = tuple((name, ",".join(sorted(values.get(name, ())))) for name in authorization.names)
    payload, query = hashlib.sha256(request.body).hexdigest(), canonical_query(parse(request.query))
    for path in dict.fromkeys(_paths(request)):
        yield Canonical(request.method, path, query, headers, authorization.signed_headers, payload)


def parse(query: str) -> list[tuple[str, str]]:
    """The decoded pairs of a raw query, blank values kept; bytes that are not UTF-8 survive the way back."""
    text = query.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
    return parse_qsl(text, keep_blank_values=True, errors="surrogateescape") if text else []


def canonical_query(pairs: list[tuple[str, str]]) -> str:
    """The pairs sorted by name and encoded as in RFC 3986: decoding first makes all clients' spellings one."""
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in sorted(pairs, key=lambda pair: pair[0]))


def encoded(text: str) -> str:
    """Percent-encoded, all but letters, digits and `-_.~`."""
    return quote(text, safe="~", errors="surrogateescape")


def _paths(request: Request) -> Iterator[str]:
    """The raw path as sent, never decoded: an id may hold `%2F`."""
    raw = request.target.partition("?")[0]
    if "://" in raw[:12]:
        raw = "/" + raw.partition("://")[2].partition("/")[2]
    _, found, rest = raw.partition(request.prefix) if request.prefix else ("", "", raw)
    yield (rest if found else raw) or "/"
    yield raw or "/"
