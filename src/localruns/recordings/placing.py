"""The exchanges of files, each with the words that say where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from localruns.engine.exchange import Exchange
from localruns.engine.recording import Reader
from localruns.recordings.leftovers import Leftovers
from localruns.recordings.sources import exchanges, kind_of

Placed = tuple[str, Exchange]


def placed(paths: Iterable[Path], left: Leftovers) -> Iterator[Placed]:
    """(place, exchange) of recordings, HAR files and VCR.py cassettes, one after the other.

    Shape: a place is `file:line: exchanges[3]`, without a line where the file has none. Raises ConfigError.
    """
    for path in paths:
        if kind_of(path) == "recording":
            reader = Reader(path)
            for index, exchange in enumerate(reader):
                yield f"{path}:{reader.line}: exchanges[{index}]", exchange
        else:
            for index, exchange in enumerate(exchanges(path, left)):
                yield f"{path}: exchange {index}", exchange
