"""Finds rows: a query is resolved once into an ordered array of row numbers, a page is a slice of it."""

from __future__ import annotations

import sqlite3
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from localruns.engine.message import Page, Rows
from localruns.engine.query import Cut, Query
from localruns.engine.snapshot import Snapshot
from localruns.engine.sql import read_numbers, select, sort_values
from localruns.engine.tables import table_name
from localruns.engine.waiting import NotNow, hurried
from localruns.errors import BadRequest

MAX_ORDERS_BYTES = 64 * 1024 * 1024
MAX_BODIES_BYTES = 32 * 1024 * 1024
MAX_PAGES_BYTES = 16 * 1024 * 1024
FEW_ROWS = 50_000
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
        self._large = threading.Lock()  # held while many rows are sorted
        self._counts: dict[str, int] = {}
        self._bodies: dict[tuple[str, str], dict[int, tuple[bytes, str]]] = {}
        self._bodies_bytes = 0
        self._pages: OrderedDict[tuple[Query, int, int, int, str], Page] = OrderedDict()
        self._pages_bytes = 0

    def page(self, query: Query, version: int, cut: Cut, shape: str) -> Page:
        """One page of the rows alive in `version`. Raises BadRequest for a query SQLite cannot carry."""
        key = (query, version, cut.offset, cut.size, shape)
        with self._lock:
            page = self._pages.get(key)
            if page is not None:
                self._pages.move_to_end(key)
                return page
        page = self.cut(query.vendor, self.order(query, version), cut, shape)
        with self._lock:
            if key not in self._pages:
                self._pages[key] = page
                self._pages_bytes += _page_weight(query, page)
                while self._pages_bytes > MAX_PAGES_BYTES:
                    (old, *_), gone = self._pages.popitem(last=False)
                    self._pages_bytes -= _page_weight(old, gone)
        return page

    def cut(self, vendor: str, order: array[int], cut: Cut, shape: str) -> Page:
        """One page of rows that are in order."""
        numbers = order[cut.offset : cut.offset + cut.size]
        found = self._rows(vendor, shape, numbers)
        rows, keys = zip(*found, strict=True) if found else ((), ())
        return Page(Rows(rows), keys, cut.offset, cut.size, len(order), numbers)

    def order(self, query: Query, version: int) -> array[int]:
        """The numbers of all rows that match, in order. Raises NotNow where that takes long and others would wait."""
        key = (query, version)
        order = self._kept(key)
        if order is not None:
            return order
        if self._rows_of(query.vendor) <= FEW_ROWS:
            return self._keep(key, self._resolve(query, version))
        if hurried():
            raise NotNow
        with self._large:  # who waits here most often waits for what it asks for
            order = self._kept(key)
            return self._keep(key, self._resolve(query, version)) if order is None else order

    def _kept(self, key: tuple[Query, int]) -> array[int] | None:
        with self._lock:
            order = self._orders.get(key)
            if order is not None:
                self._orders.move_to_end(key)
            return order

    def _keep(self, key: tuple[Query, int], order: array[int]) -> array[int]:
        with self._lock:
            if key not in self._orders:
                self._orders[key] = order
                self._orders_bytes += _weight(key[0], order)
                while self._orders_bytes > MAX_ORDERS_BYTES and len(self._orders) > 1:
                    (old, _), gone = self._orders.popitem(last=False)
                    self._orders_bytes -= _weight(old, gone)
        return order

    def _rows_of(self, vendor: str) -> int:
        """How many rows the vendor has, in all versions."""
        if vendor not in self._counts:
            (count,) = self._connection().execute(f"SELECT max(n) FROM {table_name(vendor)}").fetchone()
            self._counts[vendor] = count or 0
        return self._counts[vendor]

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
        sql, values = sort_values(query.vendor, query.order[:1], numbers)
        return len(self._connection().execute(sql, values).fetchall()) == 1

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
            (text,) = connection.execute(sql, values).fetchone()
            return read_numbers(text or "")
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
    return _query_weight(query) + len(order) * order.itemsize


def _page_weight(query: Query, page: Page) -> int:
    """Roughly what a kept page costs: its rows one by one, and once more joined."""
    return _query_weight(query) + 2 * page.rows.weight_bytes


def _query_weight(query: Query) -> int:
    texts = sum(len(str(condition.value)) for condition in query.conditions)
    return 1_000 + 400 * len(query.conditions) + texts
