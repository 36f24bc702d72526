"""The texts of a file one by one, however large it is: YAML and JSON by key, anything else line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from localruns import yamlstream
from localruns.errors import ConfigError
from localruns.recordings import jsontext
from localruns.recordings.parts import Place

Placed = tuple[Place, int]
_PIECE = 1 << 20
_OVERLAP = 4096
_TOP_KEY = re.compile(
    r"(?:^---.*\n|^%.*\n|^#.*\n|^\s*\n)*^['\"]?(recording|scenario|interactions)['\"]?:", re.MULTILINE
)


def texts(path: Path) -> Iterator[Placed]:
    """Each smallest text of a file with the line on which it stands.

    A file that is neither YAML nor JSON of a known kind is read as lines. Raises ConfigError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            start = file.read(65_536)
        if jsontext.is_json(start):
            yield from _json(path)
        elif _TOP_KEY.match(start):
            yield from _yaml(path)
        else:
            yield from _lines(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None


def _json(path: Path) -> Iterator[Placed]:
    lines = _Lines()
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for leaf in jsontext.leaves(lines.counted(iter(lambda: file.read(_PIECE), ""))):
            yield Place("body", leaf.path, leaf.name, leaf.value, leaf.is_text), lines.of(leaf.start)


def _yaml(path: Path) -> Iterator[Placed]:
    with path.open("rb") as file:
        for steps, line, text in yamlstream.scalars(file, str(path)):
            name = next((step for step in reversed(steps) if isinstance(step, str)), "")
            yield Place("body", steps, name, text), line


def _lines(path: Path) -> Iterator[Placed]:
    with path.open(encoding="utf-8", errors="replace") as file:
        line, before = 1, ""
        while text := file.readline(_PIECE):
            yield Place("text", (), "", before + text), line
            ended = text.endswith("\n")
            before = "" if ended else text[-_OVERLAP:]
            line += ended


class _Lines:
    """Counts the lines of a text that goes by in pieces."""

    def __init__(self) -> None:
        self._breaks: list[tuple[int, str]] = []
        self._line, self._at = 1, 0
        self._read = 0

    def counted(self, pieces: Iterator[str]) -> Iterator[str]:
        """The same pieces."""
        for piece in pieces:
            self._breaks.append((self._read, piece))
            self._read += len(piece)
            yield piece

    def of(self, place: int) -> int:
        """The line of a character; places must not go down."""
        while self._breaks and self._at < place:
            start, piece = self._breaks[0]
            end = min(place, start + len(piece))
            self._line += piece.count("\n", self._at - start, end - start)
            self._at = end
            if end == start + len(piece):
                self._breaks.pop(0)
            else:
                break
        return self._line
