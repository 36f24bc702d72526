"""Puts finished rows of one vendor into a snapshot's tables."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import orjson

from localruns import schemas
from localruns.engine.source import Source
from localruns.engine.tables import FOREVER, table_name
from localruns.engine.vendor import RowModel, Vendor
from localruns.errors import ConfigError

KeyPath = tuple[str | int, ...]
Placed = tuple[dict[str, Any], str, KeyPath]


class Writer:
    """Puts rows of one vendor into its tables."""

    def __init__(self, connection: sqlite3.Connection, vendor: Vendor, source: Source, fingerprint: Any) -> None:
        self.model: RowModel = vendor.rows
        self.vendor = vendor
        self.table = table_name(vendor.id)
        self._connection = connection
        self._source = source
        self._fingerprint = fingerprint
        self._validator = schemas.validator(self.model.schema)
        self._count = 0
        self._places: list[tuple[int, KeyPath]] = []
        self._create()

    def _create(self) -> None:
        columns = "".join(f", c_{name} {kind}" for name, kind in self.model.columns.items())
        shapes = "".join(f", s_{name} BLOB NOT NULL" for name in self.model.shapes)
        self._connection.execute(
            f"CREATE TABLE {self.table} (n INTEGER PRIMARY KEY, key TEXT, scope TEXT, born INTEGER, "
            f"died INTEGER DEFAULT {FOREVER}{columns})"
        )
        self._connection.execute(f"CREATE TABLE {self.table}_body (n INTEGER PRIMARY KEY{shapes})")
        self._connection.execute(
            f"CREATE TABLE {self.table}_bag (bag TEXT, name TEXT, n INTEGER, i INTEGER, text TEXT, num REAL, "
            "nan INTEGER, PRIMARY KEY (bag, name, n, i)) WITHOUT ROWID"
        )

    def add(self, batch: Sequence[Placed], born: int) -> None:
        """Check, render and insert rows that live from version `born` on."""
        rows: list[tuple[Any, ...]] = []
        bodies: list[tuple[Any, ...]] = []
        bags: list[tuple[Any, ...]] = []
        model, before = self.model, self._count
        for row, scope, path in batch:
            if not self._validator.is_valid(row):
                self._refuse(row, path)
            self._count += 1
            number = self._count
            if not self._places or self._places[-1][1] is not path:
                self._places.append((number, path))
            try:
                rows.append((number, model.key(row), scope, born, *model.values(row)))
                shapes = [orjson.dumps(shape(row)) for shape in model.shapes.values()]
                bags += _bag_rows(number, model.bags(row))
            except (ArithmeticError, ValueError, orjson.JSONEncodeError) as error:
                # The schema knows the form of a time or number, not whether there is such a day or 64 bits hold it.
                raise ConfigError(self._source.problem(path, f"found a row that cannot be kept: {error}")) from None
            self._fingerprint.update(shapes[0])
            bodies.append((number, *shapes))
        names = "".join(f", c_{name}" for name in self.model.columns)
        self._insert(f"{self.table} (n, key, scope, born{names})", rows)
        self._insert(f"{self.table}_body", bodies)
        self._insert(f"{self.table}_bag", bags)
        if born and batch:
            self._distinct(before)

    def _insert(self, into: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)

    def finish(self) -> None:
        """Index the row keys of the start; the first key that stands twice is refused."""
        self._connection.execute(f"CREATE INDEX {self.table}_key ON {self.table} (key)")
        self._distinct(0)

    def _distinct(self, before: int) -> None:
        """Refuse a row behind number `before` whose key another living row has."""
        found = self._connection.execute(
            f"SELECT key, min(n), max(n), count(*) FROM {self.table} WHERE died = {FOREVER} AND "
            f"(? = 0 OR key IN (SELECT key FROM {self.table} WHERE n > ?)) "
            "GROUP BY key HAVING count(*) > 1 ORDER BY min(n) LIMIT 1",
            (before, before),
        ).fetchone()
        if found:
            key, first, last, count = found
            at, other = self._place(last), self._source.where(self._place(first))
            words = f"found the row key {key!r} {count} times (also at {other}), expected each row key once"
            raise ConfigError(self._source.problem(at, words))

    def _place(self, number: int) -> KeyPath:
        """Where the row of that number stands in the scenario."""
        return self._places[bisect_right(self._places, number, key=itemgetter(0)) - 1][1]

    def alive(self, key: str) -> tuple[int, str, dict[str, Any]] | None:
        """(row number, scope, row) of the row that now lives under `key`."""
        first = next(iter(self.model.shapes))
        found = self._connection.execute(
            f"SELECT n, scope, s_{first} FROM {self.table} JOIN {self.table}_body USING (n) "
            f"WHERE key = ? AND died = {FOREVER}",
            (key,),
        ).fetchone()
        return (found[0], found[1], orjson.loads(found[2])) if found else None

    def kill(self, number: int, version: int) -> None:
        """The row is gone from `version` on."""
        self._connection.execute(f"UPDATE {self.table} SET died = ? WHERE n = ?", (version, number))

    def _refuse(self, row: Mapping[str, Any], path: KeyPath) -> None:
        block = self._source.at(path)
        own = block.get("set", {}) if "generate" in block else {}
        breaches = [
            ((*path, "set", *inner) if inner and inner[0] in own else (*path, *inner), words)
            for inner, words in schemas.explain(self.model.schema, row)
        ]
        raise ConfigError(*(self._source.problem(where, words) for where, words in breaches))


def _bag_rows(number: int, bags: Iterable[tuple[str, str, str | int | float]]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    seen: dict[tuple[str, str], int] = {}
    for bag, name, value in bags:
        key = bag, name
        seen[key] = index = seen.get(key, -1) + 1
        if isinstance(value, str):
            rows.append((bag, name, number, index, value, None, 0))
        else:
            is_nan = value != value
            rows.append((bag, name, number, index, None, None if is_nan else float(value), int(is_nan)))
    return rows
