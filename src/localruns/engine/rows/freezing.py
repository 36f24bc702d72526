"""Writes a scenario with all that is generated written out, so that no template and no chaos profile can change it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

from localruns import yamlio
from localruns.engine.rows.compiler import Blocks
from localruns.engine.rows.writer import KeyPath, Placed
from localruns.engine.scenario import Scenario
from localruns.engine.source import Source, count_items
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError

Piece = tuple[str, int]
Row = tuple[dict[str, Any], str, KeyPath]
_BATCH = 100
_DEPTH = 3  # vendors, VENDOR, runs, [index]; timeline, [index], insert, [index]
_LINE = re.compile(r"(?m)^(?=[^\n])")


def frozen(source: Source, scenario: Scenario, vendors: Mapping[str, Vendor]) -> Iterator[Piece]:
    """The text of the frozen scenario in pieces, each with the number of rows in it.

    It serves the same rows in the same order. Raises ConfigError for a generated row that no literal row can equal.
    """
    blocks = {name: Blocks(source, scenario, vendors[name]) for name in source.content["vendors"]}
    writer = _Frozen(source, scenario, vendors, blocks)
    for key, value in source.content.items():
        if key == "vendors":
            yield "vendors:\n", 0
            for name, part in value.items():
                yield from writer.part(name, part)
        elif key == "timeline":
            events = [writer.event(index, event) for index, event in enumerate(value)]
            yield yamlio.dump({key: events}), sum(count_items(event.get("insert", ())) for event in value)
        elif key == "faults":  # those of a chaos profile are written out too
            yield yamlio.dump({key: list(scenario.faults)}), 0
        elif key != "fingerprint":  # it pinned what a template drew
            yield yamlio.dump({key: value}), 0


class _Frozen:
    """Writes the parts of one scenario that hold rows."""

    def __init__(
        self, source: Source, scenario: Scenario, vendors: Mapping[str, Vendor], blocks: Mapping[str, Blocks]
    ) -> None:
        self._source = source
        self._scenario = scenario
        self._vendors = vendors
        self._blocks = blocks

    def part(self, name: str, part: Mapping[str, Any] | None) -> Iterator[Piece]:
        """One vendor's part, rows in batches."""
        if not part:
            yield _indented({name: part}, 2), 0
            return
        yield f"  {name}:\n", 0
        for key, value in part.items():
            if key == "runs":
                yield "    runs:\n" if count_items(value) else "    runs: []\n", 0
                yield from self._runs(value, self._literal(name, self._blocks[name].rows(part)))
            elif key != "template":
                yield _indented({key: value}, 4), 0

    def event(self, index: int, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """One event of the timeline, the rows that it inserts written out."""
        if "insert" not in event:
            return event
        name, items = event["vendor"], event["insert"]
        scopes = self._vendors[name].scopes(self._scenario.sites[name].resources)
        path, label = ("timeline", index, "insert"), f"timeline{index}."
        placed = self._blocks[name].block(items, path, label, scopes[0] if scopes else "")
        written: list[Any] = []
        for scope, rows in _grouped(items, self._literal(name, placed)):
            written += [{"in": scope, "rows": list(rows)}] if scope else rows
        return {**event, "insert": written}

    def _runs(self, items: Sequence[Any], placed: Iterable[Row]) -> Iterator[Piece]:
        for scope, rows in _grouped(items, placed):
            if scope:
                yield _indented([{"in": scope}], 4) + "      rows:\n", 0
            while batch := list(islice(rows, _BATCH)):
                yield _indented(batch, 6 if scope else 4), len(batch)

    def _literal(self, name: str, placed: Iterable[Placed]) -> Iterator[Row]:
        """The same rows, each known to stay as it is when it is read as a literal one."""
        fill = self._vendors[name].rows.fill
        for row, scope, path in ((row, each.scope, each.path) for each in placed for row in each.rows):
            added = [key for key, value in fill(row, row).items() if row.get(key) != value]
            if added:
                words = f"found a generated row whose {added[0]!r} a literal row would complete, expected it complete"
                raise ConfigError(self._source.problem(path, words))
            yield row, scope, path


def _grouped(items: Sequence[Any], placed: Iterable[Row]) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """(resource, rows) for the rows of each item; the resource is "" where the item names none."""
    for (index, scope), some in groupby(placed, key=lambda each: (int(each[2][_DEPTH]), each[1])):
        item = items[index]
        yield scope if "in" in item and "rows" in item else "", (row for row, _, _ in some)


def _indented(value: Any, spaces: int) -> str:
    return _LINE.sub(" " * spaces, yamlio.dump(value))
