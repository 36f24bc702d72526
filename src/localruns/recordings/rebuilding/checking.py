"""Whether a rebuilt scenario loads, and brings the recorded rows in the recorded order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from localruns.engine.query import Query
from localruns.engine.snapshot import Snapshot, snapshot_of
from localruns.engine.store import Store
from localruns.engine.vendor import Vendor
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.rebuilding.rowbook import Rowbook

MAX_CHECKED_BYTES = 2 * 1024 * 1024


def check(text: str, name: str, vendors: Mapping[str, Vendor], books: Iterable[Rowbook], left: Leftovers) -> None:
    """Load the scenario and say where our filters and orders bring other rows than were recorded.

    Raises ConfigError for one that does not load. A large one is left to `localruns validate`.
    """
    if len(text) > MAX_CHECKED_BYTES:
        left.remark("the scenario is large, so its order was not compared with the recorded one")
        return
    with tempfile.TemporaryDirectory(prefix="localruns-") as folder:
        snapshot = snapshot_of(text, name, vendors, Path(folder))
        for book in books:
            for words in _compared(snapshot, book):
                left.remark(f"{book.vendor.id}: {words}")


def _compared(snapshot: Snapshot, book: Rowbook) -> Iterator[str]:
    store = Store(snapshot)
    for walk, query in book.asked():
        ours = _listed(store, query)
        more, fewer, place = compared(ours, book.known(walk))
        where = f"walk {walk.number + 1}"
        if fewer:
            yield f"{where} had {fewer} rows that our filter does not find for that request"
        if more and walk.started and walk.complete and not book.events:
            yield f"{where} did not have {more} rows that our filter finds for that request"
        if place:
            yield f"{where} came in another order than ours, first at row {place}"


def _listed(store: Store, query: Query) -> list[str]:
    numbers = store.order(query, 0)
    keys = store.keys(query.vendor, numbers)
    return [keys[number] for number in numbers]


def compared(ours: Iterable[str], recorded: Iterable[str]) -> tuple[int, int, int]:
    """(rows that only we list, rows that only the recording has, place of the first row in another order or 0)."""
    mine, theirs = list(ours), list(dict.fromkeys(recorded))
    both = set(mine) & set(theirs)
    here, there = [key for key in mine if key in both], [key for key in theirs if key in both]
    place = next((index + 1 for index, pair in enumerate(zip(here, there, strict=True)) if pair[0] != pair[1]), 0)
    return len(mine) - len(both), len(theirs) - len(both), place
