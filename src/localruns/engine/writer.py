"""Puts finished rows of one vendor into a snapshot's tables."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import orjson

from localruns import schemas
from localruns.engine.source import Source
from localruns.engine.tables import FOREVER, MAX_ALIKE, NAME_SHIFT, ROW_SHIFT, table_name
from localruns.engine.vendor import RowModel, Vendor
from localruns.errors import ConfigError

KeyPath = tuple[str | int, ...]
_PENDING = 500
_AT_ONCE = 50  # rows of one statement: fewer calls into SQLite, whose variables are limited
_MAX_NAMES = 50_000


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows, the resource that they belong to, and where they stand in the scenario."""

    rows: Sequence[dict[str, Any]]
    scope: str
    path: KeyPath


class Writer:
    """Puts rows of one vendor into its tables; what is added is written some rows at a time."""

    def __init__(self, connection: sqlite3.Connection, vendor: Vendor, source: Source, fingerprint: Any) -> None:
        self.model: RowModel = vendor.rows
        self.vendor = vendor
        self.table = table_name(vendor.id)
        self._connection = connection
        self._source = source
        self._fingerprint = fingerprint
        self._is_valid = schemas.validator(self.model.schema).is_valid
        self._count = 0
        self._known = 0  # so many rows are known to have keys of their own
        self._places: list[tuple[int, KeyPath]] = []
        self._rows: list[Sequence[Any]] = []
        self._bodies: list[Sequence[Any]] = []
        self._bags: dict[int, list[tuple[int, str | float | None]]] = {}
        self._names: dict[tuple[str, str], int] = {}
        self._create()

    def _create(self) -> None:
        columns = "".join(f", c_{name} {kind}" for name, kind in self.model.columns.items())
        shapes = "".join(f", s_{name} BLOB NOT NULL" for name in self.model.shapes)
        for sql in (
            f"{self.table} (n INTEGER PRIMARY KEY, died INTEGER, key TEXT, scope TEXT, born INTEGER{columns})",
            f"{self.table}_body (n INTEGER PRIMARY KEY{shapes})",
            f"{self.table}_bag (k INTEGER PRIMARY KEY, value)",
            f"{self.table}_bag_name (id INTEGER PRIMARY KEY, bag TEXT, name TEXT, UNIQUE (bag, name))",
        ):
            self._connection.execute(f"CREATE TABLE {sql}")

    def add(self, placed: Placed, born: int) -> None:
        """Check and render rows that live from version `born` on, and see to it that they are written."""
        rows, model, first = placed.rows, self.model, self._count + 1
        if not all(map(self._is_valid, rows)):
            self._refuse(next(row for row in rows if not self._is_valid(row)), placed.path)
        self._count += len(rows)
        self._places.append((first, placed.path))
        numbers = range(first, self._count + 1)
        try:
            values = zip(numbers, map(model.key, rows), map(model.values, rows), strict=True)
            self._rows += [(number, FOREVER, key, placed.scope, born, *each) for number, key, each in values]
            shapes = [[orjson.dumps(shape(row)) for row in rows] for shape in model.shapes.values()]
            for number, row in zip(numbers, rows, strict=True):
                self._sort_in(number, model.bags(row))
        except (ArithmeticError, ValueError, orjson.JSONEncodeError) as error:
            # The schema knows the form of a time or number, not whether there is such a day or 64 bits hold it.
            raise ConfigError(self._source.problem(placed.path, f"found a row that cannot be kept: {error}")) from None
        self._fingerprint.update(b"".join(shapes[0]))
        self._bodies += zip(numbers, *shapes, strict=True)
        if len(self._rows) >= _PENDING:
            self._flush()

    def _sort_in(self, number: int, bags: Iterable[tuple[str, str, str | int | float]]) -> None:
        """Put the named values of a row with those of the same name."""
        place = number << ROW_SHIFT
        taken: set[int] = set()
        for bag, name, value in bags:
            base = self._names.get((bag, name)) or self._named(bag, name)
            key = base | place
            if key in taken:
                key = _next(key, taken, name)
            taken.add(key)
            kept = value if isinstance(value, str) else float(value) if value == value else None
            rows = self._bags.get(base)
            if rows is None:
                self._bags[base] = [(key, kept)]
            else:
                rows.append((key, kept))

    def _named(self, bag: str, name: str) -> int:
        """What the keys of a name's values begin with."""
        if len(self._names) > _MAX_NAMES:
            self._names.clear()
        names = f"{self.table}_bag_name"
        self._connection.execute(f"INSERT OR IGNORE INTO {names} (bag, name) VALUES (?, ?)", (bag, name))
        found = self._connection.execute(f"SELECT id FROM {names} WHERE bag = ? AND name = ?", (bag, name)).fetchone()
        base: int = found[0] << NAME_SHIFT
        self._names[bag, name] = base
        return base

    def _flush(self) -> None:
        """Write what has been added."""
        self._insert(self.table, self._rows)
        self._insert(f"{self.table}_body", self._bodies)
        for rows in self._bags.values():
            self._insert(f"{self.table}_bag", rows)
        self._rows, self._bodies, self._bags = [], [], {}

    def _insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        marks = f"({', '.join('?' * len(rows[0]))})"
        many = f"INSERT INTO {table} VALUES {', '.join([marks] * _AT_ONCE)}"
        whole = len(rows) - len(rows) % _AT_ONCE
        for start in range(0, whole, _AT_ONCE):
            self._connection.execute(many, tuple(chain.from_iterable(rows[start : start + _AT_ONCE])))
        self._connection.executemany(f"INSERT INTO {table} VALUES {marks}", rows[whole:])

    def finish(self) -> None:
        """Index the row keys of the start; the first key that stands twice is refused."""
        self._flush()
        self._connection.execute(f"CREATE INDEX {self.table}_key ON {self.table} (key)")
        # Answered by the index alone, which the whole truth is not.
        twice = f"SELECT 1 FROM {self.table} GROUP BY key HAVING count(*) > 1 LIMIT 1"
        if self._connection.execute(twice).fetchone():
            self.distinct()
        self._known = self._count

    def distinct(self) -> None:
        """Refuse a row added since it was last asked whose key another living row has."""
        self._flush()
        found = self._connection.execute(
            f"SELECT key, min(n), max(n), count(*) FROM {self.table} WHERE died = {FOREVER} AND "
            f"(? = 0 OR key IN (SELECT key FROM {self.table} WHERE n > ?)) "
            "GROUP BY key HAVING count(*) > 1 ORDER BY min(n) LIMIT 1",
            (self._known, self._known),
        ).fetchone()
        self._known = self._count
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
        self._flush()
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


def _next(key: int, taken: Container[int], name: str) -> int:
    """The first free key behind one that is taken: a name may stand more than once."""
    for other in range(key + 1, key + MAX_ALIKE):
        if other not in taken:
            return other
    raise ValueError(f"more than {MAX_ALIKE:,} values under the name {name!r}")
