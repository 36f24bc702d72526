"""Exchanges in the order of their times, however many there are."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing

from localruns.engine.recorded.exchange import Exchange

Placed = tuple[Exchange, str, str]


def in_time(exchanges: Iterable[Placed]) -> Iterator[Placed]:
    """The exchanges, each with its vendor and operation, by the time of the request; one without a time stays behind
    the one before it.

    They wait on disk, in a private database that ends with the process: they are to be without secrets.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")
        database.execute("CREATE TABLE waiting (at TEXT, place INTEGER PRIMARY KEY, content BLOB)")
        at = ""
        for place, each in enumerate(exchanges):
            at = each[0].at or at
            database.execute("INSERT INTO waiting VALUES (?, ?, ?)", (at, place, pickle.dumps(each)))
        places = database.execute("SELECT place FROM waiting ORDER BY at, place").fetchall()
        for (place,) in places:
            found = database.execute("SELECT content FROM waiting WHERE place = ?", (place,)).fetchone()
            yield pickle.loads(found[0])
