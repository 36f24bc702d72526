"""Puts finished rows of one vendor into a snapshot's tables."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any

import orjson

from localruns import schemas
from localruns.engine.source import Source
from localruns.engine.tables import FOREVER, MAX_ALIKE, NAME_SHIFT, ROW_SHIFT, table_name
from localruns.engine.vendor import Bag, RowModel, Vendor
from localruns.errors import ConfigError

KeyPath = tuple[str | int, ...]
AT_ONCE = 50  # rows of one statement: fewer calls into SQLite, whose variables are limited
_PENDING = 500  # rows whose named values gather, so that there are enough of each name
_MAX_NAMES = 50_000


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows, the resource that they belong to, and where they stand in the scenario."""

    rows: Sequence[dict[str, Any]]
    scope: str
    path: KeyPath


@dataclass(slots=True)
class _Named:
    """The values under one name that are not written yet. Shape: `values` is key, value, key, value, ..., rising."""

    base: int
    values: list[int | str | float | None] = field(default_factory=list)


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
        self._sorted_in = 0  # so many rows have their named values in the tables
        self._known = 0  # so many rows are known to have keys of their own
        self._places: list[tuple[int, KeyPath]] = []
        # What is to be written, one row's values behind the other's.
        self._rows: list[Any] = []
        self._bodies: list[Any] = []
        self._bags: list[_Named] = []
        self._names: dict[tuple[str, str], _Named] = {}
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
            for number, key, values in zip(numbers, map(model.key, rows), map(model.values, rows), strict=True):
                self._rows += (number, FOREVER, key, placed.scope, born, *values)
            shapes = [list(map(orjson.dumps, map(shape, rows))) for shape in model.shapes.values()]
            self._sort_in(numbers, map(model.bags, rows))
        except (ArithmeticError, ValueError, orjson.JSONEncodeError) as error:
            # The schema knows the form of a time or number, not whether there is such a day or 64 bits hold it.
            raise ConfigError(self._source.problem(placed.path, f"found a row that cannot be kept: {error}")) from None
        self._fingerprint.update(b"".join(shapes[0]))
        self._bodies += chain.from_iterable(zip(numbers, *shapes, strict=True))
        self._write_rows(all_of_them=False)
        if self._count - self._sorted_in >= _PENDING:
            self._write_bags()

    def _sort_in(self, numbers: Iterable[int], bags: Iterable[Iterable[Bag]]) -> None:
        """Put the named values of each row with those of the same name."""
        names = self._names
        for number, named_values in zip(numbers, bags, strict=True):
            place = number << ROW_SHIFT
            for bag, name, value in named_values:
                named = names.get((bag, name)) or self._named(bag, name)
                key, values = named.base | place, named.values
                if not values:
                    self._bags.append(named)
                elif values[-2] >= key:  # type: ignore[operator]
                    key = _next(values[-2], key, name)  # type: ignore[arg-type]
                values += (key, value if isinstance(value, str) else float(value) if value == value else None)

    def _named(self, bag: str, name: str) -> _Named:
        """Where a name's values gather, whose keys begin alike."""
        names = f"{self.table}_bag_name"
        self._connection.execute(f"INSERT OR IGNORE INTO {names} (bag, name) VALUES (?, ?)", (bag, name))
        found = self._connection.execute(f"SELECT id FROM {names} WHERE bag = ? AND name = ?", (bag, name)).fetchone()
        named = self._names[bag, name] = _Named(found[0] << NAME_SHIFT)
        return named

    def _flush(self) -> None:
        """Write what has been added."""
        self._write_rows(all_of_them=True)
        self._write_bags()

    def _write_rows(self, *, all_of_them: bool) -> None:
        """Write rows that are done, where not all of them, then as many as go into one statement."""
        self._rows = self._insert(self.table, 5 + len(self.model.columns), self._rows, all_of_them)
        self._bodies = self._insert(f"{self.table}_body", 1 + len(self.model.shapes), self._bodies, all_of_them)

    def _write_bags(self) -> None:
        """Write the named values of all rows that are done."""
        for named in self._bags:
            named.values = self._insert(f"{self.table}_bag", 2, named.values, all_of_them=True)
        self._bags = []
        self._sorted_in = self._count
        if len(self._names) > _MAX_NAMES:
            self._names.clear()

    def _insert(self, table: str, columns: int, values: list[Any], all_of_them: bool) -> list[Any]:
        """Insert rows of so many columns whose values stand one behind the other; returns what is left of them."""
        marks, step = f"({', '.join('?' * columns)})", AT_ONCE * columns
        whole = len(values) - len(values) % step
        if whole:
            many = f"INSERT INTO {table} VALUES {', '.join([marks] * AT_ONCE)}"
            for start in range(0, whole, step):
                self._connection.execute(many, values[start : start + step])
        if not all_of_them:
            return values[whole:]
        rest = [values[start : start + columns] for start in range(whole, len(values), columns)]
        self._connection.executemany(f"INSERT INTO {table} VALUES {marks}", rest)
        return []

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


def _next(last: int, first: int, name: str) -> int:
    """The key behind the last one of a row's: a name may stand more than once."""
    if last + 1 >= first + MAX_ALIKE:
        raise ValueError(f"more than {MAX_ALIKE:,} values under the name {name!r}")
    return last + 1
