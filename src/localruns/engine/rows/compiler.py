"""Turns a scenario's rows into a snapshot: finished, schema-checked bytes, beside what they are found by."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from localruns import schemas, yamlio
from localruns.engine.draw import Draw
from localruns.engine.rows.changes import Timeline
from localruns.engine.rows.drawing import Drawing
from localruns.engine.rows.pools import pools_of
from localruns.engine.rows.template import Template, Where, merged
from localruns.engine.rows.writer import AT_ONCE, KeyPath, Placed, Writer
from localruns.engine.scenario import Scenario
from localruns.engine.source import Source
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError
from localruns.paths import fixtures_dir

_BATCH = 2 * AT_ONCE


def compile_rows(
    source: Source,
    scenario: Scenario,
    vendors: Mapping[str, Vendor],
    connection: sqlite3.Connection,
    progress: Callable[[int], None] = lambda rows: None,
    most: int | None = None,
) -> str:
    """Write every vendor's rows and versions; returns the hash of all row bytes.

    `progress` is told of rows as they are done; of each generated block only the first `most` rows are made, if given.
    Raises ConfigError for a row that breaks its schema, a duplicate row key, an event about an unknown row.
    """
    fingerprint = hashlib.sha256()
    for name, part in source.content["vendors"].items():
        writer = Writer(connection, vendors[name], source, fingerprint)
        block = Blocks(source, scenario, vendors[name], most)
        for placed in block.rows(part or {}):
            writer.add(placed, born=0)
            progress(len(placed.rows))
        writer.finish()
        Timeline(source, scenario, writer, block.block).run()
    return fingerprint.hexdigest()


class Blocks:
    """The rows of one vendor in a scenario, block by block."""

    def __init__(self, source: Source, scenario: Scenario, vendor: Vendor, most: int | None = None) -> None:
        self._source = source
        self._most = most
        self._seed = scenario.seed
        self._vendor = vendor
        self._settings = scenario.sites[vendor.id].settings
        self._scopes = vendor.scopes(scenario.sites[vendor.id].resources)
        part = source.content["vendors"][vendor.id] or {}
        self._content, self._pools, self._where = _template(source, scenario.seed, vendor.id, part)
        self._plain = Template(self._content, self._pools, self._where, self._settings)

    def rows(self, part: Mapping[str, Any]) -> Iterator[Placed]:
        """All rows of the vendor, some at a time."""
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
                yield Placed([self._literal(item, name, index)], scope, here)

    def _generated(self, item: Mapping[str, Any], path: KeyPath, label: str, scope: str) -> Iterator[Placed]:
        own = item.get("set", {})

        def where(inner: KeyPath, words: str) -> str:
            return self._source.problem((*path, "set", *inner), words) if inner[0] in own else self._where(inner, words)

        template = Template(merged(self._content, own), self._pools, where, self._settings)
        stream, count = self._stream(label), item["generate"]
        count = count if self._most is None else min(count, self._most)
        for start in range(0, count, _BATCH):
            numbers = range(start, min(start + _BATCH, count))
            drawings = [Drawing(number, b"%b\x1f%d" % (stream, number)) for number in numbers]
            yield Placed(template.rows(drawings), scope, path)

    def _stream(self, label: str) -> bytes:
        """What the choices of a block's rows hang on, each with its index behind it."""
        return Draw(self._seed, self._vendor.id, label).base

    def _literal(self, item: Mapping[str, Any], label: str, index: int) -> dict[str, Any]:
        row = {key: value for key, value in item.items() if key != "like"}
        (drawn,) = self._plain.rows([Drawing(index, b"%b\x1f0" % self._stream(label))])
        return merged(drawn, row) if "like" in item else dict(self._vendor.rows.fill(row, drawn))

    def _scope(self, name: str, path: KeyPath) -> str:
        if name in self._scopes:
            return name
        listed = ", ".join(self._scopes) or "none: this vendor's rows belong to no resource"
        words = f"found {name!r}{schemas.near(name, self._scopes)}, expected one of: {listed}"
        raise ConfigError(self._source.problem((*path, "in"), words))


def _template(
    source: Source, seed: int, vendor: str, part: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Sequence[Any]], Where]:
    """(template, pools, where its paths stand): the scenario's own, else the shipped one."""
    folder = fixtures_dir() / vendor
    shipped = yamlio.load(folder / "pools.yaml")
    if "template" not in part:
        name = f"fixtures/{vendor}/template.yaml"
        return (
            yamlio.load(folder / "template.yaml"),
            shipped,
            lambda path, words: f"{name}: {yamlio.key_path(path)}: {words}",
        )
    own, here = part["template"], ("vendors", vendor, "template")
    pools = pools_of(
        own.get("pools", {}), seed, vendor, lambda path, words: source.problem((*here, "pools", *path), words)
    )
    return own["row"], {**shipped, **pools}, lambda path, words: source.problem((*here, "row", *path), words)
