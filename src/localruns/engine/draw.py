"""Choices drawn from a seed: the same on any machine, in any process, under any hash seed.

**Source** of all randomness is BLAKE2b over (seed, vendor, block label, row), read as a stream of numbers;
no draw of one row depends on another row.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import chain, count, islice
from typing import TypeVar

T = TypeVar("T")

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"


def digest(*parts: str | int, size: int = 32) -> bytes:
    """`size` bytes (64 at most) that depend on the parts and their borders."""
    text = "\x1f".join(map(str, parts))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def numbered(number: int, *parts: str | int, size: int) -> str:
    """`digest(*parts, number)` in hex; the parts are hashed once for all numbers."""
    ongoing = _begun(size, *parts).copy()
    ongoing.update(b"%d" % number)
    return ongoing.hexdigest()


@lru_cache(maxsize=1024)
def _begun(size: int, *parts: str | int) -> blake2b:
    text = "\x1f".join([*map(str, parts), ""])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size)


def uuid_text(*parts: str | int) -> str:
    """A version-4-shaped UUID, lower case, that depends on the parts."""
    return uuid_of(digest(*parts, size=16).hex())


def uuid_of(digits: str) -> str:
    """A version-4-shaped UUID of 32 hex digits."""
    third, fourth = f"4{digits[13:16]}", f"{'89ab'[int(digits[16], 16) & 3]}{digits[17:20]}"
    return f"{digits[:8]}-{digits[8:12]}-{third}-{fourth}-{digits[20:]}"


def code_text(alphabet: str, length: int, *parts: str | int) -> str:
    """`length` characters of the alphabet that depend on the parts."""
    return Draw(*parts).text(alphabet, length)


class Draw:
    """A stream of choices for one row.

    Shape: `base` is what it hangs on, `words` gives numbers of 32 bits without end.
    """

    __slots__ = ("base", "words")

    def __init__(self, *parts: str | int) -> None:
        self.base = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
        self.words = words_of(self.base)

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1; `limit` is far below 2**32 or 2**64, so the bias is nil in practice."""
        return belows((self,), limit)[0]

    def unit(self) -> float:
        """A number in [0, 1)."""
        return units((self,))[0]

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return choices((self,), items)[0]

    def text(self, alphabet: str, length: int) -> str:
        """`length` characters of the alphabet; one byte each, so some are drawn a little more often than others."""
        return texts((self,), alphabet, length)[0]

    def hex(self, length: int) -> str:
        """`length` lower-case hex digits."""
        return hexes((self,), length)[0]

    def uuid(self) -> str:
        """A version-4-shaped UUID."""
        return uuids((self,))[0]


def words_of(base: bytes) -> Iterator[int]:
    """Numbers of 32 bits without end that depend on `base`; whoever takes one makes no call of a Python function."""
    return chain.from_iterable(_blocks(base))


def _blocks(base: bytes) -> Iterator[tuple[int, ...]]:
    for end in _FIRST_ENDS:
        yield _WORDS(blake2b(base + end).digest())
    for number in count(len(_FIRST_ENDS) + 1):
        yield _WORDS(blake2b(b"%b\x1f%d" % (base, number)).digest())


# The same for many rows at once: each row's stream gives what it would give alone.


def belows(draws: Sequence[Draw], limit: int) -> list[int]:
    """A number from 0 to limit - 1 from each."""
    if limit > _WORD:
        return [int.from_bytes(raw, "big") * limit >> 64 for raw in _bytes(draws, 8)]
    return [next(draw.words) * limit >> 32 for draw in draws]


def units(draws: Sequence[Draw]) -> list[float]:
    """A number in [0, 1) from each."""
    return [(next(draw.words) >> 6 << 27 | next(draw.words) >> 5) / _UNIT for draw in draws]


def choices(draws: Sequence[Draw], items: Sequence[T]) -> list[T]:
    """One of the items from each."""
    limit = len(items)
    return [items[next(draw.words) * limit >> 32] for draw in draws]


def texts(draws: Sequence[Draw], alphabet: str, length: int) -> list[str]:
    """`length` characters of the alphabet from each."""
    table = _table(alphabet)
    return [raw.translate(table).decode() for raw in _bytes(draws, length)]


def hexes(draws: Sequence[Draw], length: int) -> list[str]:
    """`length` lower-case hex digits from each."""
    return [raw.hex()[:length] for raw in _bytes(draws, (length + 1) // 2)]


def uuids(draws: Sequence[Draw]) -> list[str]:
    """A version-4-shaped UUID from each."""
    return [
        f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-{_VARIANTS[raw[16]]}{raw[17:20]}-{raw[20:]}" for raw in hexes(draws, 32)
    ]


def _bytes(draws: Sequence[Draw], length: int) -> list[bytes]:
    """The next bytes of each stream, in whole words."""
    words = (length + 3) // 4
    pack = struct.Struct(f">{words}I").pack
    found = [pack(*islice(draw.words, words)) for draw in draws]
    return found if length == 4 * words else [raw[:length] for raw in found]


@cache
def _table(alphabet: str) -> bytes:
    """What each byte becomes; the alphabet is ASCII."""
    return "".join([alphabet[byte * len(alphabet) >> 8] for byte in range(256)]).encode("ascii")


_WORD = 1 << 32
_UNIT = 1 << 53
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_WORDS = struct.Struct("<16I").unpack
_FIRST_ENDS = (b"\x1f1", b"\x1f2", b"\x1f3", b"\x1f4")  # few rows go on
