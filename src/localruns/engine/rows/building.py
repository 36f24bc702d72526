"""Builds one snapshot into an open database."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from localruns.engine.rows.compiler import compile_rows
from localruns.engine.rows.pools import faker_version
from localruns.engine.scenario import Scenario, interpret
from localruns.engine.snapshot import Progress
from localruns.engine.source import Source
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError

_FEW = 5_000


def build(
    text: str,
    name: str,
    vendors: Mapping[str, Vendor],
    seed: int | None,
    connection: sqlite3.Connection,
    progress: Progress = lambda rows, total: None,
    most: int | None = None,
) -> Scenario:
    """Check the scenario text, compile its rows, and write both into `connection`. Raises ConfigError.

    `progress` is told of rows that are done, and how many there will be; `most` as in `compile_rows`.
    """
    source = Source(text, name)
    scenario = interpret(source, vendors, seed)
    total = source.count_rows(most)
    if total > _FEW:  # a small file would be all margin
        connection.execute("PRAGMA page_size = 16384")
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -4000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB)")
    with _uncollected():
        rows = compile_rows(source, scenario, vendors, connection, lambda done: progress(done, total), most)
    _compare(source, rows)
    head = json.dumps(scenario.as_json()).encode()  # a wait may have more than 64 bits
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [("scenario", head), ("rows", rows), ("faker", faker_version())],
    )
    connection.commit()
    return scenario


@contextmanager
def _uncollected() -> Iterator[None]:
    """The collector rests: rows come and go by the thousand, which calls it all the time, and none is in a cycle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _compare(source: Source, rows: str) -> None:
    """A scenario that pins its rows gets those rows or a clear refusal."""
    pinned = source.content.get("fingerprint")
    if pinned and pinned["rows"] != rows:
        words = (
            f"found rows with the hash {rows} (Faker {faker_version()}), expected {pinned['rows']} "
            f"(Faker {pinned.get('faker', 'unknown')}): use that release of Faker, or write the rows out "
            "with `localruns freeze` where it is installed"
        )
        raise ConfigError(source.problem(("fingerprint", "rows"), words))
