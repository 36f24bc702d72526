"""Files with recorded traffic, told apart by their content: HAR, VCR.py cassettes, recordings of localruns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from localruns.engine.recorded.exchange import Exchange
from localruns.engine.recorded.recording import Reader, is_recording
from localruns.errors import ConfigError
from localruns.recordings.reading import har, vcr
from localruns.recordings.reading.jsonstream import Damaged, first_keys
from localruns.recordings.reading.leftovers import Leftovers

KINDS = {"har": "HAR", "vcr-json": "VCR.py cassette", "vcr-yaml": "VCR.py cassette", "recording": "recording"}
_HEAD = 65_536
_BOM = b"\xef\xbb\xbf"
_KEY = re.compile(rb"(?m)^[\"']?([A-Za-z_]+)[\"']?:")
_EXPECTED = "expected a HAR file (`log`), a VCR.py cassette (`interactions`) or a recording (`recording`)"


class Counted:
    """A binary file that tells how far it has been read."""

    def __init__(self, file: IO[bytes], progress: Callable[[int], None]) -> None:
        self._file = file
        self._progress = progress
        self.position = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        found = self._file.read(size)
        self.position += len(found)
        self._progress(len(found))
        return found


def kind_of(path: Path) -> str:
    """Which of `KINDS` a file is. Raises ConfigError for any other."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if head.removeprefix(_BOM).lstrip()[:1] in (b"{", b"["):
                file.seek(len(_BOM) if head.startswith(_BOM) else 0)
                kind = _kind_of_json(file)
            else:
                kind = _kind_of_yaml(path, head)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    if kind not in KINDS:
        raise ConfigError(f"{path}: found {kind}, {_EXPECTED}")
    return kind


def _kind_of_json(file: IO[bytes]) -> str:
    named = {"log": "har", "interactions": "vcr-json", "recording": "recording"}
    try:
        for key in first_keys(file):
            if key in named:
                return named[key]
    except Damaged as error:
        return f"what begins like JSON, but {error}"
    return "JSON of another kind"


def _kind_of_yaml(path: Path, head: bytes) -> str:
    if not head.strip():
        return "an empty file"
    if b"\0" in head:
        return "a file that is no UTF-8 text"
    if is_recording(path):
        return "recording"
    keys = [key.decode() for key in _KEY.findall(head.removeprefix(_BOM))]
    if "interactions" in keys:
        return "vcr-yaml"
    return "a scenario, which can be served as it is" if "scenario" in keys else "another kind of file"


def exchanges(path: Path, left: Leftovers, progress: Callable[[int], None] = lambda size: None) -> Iterator[Exchange]:
    """The exchanges of a file in their order; what is not one goes to `left`. Units: `progress` is told of bytes.

    A file that is cut or damaged gives what stands before. Raises ConfigError for a file that is none of `KINDS`.
    """
    return (exchange for _, exchange in placed(path, left, progress))


def placed(
    path: Path, left: Leftovers, progress: Callable[[int], None] = lambda size: None
) -> Iterator[tuple[str, Exchange]]:
    """The same, each with the words that say where in the file it stands."""
    kind = kind_of(path)
    if kind == "recording":
        reader, before = Reader(path), 0
        for index, whole in enumerate(reader):
            progress(reader.position - before)
            before = reader.position
            yield f"{path}:{reader.line}: exchanges[{index}]", whole
        return
    lists = "log.entries" if kind == "har" else "interactions"
    count = 0
    try:
        with path.open("rb") as file:
            if file.read(3) != _BOM:
                file.seek(0)
            counted = Counted(file, progress)
            try:
                for exchange in _of(kind, counted, path, left):
                    count += 1
                    if exchange is not None:
                        yield f"{path}: {lists}[{count - 1}]", exchange
            except Damaged as error:
                place = (
                    f"cut at byte {path.stat().st_size:,}" if error.cut else f"damaged before byte {counted.position:,}"
                )
                left.damage(f"{path}: {place}, after exchange {count}: {error}")
            except ConfigError:
                left.damage(f"{path}: cut or damaged before byte {counted.position:,}, after exchange {count}")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None


def _of(kind: str, file: Counted, path: Path, left: Leftovers) -> Iterator[Exchange | None]:
    if kind == "har":
        return har.exchanges(file, left)  # type: ignore[arg-type]
    if kind == "vcr-json":
        return vcr.from_json(file, left)  # type: ignore[arg-type]
    return vcr.from_yaml(file, str(path), left)  # type: ignore[arg-type]
