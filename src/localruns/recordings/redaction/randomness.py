"""Texts that are too random to be words: secrets of a form that nobody published."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from localruns import placeholders

LEAST = 24
_RUN = re.compile(rf"[A-Za-z0-9+/=_-]{{{LEAST},}}")
_PIECE = re.compile(r"[A-Za-z0-9]{16,}")
_WORD = re.compile(r"[A-Z]?[a-z]{3,}")
_KNOWN_FORMS = re.compile(rf"{placeholders.UUID}|[0-9a-f]+|[0-9A-F]+|{placeholders.WORD}")
_KINDS = (re.compile("[0-9]"), re.compile("[a-z]"), re.compile("[A-Z]"))
_ENOUGH = 500  # characters tell enough of a longer text
_CHANGES = 0.35
_BITS = 3.6


def masked(text: str) -> str:
    """The text with three dots for each of its random runs, so that it can be shown."""
    for start, end in reversed(list(random_runs(text))):
        text = f"{text[:start]}...{text[end:]}"
    return text


def random_runs(text: str) -> Iterator[tuple[int, int]]:
    """Where long runs of capitals, small letters and digits stand that no rule of language explains.

    Hashes and ids in hex and UUIDs are none: they identify, and there are too many of them.
    """
    for run in _RUN.finditer(text):
        if _KNOWN_FORMS.fullmatch(run[0]):
            continue
        if any(_is_random(piece[0]) for piece in _PIECE.finditer(run[0])):
            yield run.span()


def _is_random(piece: str) -> bool:
    if not all(kind.search(piece) for kind in _KINDS):
        return False
    piece = piece[:_ENOUGH]
    kinds = ["0" if char.isdigit() else "A" if char.isupper() else "a" for char in piece]
    changes = sum(one != other for one, other in pairwise(kinds))
    in_words = sum(map(len, _WORD.findall(piece)))
    return in_words < len(piece) / 2 and changes / len(piece) >= _CHANGES and _entropy(piece) >= _BITS


def _entropy(piece: str) -> float:
    """Bits per character."""
    size = len(piece)
    return -sum(count / size * math.log2(count / size) for count in Counter(piece).values())
