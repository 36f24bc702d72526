"""The scripted changes of a scenario, compiled into data versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from localruns.engine.rows.template import merged
from localruns.engine.rows.writer import KeyPath, Placed, Writer
from localruns.engine.scenario import Scenario
from localruns.engine.source import Source
from localruns.errors import ConfigError

MakeBlock = Callable[[Sequence[Any], KeyPath, str, str], Iterator[Placed]]


class Timeline:
    """The scripted changes of one vendor, each compiled into a version of its own."""

    def __init__(self, source: Source, scenario: Scenario, writer: Writer, block: MakeBlock) -> None:
        self._source = source
        self._scenario = scenario
        self._writer = writer
        self._block = block

    def run(self) -> None:
        """Compile every event of the vendor. Raises ConfigError."""
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
                changed = merged(row, changes)
                self._writer.add(Placed([changed], scope, (*path, "change", key)), version)
                if self._writer.model.key(changed) != key:
                    words = f"found a change of the row key to {self._writer.model.key(changed)!r}, expected it kept"
                    raise ConfigError(self._source.problem((*path, "change", key), words))
            inserted = self._block(
                event.get("insert", ()), (*path, "insert"), f"timeline{index}.", scopes[0] if scopes else ""
            )
            for placed in inserted:
                self._writer.add(placed, version)
            self._writer.distinct()

    def _alive(self, key: str, path: KeyPath) -> tuple[int, str, dict[str, Any]]:
        found = self._writer.alive(key)
        if found is None:
            words = f"found the row key {key!r}, expected a row that is alive at that point"
            raise ConfigError(self._source.problem(path, words))
        return found
