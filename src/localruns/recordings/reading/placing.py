"""The exchanges of files, each with the words that say where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from localruns.engine.recorded.exchange import Exchange
from localruns.recordings.reading import sources
from localruns.recordings.reading.leftovers import Leftovers

Placed = tuple[str, Exchange]


def placed(
    paths: Iterable[Path], left: Leftovers, progress: Callable[[int], None] = lambda size: None
) -> Iterator[Placed]:
    """(place, exchange) of recordings, HAR files and VCR.py cassettes, one after the other.

    Shape: a place is `file:line: exchanges[3]`, in a HAR file `file: log.entries[3]`, in a cassette
    `file: interactions[3]`. Units: `progress` is told of bytes. Raises ConfigError.
    """
    for path in paths:
        yield from sources.placed(path, left, progress)
