"""Optional fields that none of many rows has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localruns import schemas
from localruns.engine.vendor import Vendor
from localruns.recordings.drift.kinds import ENOUGH_ROWS, Deviation
from localruns.recordings.drift.shape import resolved


class Unseen:
    """Optional fields of rows that no row has had so far."""

    def __init__(self, vendor: Vendor, first: str) -> None:
        self.first = first
        self._rows = 0
        self._brief = next(iter(vendor.rows.shapes.values()))
        self._paths = {path: False for path in _optional(vendor.rows.schema) if self._sent(path)}

    def _sent(self, path: tuple[str, ...]) -> bool:
        """Whether every rendering of a row has the field, or only those that must be asked for."""
        row: dict[str, Any] = {}
        inner = row
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
        inner[path[-1]] = {}
        return path[0] in self._brief(row)

    def see(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """More rows."""
        self._rows += len(rows)
        for path, seen in self._paths.items():
            if not seen:
                self._paths[path] = any(_has(row, path) for row in rows)

    def deviations(self, name: str) -> Iterator[Deviation]:
        """The fields that enough rows did not have."""
        if self._rows >= ENOUGH_ROWS:
            for path, seen in self._paths.items():
                if not seen:
                    place = f"{name} rows /{'/'.join(path)}"
                    yield Deviation("field-unseen", place, f"in none of {self._rows} rows", "optional")


def _optional(reference: str) -> Iterator[tuple[str, ...]]:
    """The optional fields of a row, and those of mappings that each row must have."""
    root = schemas.bundled(reference)
    yield from _optional_in(root, root, ())


def _optional_in(root: Mapping[str, Any], node: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    node = resolved(root, node)
    for name, inner in node.get("properties", {}).items():
        if name not in node.get("required", ()):
            yield (*path, name)
        elif resolved(root, inner).get("properties"):
            yield from _optional_in(root, inner, (*path, name))


def _has(row: Any, path: tuple[str, ...]) -> bool:
    for step in path:
        if not isinstance(row, Mapping) or step not in row:
            return False
        row = row[step]
    return True
