"""Text page tokens: signed, so that an edited or foreign one is known, and free of any clock unless they are to age.

A token is base64url over a JSON list and a keyed BLAKE2b of it. The key depends on the scenario's seed and the
vendor only, so the same walk gives the same tokens on every machine.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache

import orjson

from localruns.engine.draw import digest
from localruns.engine.query import Query
from localruns.values import value

_MAC_BYTES = 12


@value
class PageToken:
    """Where the next page starts, and what it belongs to; `mark` tells apart tokens that lead to the same place.

    Units: `offset` and `size` are rows; `until_ms` is when the token ends, in milliseconds of virtual time, 0
    for one that holds no time.
    """

    namespace: str
    query: str
    size: int
    offset: int
    version: int
    page: int
    mark: int = 0
    until_ms: int = 0

    @property
    def parts(self) -> tuple[str | int, ...]:
        """What is written down, in the order in which it is read."""
        timeless = (self.namespace, self.query, self.size, self.offset, self.version, self.page, self.mark)
        return (*timeless, self.until_ms) if self.until_ms else timeless


class TokenError(ValueError):
    """Why a text is not a token of ours, in words."""


def seal(token: PageToken, seed: int, vendor: str, characters: int = 0) -> str:
    """The text of a token; with `characters`, filled up to that length and ending in `==`."""
    payload = orjson.dumps(token.parts)
    text = _spelled(_mac(payload, seed, vendor, 0) + payload)
    if characters < len(text) + len(".=="):
        return text
    # The length is part of what is signed, so that a long token cannot be cut back to its core.
    text = _spelled(_mac(payload, seed, vendor, characters) + payload)
    return text + _filling(text, characters - len(text))


def unseal(text: str, seed: int, vendor: str) -> PageToken:
    """The token of a text. Raises TokenError."""
    core, filled, _ = text.partition(".")
    try:
        raw = base64.b64decode(core.encode("ascii") + b"=" * (-len(core) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise TokenError("it is not base64url text") from None
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    # Base64 leaves spare bits in the last character: only the one spelling we gave out is the token.
    spelling = _spelled(raw)
    spelling += _filling(spelling, len(text) - len(spelling))
    genuine = _mac(payload, seed, vendor, len(text) if filled else 0)
    if not hmac.compare_digest(mac, genuine) or spelling != text:
        raise TokenError("its signature does not match: edited, cut, or from another scenario or vendor")
    return PageToken(*orjson.loads(payload))


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _filling(text: str, length: int) -> str:
    """What makes a token long, itself tied to the token."""
    if length < len(".=="):
        return ""
    return "." + (digest("filling", text, size=64).hex() * (length // 128 + 1))[: length - 3] + "=="


@lru_cache(maxsize=1024)
def fingerprint(query: Query) -> str:
    """A short text that differs between different filters or orders."""
    return digest(repr(query), size=6).hex()


def _mac(payload: bytes, seed: int, vendor: str, characters: int) -> bytes:
    signed = payload + b"%d" % characters if characters else payload
    return hashlib.blake2b(signed, key=_key(seed, vendor), digest_size=_MAC_BYTES).digest()


@lru_cache(maxsize=64)
def _key(seed: int, vendor: str) -> bytes:
    return digest("page token", seed, vendor)
