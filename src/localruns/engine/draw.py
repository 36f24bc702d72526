"""Choices drawn from a seed: the same on any machine, in any process, under any hash seed.

**Source** of all randomness is BLAKE2b over (seed, vendor, block label, row), read as a stream of numbers;
no draw of one row depends on another row.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from functools import cache
from typing import TypeVar

T = TypeVar("T")

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"


def digest(*parts: str | int, size: int = 32) -> bytes:
    """`size` bytes (64 at most) that depend on the parts and their borders."""
    text = "\x1f".join(map(str, parts))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def uuid_text(*parts: str | int) -> str:
    """A version-4-shaped UUID, lower case, that depends on the parts."""
    raw = bytearray(digest(*parts, size=16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def code_text(alphabet: str, length: int, *parts: str | int) -> str:
    """`length` characters of the alphabet that depend on the parts."""
    return Draw(*parts).text(alphabet, length)


class Draw:
    """A stream of choices for one row."""

    __slots__ = ("_base", "_number", "_words")

    def __init__(self, *parts: str | int) -> None:
        self._base = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
        self._number = 0
        self._words: list[int] = []

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1; `limit` is far below 2**32 or 2**64, so the bias is nil in practice."""
        words = self._words or self._more()
        return words.pop() * limit >> 32 if limit <= _WORD else self._wide(limit)

    def unit(self) -> float:
        """A number in [0, 1)."""
        high = (self._words or self._more()).pop() >> 6
        low = (self._words or self._more()).pop() >> 5
        return (high << 27 | low) / _UNIT

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[(self._words or self._more()).pop() * len(items) >> 32]

    def text(self, alphabet: str, length: int) -> str:
        """`length` characters of the alphabet; one byte each, so some are drawn a little more often than others."""
        return self._bytes(length).translate(_table(alphabet)).decode()

    def hex(self, length: int) -> str:
        """`length` lower-case hex digits."""
        return self._bytes((length + 1) // 2).hex()[:length]

    def uuid(self) -> str:
        """A version-4-shaped UUID."""
        text = self.hex(32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"

    def _wide(self, limit: int) -> int:
        return int.from_bytes(self._bytes(8), "big") * limit >> 64

    def _bytes(self, length: int) -> bytes:
        """The next bytes of the stream, in whole words."""
        count = (length + 3) // 4
        while len(self._words) < count:
            self._more()
        rest = len(self._words) - count
        taken = self._words[rest:]
        del self._words[rest:]
        return struct.pack(f">{count}I", *reversed(taken))[:length]

    def _more(self) -> list[int]:
        """Sixteen more words behind those that are left; the next one to use stands last."""
        self._number += 1
        raw = hashlib.blake2b(b"%b\x1f%d" % (self._base, self._number), digest_size=64).digest()
        self._words[:0] = _WORDS(raw)[::-1]
        return self._words


@cache
def _table(alphabet: str) -> bytes:
    """What each byte becomes; the alphabet is ASCII."""
    return "".join([alphabet[byte * len(alphabet) >> 8] for byte in range(256)]).encode("ascii")


_WORD = 1 << 32
_UNIT = 1 << 53
_WORDS = struct.Struct("<16I").unpack
