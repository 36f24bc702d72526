"""What a pass over the exchanges of one vendor's lists has seen: calls, walks, and the rows in a spool on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from localruns.engine.message import Request
from localruns.engine.recorded.traffic import Asked
from localruns.engine.vendor import Endpoint, Vendor

Versions = list[tuple[dict[str, Any], int, int]]
Query = tuple[str, str, bytes]

_TABLES = """
CREATE TABLE request (call INTEGER PRIMARY KEY, method TEXT, target TEXT, headers TEXT, body BLOB);
CREATE TABLE version (
    id INTEGER PRIMARY KEY, vendor TEXT, scope TEXT, key TEXT, body BLOB, first INTEGER, last INTEGER
);
CREATE INDEX version_key ON version (vendor, scope, key, id);
CREATE TABLE sight (walk INTEGER, page INTEGER, place INTEGER, vendor TEXT, scope TEXT, key TEXT);
CREATE INDEX sight_walk ON sight (walk, page, place);
CREATE INDEX sight_key ON sight (vendor, scope, key, walk);
"""


def query_of(vendor: Vendor, scope: str, rest: Mapping[str, Any]) -> Query:
    """What all requests share that list the same rows: whose, the names in the path, all but what pages."""
    return vendor.id, scope, orjson.dumps(dict(rest), option=orjson.OPT_SORT_KEYS)


@dataclass(slots=True)
class Seen:
    """One call as it was seen.

    Shape: `number` counts all calls from 0; `walk` is -1 where it belongs to none, `page` then is 0. `told` says of a
    good page how many rows it had and whether it led on; `code` is an error's, `failed` why there was no answer.
    `final`: the answer asked not to
    be asked again. Units: `wait_s` is what the answer asked the client to wait, `took_ms` how long it took.
    """

    number: int
    vendor: Vendor
    endpoint: Endpoint
    scope: str
    status: int
    asked: Asked
    by_number: bool = False
    walk: int = -1
    page: int = 0
    rows: int = -1
    more: bool = False
    total: int | None = None
    next_token: str | None = None
    blank_token: bool = False
    code: str = ""
    failed: str = ""
    wait_s: float | None = None
    final: bool = False
    took_ms: float = 0.0

    @property
    def good(self) -> bool:
        """Whether it got a page."""
        return self.rows >= 0

    @property
    def listing(self) -> bool:
        """Whether it asked for a page."""
        return self.endpoint.name == self.vendor.traffic.endpoint


@dataclass(slots=True)
class Walk:
    """One client's pass through the pages of one query.

    Shape: `first` is the number of its first call, `calls` the numbers of all; `size` the rows of its largest page;
    `tokens` the page that each token leads
    to; `started`: it begins at page 1; `complete`: it ends with the last page there was.
    """

    number: int
    vendor: Vendor
    scope: str
    rest: Mapping[str, Any]
    first: int
    calls: list[int] = field(default_factory=list)
    pages: int = 0
    size: int = 0
    started: bool = True
    complete: bool = False
    last: Seen | None = None
    tokens: dict[str, int] = field(default_factory=dict)

    @property
    def query(self) -> Query:
        """What it lists."""
        return query_of(self.vendor, self.scope, self.rest)


class Spool:
    """Rows and requests on disk, in a private database that ends with the process."""

    def __init__(self) -> None:
        self.db = sqlite3.connect("", isolation_level=None)
        self.db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _TABLES + "BEGIN;")

    def close(self) -> None:
        """Give the disk back."""
        self.db.close()

    def keep(self, number: int, request: Request) -> None:
        """Keep a request."""
        values = (number, request.method, request.target, orjson.dumps(request.headers).decode(), request.body)
        self.db.execute("INSERT INTO request VALUES (?, ?, ?, ?, ?)", values)

    def request(self, number: int) -> tuple[str, str, list[tuple[str, str]], bytes]:
        """(method, target, headers, body) of a call."""
        found = self.db.execute(
            "SELECT method, target, headers, body FROM request WHERE call = ?", (number,)
        ).fetchone()
        return found[0], found[1], [tuple(pair) for pair in orjson.loads(found[2])], found[3]

    def latest(self, vendor: str, scope: str, key: str) -> tuple[int, dict[str, Any], int] | None:
        """(id, row, last call) of the version of a row that was seen last."""
        found = self.db.execute(
            "SELECT id, body, last FROM version WHERE vendor = ? AND scope = ? AND key = ? ORDER BY id DESC LIMIT 1",
            (vendor, scope, key),
        ).fetchone()
        return (found[0], orjson.loads(found[1]), found[2]) if found else None

    def sighted(self, walk: Walk, page: int, place: int, key: str) -> None:
        """A row stood there on that page."""
        values = (walk.number, page, place, walk.vendor.id, walk.scope, key)
        self.db.execute("INSERT INTO sight VALUES (?, ?, ?, ?, ?, ?)", values)

    def add(self, vendor: str, scope: str, key: str, row: Mapping[str, Any], call: int) -> None:
        """A new version of a row."""
        values = (vendor, scope, key, orjson.dumps(row), call, call)
        self.db.execute("INSERT INTO version (vendor, scope, key, body, first, last) VALUES (?, ?, ?, ?, ?, ?)", values)

    def touch(self, version: int, call: int, row: Mapping[str, Any] | None = None) -> None:
        """A version was seen again, perhaps fuller."""
        if row is None:
            self.db.execute("UPDATE version SET last = ? WHERE id = ?", (call, version))
        else:
            self.db.execute("UPDATE version SET last = ?, body = ? WHERE id = ?", (call, orjson.dumps(row), version))

    def all_keys(self, vendor: str, scope: str) -> Iterator[str]:
        """The keys of a resource's rows in the order in which they were first seen."""
        found = self.db.execute(
            "SELECT key FROM version WHERE vendor = ? AND scope = ? GROUP BY key ORDER BY min(id)", (vendor, scope)
        )
        return (key for (key,) in found)

    def versions(self, vendor: str, scope: str, key: str) -> list[tuple[int, dict[str, Any]]]:
        """(id, row) of the versions of a row, oldest first."""
        found = self.db.execute(
            "SELECT id, body FROM version WHERE vendor = ? AND scope = ? AND key = ? ORDER BY id", (vendor, scope, key)
        )
        return [(number, orjson.loads(body)) for number, body in found]

    def replace(self, version: int, row: Mapping[str, Any]) -> None:
        """Put another row in the place of a version."""
        self.db.execute("UPDATE version SET body = ? WHERE id = ?", (orjson.dumps(row), version))

    def rows(self, vendor: str, scope: str) -> Iterator[tuple[str, Versions]]:
        """(key, its versions as (row, first call, last call), oldest first) in the order in which rows were seen."""
        for key in self.all_keys(vendor, scope):
            yield key, self._spans(vendor, scope, key)

    def changed(self, vendor: str, scope: str) -> Iterator[tuple[str, Versions]]:
        """The same for rows of which there is more than one version."""
        found = self.db.execute(
            "SELECT key FROM version WHERE vendor = ? AND scope = ? GROUP BY key HAVING count(*) > 1 ORDER BY min(id)",
            (vendor, scope),
        )
        for (key,) in found:
            yield key, self._spans(vendor, scope, key)

    def _spans(self, vendor: str, scope: str, key: str) -> Versions:
        found = self.db.execute(
            "SELECT body, first, last FROM version WHERE vendor = ? AND scope = ? AND key = ? ORDER BY id",
            (vendor, scope, key),
        )
        return [(orjson.loads(body), first, last) for body, first, last in found]

    def span(self, vendor: str, scope: str, key: str) -> tuple[dict[str, Any], int, int]:
        """(first version, first call, last call) of a row."""
        spans = self._spans(vendor, scope, key)
        return spans[0][0], spans[0][1], spans[-1][2]

    def sometimes(self, walks: Sequence[int]) -> list[tuple[str, set[int]]]:
        """(key, the walks in which it stands) of the rows that stand in some of these walks and not in all."""
        found = self.db.execute(
            f"SELECT key, group_concat(DISTINCT walk) FROM sight WHERE walk IN ({','.join('?' * len(walks))}) "
            f"GROUP BY key HAVING count(DISTINCT walk) < {len(walks)} ORDER BY min(rowid)",
            list(walks),
        )
        return [(key, {int(walk) for walk in text.split(",")}) for key, text in found]

    def count(self, vendor: str) -> int:
        """How many different rows of a vendor there are."""
        counted = "SELECT count(*) FROM (SELECT DISTINCT scope, key FROM version WHERE vendor = ?)"
        return int(self.db.execute(counted, (vendor,)).fetchone()[0])

    def keys(self, walk: int) -> Iterator[str]:
        """The keys of a walk's rows in the order in which they came."""
        found = self.db.execute("SELECT key FROM sight WHERE walk = ? ORDER BY page, place", (walk,))
        return (key for (key,) in found)
