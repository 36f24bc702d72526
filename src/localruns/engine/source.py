"""A scenario's text, held against its schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from localruns import schemas, yamlio
from localruns.errors import ConfigError

SCHEMA = "scenario.schema.json"


class Source:
    """A scenario's text as a checked document: `content` as written, `where(path)` as `file:line: key path`."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self._document = yamlio.Document(text, name)
        self.content: dict[str, Any] = self._document.value(_guide())
        self.check(SCHEMA, self.content, ())
        for index, event in enumerate(self.content.get("timeline", ())):
            # Only here is it known whose rows an event inserts.
            rows = f"{event['vendor']}/scenario.json#/properties/runs"
            self.check(rows, event.get("insert", []), ("timeline", index, "insert"))

    def check(self, schema: str, value: Any, path: tuple[str | int, ...]) -> None:
        """Hold a part of the document against a schema. Raises ConfigError, a line per problem, in the file's order."""
        if not schemas.validator(schema).is_valid(value):
            found = [((*path, *inner), words) for inner, words in schemas.explain(schema, value)]
            found.sort(key=lambda problem: self._document.line(problem[0]))
            raise ConfigError(*(self.problem(where, words) for where, words in found))

    def count_rows(self, most: int | None = None) -> int:
        """How many rows the scenario comes to, with `most` of each generated block, if given."""
        parts = [part.get("runs", ()) for part in self.content["vendors"].values() if part]
        events = [event.get("insert", ()) for event in self.content.get("timeline", ())]
        return sum(count_items(items, most) for items in [*parts, *events])

    def at(self, path: Sequence[str | int]) -> Any:
        """What the document holds at a path."""
        found: Any = self.content
        for step in path:
            found = found[step]
        return found

    def where(self, path: Sequence[str | int]) -> str:
        """`file:line: key path`."""
        return f"{self.name}:{self._document.line(path)}: {yamlio.key_path(path)}"

    def problem(self, path: Sequence[str | int], words: str) -> str:
        """One line of an error message."""
        return f"{self.where(path)}: {words}"


def count_items(items: Iterable[Any], most: int | None = None) -> int:
    """How many rows a list of rows, blocks and groups comes to, with `most` of each generated block, if given."""
    count = 0
    for item in items:
        if "generate" in item:
            count += item["generate"] if most is None else min(item["generate"], most)
        else:
            count += count_items(item["rows"], most) if "in" in item and "rows" in item else 1
    return count


@cache
def _guide() -> yamlio.Schema:
    """The schema of a scenario, and beside it what the rows of a timeline event may be: any vendor's."""
    whole = schemas.bundled(SCHEMA)
    runs = [{"$ref": f"#/$defs/{name}~1scenario.json/properties/runs"} for name in _vendors(whole)]
    fields = [{"$ref": f"{ref['$ref']}/items"} for ref in runs]
    event = {"insert": {"anyOf": runs}, "change": {"additionalProperties": {"anyOf": fields}}}
    rows = {"properties": {"timeline": {"items": {"properties": event}}}}
    return {"allOf": [{"$ref": f"#/$defs/{SCHEMA}"}, rows], "$defs": whole["$defs"]}


def _vendors(whole: yamlio.Schema) -> list[str]:
    return list(whole["properties"]["vendors"]["properties"])
