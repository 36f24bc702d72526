"""Finds rows: a query is resolved once into an ordered array of row numbers, a page is a slice of it."""

from __future__ import annotations

import sqlite3
import sys
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from localruns.engine.message import Page
from localruns.engine.query import Condition, Cut, Order, Query
from localruns.engine.snapshot import Snapshot
from localruns.engine.tables import table_name
from localruns.errors import BadRequest

MAX_ORDERS_BYTES = 64 * 1024 * 1024
MAX_BODIES_BYTES = 32 * 1024 * 1024
_GROUP = 50


class Store:
    """The rows of one snapshot, for all namespaces that point to it and any number of threads.

    `path` is the file that it was compiled from, None for a text that came otherwise.
    """

    def __init__(self, snapshot: Snapshot, path: Path | None = None) -> None:
        self.snapshot = snapshot
        self.path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._orders: OrderedDict[tuple[Query, int], array[int]] = OrderedDict()
        self._orders_bytes = 0
        self._bodies: dict[tuple[str, str], dict[int, tuple[bytes, str]]] = {}
        self._bodies_bytes = 0

    def page(self, query: Query, version: int, cut: Cut, shape: str) -> Page:
        """One page of the rows alive in `version`. Raises BadRequest for a query SQLite cannot carry."""
        return self.cut(query.vendor, self.order(query, version), cut, shape)

    def cut(self, vendor: str, order: array[int], cut: Cut, shape: str) -> Page:
        """One page of rows that are in order."""
        numbers = order[cut.offset : cut.offset + cut.size]
        found = self._rows(vendor, shape, numbers)
        rows, keys = zip(*found, strict=True) if found else ((), ())
        return Page(rows, keys, cut.offset, cut.size, len(order), numbers)

    def order(self, query: Query, version: int) -> array[int]:
        """The numbers of all rows that match, in order."""
        key = (query, version)
        with self._lock:
            order = self._orders.get(key)
            if order is not None:
                self._orders.move_to_end(key)
                return order
        order = self._resolve(query, version)
        with self._lock:
            if key not in self._orders:
                self._orders[key] = order
                self._orders_bytes += _weight(query, order)
                while self._orders_bytes > MAX_ORDERS_BYTES and len(self._orders) > 1:
                    (old, _), gone = self._orders.popitem(last=False)
                    self._orders_bytes -= _weight(old, gone)
        return order

    def keys(self, vendor: str, numbers: Iterable[int]) -> dict[int, str]:
        """The row key of each row number."""
        found: dict[int, str] = {}
        wanted = list(dict.fromkeys(numbers))
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            marks = ",".join("?" * len(some))
            sql = f"SELECT n, key FROM {table_name(vendor)} WHERE n IN ({marks})"
            found.update(self._connection().execute(sql, some))
        return found

    def tied(self, query: Query, *numbers: int) -> bool:
        """Whether rows have the same value in what the query sorts by first."""
        joins, values, terms = _sorting(table_name(query.vendor), query.order[:1])
        columns = ", ".join(term.removesuffix(" DESC") for term in terms)
        marks = ",".join("?" * len(numbers))
        sql = f"SELECT DISTINCT {columns} FROM {table_name(query.vendor)} r{joins} WHERE r.n IN ({marks})"
        return len(self._connection().execute(sql, [*values, *numbers]).fetchall()) == 1

    def _resolve(self, query: Query, version: int) -> array[int]:
        # SQLite takes time that grows with the square of the conditions in one statement.
        some, rest = query.conditions[:_GROUP], query.conditions[_GROUP:]
        order = self._select(replace(query, conditions=some), version)
        while rest and order:
            some, rest = rest[:_GROUP], rest[_GROUP:]
            matching = set(self._select(replace(query, conditions=some, order=()), version))
            order = array("I", (number for number in order if number in matching))
        return order

    def _select(self, query: Query, version: int) -> array[int]:
        sql, values = select(query, version)
        connection = self._connection()
        try:
            cursor = connection.execute(sql, values)
            return array("I", (number for (number,) in cursor))
        except sqlite3.OperationalError as error:
            raise BadRequest("filter", f"a filter of {len(query.conditions)} conditions", detail=str(error)) from None

    def _rows(self, vendor: str, shape: str, numbers: Sequence[int]) -> list[tuple[bytes, str]]:
        ready = self._bodies.setdefault((vendor, shape), {})
        missing = [number for number in numbers if number not in ready]
        if not missing:
            return [ready[number] for number in numbers]
        fetched = dict(self._fetch(vendor, shape, missing))
        result = [ready.get(number) or fetched[number] for number in numbers]
        with self._lock:
            self._bodies_bytes += sum(len(body) + 200 for body, _ in fetched.values())
            if self._bodies_bytes > MAX_BODIES_BYTES:
                self._bodies, self._bodies_bytes = {}, 0
            else:
                ready.update(fetched)
        return result

    def _fetch(self, vendor: str, shape: str, numbers: Sequence[int]) -> Iterator[tuple[int, tuple[bytes, str]]]:
        table, connection = table_name(vendor), self._connection()
        for start in range(0, len(numbers), 500):
            some = numbers[start : start + 500]
            marks = ",".join("?" * len(some))
            for number, body, key in connection.execute(
                f"SELECT n, s_{shape}, key FROM {table}_body JOIN {table} USING (n) WHERE n IN ({marks})", some
            ):
                yield number, (body, key)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self.snapshot.connect()
        return connection


