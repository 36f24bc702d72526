"""The secrets that have been met: found again wherever and in whatever encoding they stand."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from itertools import chain

from localruns import placeholders
from localruns.recordings.redaction import encodings, forms

MOST = 1000
_MOST_IDS = 100_000
_SHORTEST = 8
_TOKEN = re.compile(
    rf"(?<![A-Za-z0-9])(?:{placeholders.UUID}|{placeholders.MEMBER}|[0-9]{{7,}}|{placeholders.FINGERPRINT})(?![A-Za-z0-9])"
)
_WORD = re.compile(r"[a-z_ -]+|[A-Z_ -]+|[0-9:. T-]+Z?")
_ALPHABET = string.ascii_letters + string.digits + "+/_-"
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]+")


class Known:
    """Secrets with all their variants, and ids of people, which are found as whole words only.

    The oldest are forgotten when there are very many; those that `always` hold are not.
    """

    def __init__(self) -> None:
        self._always: dict[str, list[str]] = {}
        self._lasting: dict[str, list[str]] = {}
        self._passing: dict[str, list[str]] = {}
        self._ids: dict[str, None] = {}
        self._active: list[tuple[str, str]] = []
        self._least = 0

    def always(self, value: str) -> None:
        """Remember a secret for good; one that is too short to be told from a word is not taken."""
        if len(value) >= _SHORTEST and not forms.is_masked(value):
            self._always[value] = encodings.variants(value)

    def learn(self, value: str) -> None:
        """Remember a secret for this exchange and those after it."""
        if not _worth(value) or value in self._always:
            return
        self._lasting[value] = self._lasting.pop(value, []) or encodings.variants(value)
        if len(self._lasting) > MOST:
            del self._lasting[next(iter(self._lasting))]

    def note(self, value: str) -> None:
        """Remember a secret for this exchange."""
        if _worth(value):
            self._passing[value] = encodings.variants(value)

    def learn_id(self, value: str) -> None:
        """Remember an account id for this exchange and those after it."""
        if _TOKEN.fullmatch(value) and not placeholders.is_placeholder(value):
            self._ids[value] = None
            if len(self._ids) > _MOST_IDS:
                del self._ids[next(iter(self._ids))]

    def begin(self) -> None:
        """Forget what was noted for the exchange before."""
        self._passing.clear()
        self._active = []

    def look_for(self, texts: list[str]) -> None:
        """Narrow down to the secrets that occur somewhere in these texts, which are all that is asked about next."""
        blob = "\n".join(texts)
        everything = "\\u" in blob
        found = [
            (variant, value)
            for value, variants in chain(self._always.items(), self._lasting.items(), self._passing.items())
            if everything or any(variant in blob for variant in variants)
            for variant in variants
        ]
        self._active = sorted(found, key=lambda pair: -len(pair[0]))
        self._least = min((len(variant) for variant, _ in found), default=0)

    def spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """From, to and the secret itself for each place in a text that tells one; they may overlap."""
        for variant, value in self._active if len(text) >= self._least else ():
            at = text.find(variant)
            while at >= 0:
                yield *_whole(text, at, at + len(variant), variant, value), value
                at = text.find(variant, at + len(variant))
        if self._ids and len(text) >= 7:
            for found in _TOKEN.finditer(text):
                if found[0] in self._ids:
                    yield *found.span(), found[0]


def _whole(text: str, start: int, end: int, variant: str, value: str) -> tuple[int, int]:
    """Where a variant stands: of base64 all that hangs together, since its ends tell of the secret too."""
    if variant == value or not _ENCODED.fullmatch(variant):
        return start, end
    before, after = text[:start], text[end:]
    return len(before.rstrip(_ALPHABET)), len(text) - len(after.lstrip(_ALPHABET).lstrip("="))


def _worth(value: str) -> bool:
    """Whether a value can be looked for everywhere without hitting words and numbers that mean something else."""
    if len(value) < _SHORTEST or forms.is_masked(value):
        return False
    return len(value) >= 16 or not _WORD.fullmatch(value)
