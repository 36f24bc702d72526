"""Turns a scenario's rows into a snapshot: finished, schema-checked bytes, beside what they are found by."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson

from localruns import schemas, yamlio
from localruns.engine.draw import Draw
from localruns.engine.pools import pools_of
from localruns.engine.scenario import Scenario, Source
from localruns.engine.tables import FOREVER, table_name
from localruns.engine.template import Template, merged
from localruns.engine.vendor import RowModel, Vendor
from localruns.errors import ConfigError
from localruns.paths import fixtures_dir

_BATCH = 2_000
KeyPath = tuple[str | int, ...]
Placed = tuple[dict[str, Any], str, KeyPath]


def compile_rows(
    source: Source,
    scenario: Scenario,
    vendors: Mapping[str, Vendor],
    connection: sqlite3.Connection,
    progress: Callable[[int], None] = lambda rows: None,
) -> str:
    """Write every vendor's rows and versions; returns the hash of all row bytes.

    Raises ConfigError for a row that breaks its schema, a duplicate row key, an event about an unknown row.
    """
    fingerprint = hashlib.sha256()
    for name, part in source.content["vendors"].items():
        writer = _Writer(connection, vendors[name], source, fingerprint)
        block = _Blocks(source, scenario, vendors[name])
        for batch in _batches(block.rows(part or {})):
            writer.add(batch, born=0)
            progress(len(batch))
        writer.finish()
        _Timeline(source, scenario, writer, block).run()
    return fingerprint.hexdigest()


class _Blocks:
    """The rows of one vendor in a scenario, block by block."""

    def __init__(self, source: Source, scenario: Scenario, vendor: Vendor) -> None:
        self._source = source
        self._seed = scenario.seed
        self._vendor = vendor
        self._settings = scenario.sites[vendor.id].settings
        self._scopes = vendor.scopes(scenario.sites[vendor.id].resources)
        part = source.content["vendors"][vendor.id] or {}
        self._content, self._pools, self._origin = _template(source, scenario.seed, vendor.id, part)
        self._plain = Template(self._content, self._pools, self._origin, self._settings)

    def rows(self, part: Mapping[str, Any]) -> Iterator[Placed]:
        """(row, scope, where it stands) for each row of the vendor."""
        path: KeyPath = ("vendors", self._vendor.id, "runs")
        yield from self.block(part.get("runs", ()), path, "", self._scopes[0] if self._scopes else "")

    def block(self, items: Sequence[Any], path: KeyPath, label: str, scope: str) -> Iterator[Placed]:
        for index, item in enumerate(items):
            here, name = (*path, index), f"{label}{index}"
            if "generate" in item:
                yield from self._generated(item, here, item.get("as", name), scope)
            elif "rows" in item and "in" in item:
                yield from self.block(item["rows"], (*here, "rows"), f"{name}.", self._scope(item["in"], here))
            else:
                yield self._literal(item, name, index), scope, here

    def _generated(self, item: Mapping[str, Any], path: KeyPath, label: str, scope: str) -> Iterator[Placed]:
        content = merged(self._content, item.get("set", {}))
        origin = f"{self._origin} with {yamlio.key_path((*path, 'set'))}"
        template = Template(content, self._pools, origin, self._settings)
        for index in range(item["generate"]):
            yield template.row(index, Draw(self._seed, self._vendor.id, label, index)), scope, path

    def _literal(self, item: Mapping[str, Any], label: str, index: int) -> dict[str, Any]:
        row = {key: value for key, value in item.items() if key != "like"}
        drawn = self._plain.row(index, Draw(self._seed, self._vendor.id, label, 0))
        return merged(drawn, row) if "like" in item else dict(self._vendor.rows.fill(row, drawn))

    def _scope(self, name: str, path: KeyPath) -> str:
        if name in self._scopes:
            return name
        listed = ", ".join(self._scopes) or "none: this vendor's rows belong to no resource"
        words = f"found {name!r}{schemas.near(name, self._scopes)}, expected one of: {listed}"
        raise ConfigError(self._source.problem((*path, "in"), words))


class _Writer:
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
        for row, scope, path in batch:
            if not self._validator.is_valid(row):
                self._refuse(row, path)
            self._count += 1
            number, model = self._count, self.model
            try:
                rows.append((number, model.key(row), scope, born, *model.values(row)))
                shapes = [orjson.dumps(shape(row)) for shape in model.shapes.values()]
            except (ValueError, OverflowError, orjson.JSONEncodeError) as error:
                # The schema knows the form of a time, not whether there is such a day.
                raise ConfigError(self._source.problem(path, f"found a row that cannot be kept: {error}")) from None
            self._fingerprint.update(shapes[0])
            bodies.append((number, *shapes))
            bags += _bag_rows(number, model.bags(row))
        names = "".join(f", c_{name}" for name in self.model.columns)
        self._insert(f"{self.table} (n, key, scope, born{names})", rows)
        self._insert(f"{self.table}_body", bodies)
        self._insert(f"{self.table}_bag", bags)

    def _insert(self, into: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)

    def finish(self) -> None:
        """Index the row keys; the first key that stands twice is refused."""
        try:
            self._connection.execute(f"CREATE UNIQUE INDEX {self.table}_key ON {self.table} (key, born)")
        except sqlite3.IntegrityError:
            key, count = self._connection.execute(
                f"SELECT key, count(*) FROM {self.table} GROUP BY key HAVING count(*) > 1 ORDER BY min(n)"
            ).fetchone()
            words = f"found the row key {key!r} {count} times, expected each row key once"
            path = ("vendors", self.vendor.id, "runs")
            raise ConfigError(self._source.problem(path, words)) from None

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
        breaches = list(schemas.explain(self.model.schema, row))
        raise ConfigError(*(self._source.problem((*path, *inner), words) for inner, words in breaches))


class _Timeline:
    """The scripted changes of one vendor, each compiled into a version of its own."""

    def __init__(self, source: Source, scenario: Scenario, writer: _Writer, blocks: _Blocks) -> None:
        self._source = source
        self._scenario = scenario
        self._writer = writer
        self._blocks = blocks

    def run(self) -> None:
        version = 0
        scopes = self._writer.vendor.scopes(self._scenario.sites[self._writer.vendor.id].resources)
        for index, event in enumerate(self._source.content.get("timeline", ())):
            if event["vendor"] != self._writer.vendor.id:
                continue
            version += 1
            path: KeyPath = ("timeline", index)
            for position, key in enumerate(event.get("delete", ())):
                self._writer.kill(self._alive(key, (*path, "delete", position))[0], version)
            for key, changes in event.get("change", {}).items():
                number, scope, row = self._alive(key, (*path, "change", key))
                self._writer.kill(number, version)
                self._writer.add([(merged(row, changes), scope, (*path, "change", key))], version)
            inserted = self._blocks.block(
                event.get("insert", ()), (*path, "insert"), f"timeline{index}.", scopes[0] if scopes else ""
            )
            self._writer.add(list(inserted), version)

    def _alive(self, key: str, path: KeyPath) -> tuple[int, str, dict[str, Any]]:
        found = self._writer.alive(key)
        if found is None:
            words = f"found the row key {key!r}, expected a row that is alive at that point"
            raise ConfigError(self._source.problem(path, words))
        return found


def _bag_rows(number: int, bags: Iterable[tuple[str, str, str | int | float]]) -> Iterator[tuple[Any, ...]]:
    seen: dict[tuple[str, str], int] = {}
    for bag, name, value in bags:
        index = seen.get((bag, name), 0)
        seen[bag, name] = index + 1
        if isinstance(value, str):
            yield bag, name, number, index, value, None, 0
        else:
            is_nan = value != value
            yield bag, name, number, index, None, None if is_nan else float(value), int(is_nan)


def _batches(rows: Iterator[Placed]) -> Iterator[list[Placed]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _template(
    source: Source, seed: int, vendor: str, part: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Sequence[Any]], str]:
    """(template, pools, where it comes from): the scenario's own, else the shipped one."""
    folder = fixtures_dir() / vendor
    shipped = yamlio.load(folder / "pools.yaml")
    if "template" not in part:
        return yamlio.load(folder / "template.yaml"), shipped, f"fixtures/{vendor}/template.yaml"
    own = part["template"]
    pools = {**shipped, **pools_of(own.get("pools", {}), seed, vendor, source.name)}
    return own["row"], pools, f"{source.name}: vendors.{vendor}.template.row"