def _weight(query: Query, order: array[int]) -> int:
    """Roughly what a kept order costs: a filter can be larger than the rows it finds."""
    texts = sum(len(str(condition.value)) for condition in query.conditions)
    return 1_000 + len(order) * order.itemsize + 400 * len(query.conditions) + texts


def select(query: Query, version: int) -> tuple[str, list[Any]]:
    """The SQL of a query, and its values."""
    table = table_name(query.vendor)
    joins, joined, sorts = _sorting(table, query.order)
    wheres = ["r.born <= ?", "r.died > ?"]
    values: list[Any] = [*joined, version, version]
    if query.scope:
        wheres.append("r.scope = ?")
        values.append(query.scope)
    for condition in query.conditions:
        text, more = _condition(table, condition)
        wheres.append(text)
        values += more
    where, by = " AND ".join(wheres), ", ".join([*sorts, "r.n"])
    return f"SELECT r.n FROM {table} r{joins} WHERE {where} ORDER BY {by}", values


def _sorting(table: str, order: Sequence[Order]) -> tuple[str, list[str], list[str]]:
    """(joins, their values, sort terms); what is missing comes last, NaN just before it."""
    joins, values, sorts = "", [], []
    for index, item in enumerate(order):
        direction = " DESC" if item.descending else ""
        if not item.field.bag:
            column = f"r.c_{item.field.name}"
            sorts += [f"{column} IS NULL", f"{column}{direction}"]
            continue
        bag = f"o{index}"
        joins += f" LEFT JOIN {table}_bag {bag} ON {bag}.bag = ? AND {bag}.name = ? AND {bag}.n = r.n AND {bag}.i = 0"
        values += [item.field.bag, item.field.name]
        rank = f"CASE WHEN {bag}.n IS NULL THEN 2 ELSE {bag}.nan END"
        sorts += [rank, f"{bag}.num{direction}", f"{bag}.text{direction}"]
    return joins, values, sorts


def _condition(table: str, condition: Condition) -> tuple[str, list[Any]]:
    field = condition.field
    if not field.bag:
        return _comparison(f"r.c_{field.name}", condition)
    operator = condition.operator
    within = f"EXISTS (SELECT 1 FROM {table}_bag b WHERE b.bag = ? AND b.name = ? AND b.n = r.n"
    if operator in ("present", "absent"):
        return ("NOT " if operator == "absent" else "") + within + ")", [field.bag, field.name]
    number = isinstance(condition.value, (int, float))
    text, values = _comparison("b.num" if number else "b.text", condition)
    if number and operator == "!=":
        text = f"({text} OR b.nan)"
    return f"{within} AND {text})", [field.bag, field.name, *values]


def _comparison(column: str, condition: Condition) -> tuple[str, list[Any]]:
    operator, value = condition.operator, condition.value
    if operator in ("present", "absent"):
        return f"{column} IS {'NOT ' if operator == 'present' else ''}NULL", []
    if isinstance(value, tuple):
        marks = ", ".join("?" * len(value))
        # SQLite finds a missing value, too, to be in no empty list.
        return f"({column} IS NOT NULL AND {column} {operator.upper()} ({marks}))", list(value)
    if operator == "like":
        return f"{column} GLOB ?", [_glob(str(value))]
    if operator == "ilike":
        return f"{column} LIKE ?", [value]
    if operator == "contains":
        return f"instr({column}, ?) > 0", [value]
    return f"{column} {operator} ?", [_bindable(value)]


def _bindable(value: Any) -> Any:
    """An integer beyond 64 bits as the nearest number that SQLite takes; no stored integer lies between the two."""
    if not isinstance(value, int) or -(2**63) <= value < 2**63:
        return value
    try:
        return float(value)
    except OverflowError:
        # Not infinity: a row may have just that.
        return sys.float_info.max if value > 0 else -sys.float_info.max


def _glob(pattern: str) -> str:
    """The case-sensitive twin of a LIKE pattern."""
    quoted = "".join(f"[{char}]" if char in "*?[" else char for char in pattern)
    return quoted.replace("%", "*").replace("_", "?")
