"""The texts of a file one by one, however large it is: YAML and JSON by key, anything else line by line."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import math
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO, Literal

from localruns import yamlstream
from localruns.errors import ConfigError
from localruns.recordings.redaction import jsontext
from localruns.recordings.redaction.parts import Place

Placed = tuple[Place, int]
Sort = Literal["recording", "scenario", "interactions", "json", "lines"]
_PIECE = 1 << 20
_OVERLAP = 4096
_TOP_KEY = re.compile(r"(?:(?:---|%|#).*\n|\s*\n)*[\"']?(recording|scenario|interactions)[\"']?:")
_COMMENT = re.compile(r"(?<!\S)#")
_OF_KEYS = "record id"  # many a key is an id: random text in it is no finding, a known form is
_PAIR_NAMES = ("key", "name")


def sort_of(path: Path) -> Sort:
    """What kind of file it is, by its first key. Raises ConfigError: it cannot be read."""
    try:
        with _opened(path) as file:
            start = file.read(65_536)
    except (OSError, EOFError) as error:
        words = error.strerror if isinstance(error, OSError) else ""
        raise ConfigError(f"{path}: cannot be read: {words or error}") from None
    if jsontext.is_json(start):
        return "json"
    top = _TOP_KEY.match(start)
    return top[1] if top else "lines"  # type: ignore[return-value]


def texts(path: Path, sort: Sort) -> Iterator[Placed]:
    """Each smallest text of a file with the line on which it stands. Raises ConfigError: it cannot be read."""
    read = {"json": _json, "lines": _lines}.get(sort, _yaml)
    try:
        yield from read(path)
    except (OSError, EOFError) as error:
        words = error.strerror if isinstance(error, OSError) else ""
        raise ConfigError(f"{path}: cannot be read: {words or error}") from None


def _opened(path: Path) -> IO[str]:
    """The file as text, unpacked; bytes that are no text are replaced."""
    with path.open("rb") as raw:
        start = raw.read(4)
    packed = start.startswith(b"\x1f\x8b")
    file: IO[bytes] = gzip.open(path) if packed else path.open("rb")  # type: ignore[assignment] # noqa: SIM115
    codec = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return io.TextIOWrapper(file, codec, errors="replace")


def _json(path: Path) -> Iterator[Placed]:
    lines = _Lines()
    with _opened(path) as file:
        for leaf in jsontext.leaves(lines.counted(iter(lambda: file.read(_PIECE), ""))):
            yield Place("body", leaf.path, leaf.name, leaf.value, leaf.is_text), lines.of(leaf.start)


def _yaml(path: Path) -> Iterator[Placed]:
    """The texts of a YAML file; from where it is no YAML any more, its lines."""
    line = 1
    pair: tuple[Sequence[str | int], str] = ((), "")
    try:
        with _opened(path) as file:
            for steps, line, text, is_key in yamlstream.scalars(file, str(path)):
                if is_key:
                    yield Place("body", steps, _OF_KEYS, text), line
                    continue
                name = next((step for step in reversed(steps) if isinstance(step, str)), "")
                if name.lower() in _PAIR_NAMES:
                    pair = (steps[:-1], text)
                elif name.lower() == "value" and pair[0] == steps[:-1]:
                    name = pair[1]
                yield Place("body", steps, name, _bytes(text) if name == "body_base64" else text), line
    except ConfigError:
        yield from _lines(path, line)


def may_comment(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a YAML file that may hold a comment, from what may be its start. Raises ConfigError."""
    try:
        with _opened(path) as file:
            for line, text in enumerate(file, 1):
                if found := _COMMENT.search(text):
                    yield line, text[found.end() :]
    except (OSError, EOFError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None


def comments(path: Path, lines: Collection[int]) -> Iterator[Placed]:
    """The comments on those lines of a YAML file; what is within a value or a key of it is none."""
    behind: dict[int, float] = {}
    with contextlib.suppress(ConfigError), _opened(path) as file:
        for (first, _), (last, column) in yamlstream.spans(file, str(path)):
            for line in lines:
                if first < line <= last or line == last + 1:
                    behind[line] = max(behind.get(line, 0), column if line == last + 1 else math.inf)
    with _opened(path) as file:
        for line, text in enumerate(file, 1):
            start = behind.get(line, 0)
            if line in lines and start < len(text) and (found := _COMMENT.search(text, int(start))):
                yield Place("text", (), "", text[found.end() :]), line


def _bytes(text: str) -> str:
    """A body that is no text, each byte as one character."""
    try:
        return base64.b64decode(text).decode("latin-1")
    except ValueError:
        return text


def _lines(path: Path, first: int = 1) -> Iterator[Placed]:
    with _opened(path) as file:
        line, before = 1, ""
        while text := file.readline(_PIECE):
            ended = text.endswith("\n")
            if line >= first:
                yield Place("text", (), "", before + text), line
            before = "" if ended else text[-_OVERLAP:]
            line += ended


class _Lines:
    """Counts the lines of a text that goes by in pieces."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, str]] = []
        self._line, self._at, self._read = 1, 0, 0

    def counted(self, pieces: Iterator[str]) -> Iterator[str]:
        """The same pieces."""
        for piece in pieces:
            self._pieces.append((self._read, piece))
            self._read += len(piece)
            yield piece

    def of(self, place: int) -> int:
        """The line of a character; asked for one that lies before the last, that of the last."""
        while self._pieces and self._at < place:
            start, piece = self._pieces[0]
            end = min(place, start + len(piece))
            self._line += piece.count("\n", self._at - start, end - start)
            self._at = end
            if end == start + len(piece):
                self._pieces.pop(0)
        return self._line
