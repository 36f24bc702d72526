"""Choices drawn from a seed: the same on any machine, in any process, under any hash seed.

**Source** of all randomness is BLAKE2b over (seed, vendor, block label, row), read as a stream of numbers;
no draw of one row depends on another row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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

    __slots__ = ("_block", "_left", "_number", "_parts")

    def __init__(self, *parts: str | int) -> None:
        self._parts = parts
        self._number = 0
        self._left = 0
        self._block = 0

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1; `limit` is far below 2**32, so the bias is nil in practice."""
        if self._left < 32:
            self._number += 1
            self._block = int.from_bytes(digest(*self._parts, self._number, size=64), "little")
            self._left = 512
        word = self._block & 0xFFFFFFFF
        self._block >>= 32
        self._left -= 32
        return word * limit >> 32

    def unit(self) -> float:
        """A number in [0, 1)."""
        return (self.below(1 << 26) * (1 << 27) + self.below(1 << 27)) / (1 << 53)

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def text(self, alphabet: str, length: int) -> str:
        """`length` characters of the alphabet."""
        size = len(alphabet)
        return "".join([alphabet[self.below(size)] for _ in range(length)])

    def hex(self, length: int) -> str:
        """`length` lower-case hex digits."""
        words = [f"{self.below(1 << 32):08x}" for _ in range((length + 7) // 8)]
        return "".join(words)[:length]

    def uuid(self) -> str:
        """A version-4-shaped UUID."""
        text = self.hex(32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"
