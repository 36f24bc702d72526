"""Recorded rows made fit for a scenario: held against the vendor's schema, as they will be when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from localruns import schemas
from localruns.engine.vendor import Vendor
from localruns.recordings.reading.leftovers import Leftovers

Row = Mapping[str, Any]


class Acceptor:
    """Takes the rows of one vendor or says why not; `lost` counts those left out or cut down.

    Shape: `drawn` is a row from which a scenario fills what a literal row lacks.
    """

    def __init__(self, vendor: Vendor, drawn: Row, left: Leftovers) -> None:
        self._vendor = vendor
        self._left = left
        self._valid = schemas.validator(vendor.rows.schema)
        self._drawn = drawn
        self._unknown: set[str] = set()
        self._keys: dict[str, str] = {}
        self.lost = 0

    def take(self, key: str, row: Row, scope: str) -> Row | None:
        """The row as a scenario can hold it, None when it cannot."""
        if self._keys.setdefault(key, scope) != scope:
            self._refuse(f"rows of {self._vendor.id} that stand in two resources, kept in the first")
            return None
        if self._unknown & row.keys():
            row = self._strip(row)
        completed = self._vendor.rows.fill(row, self._drawn)
        if not self._valid.is_valid(completed):
            row = self._strip(row)
            completed = self._vendor.rows.fill(row, self._drawn)
        reason = self._reason(completed)
        if reason:
            self._refuse(f"rows of {self._vendor.id} that break its schema, {reason}", key)
            return None
        added = [name for name in completed if name not in row or completed[name] != row[name]]
        if added:
            self._left.remark(f"{self._vendor.id}: rows came without what localruns adds to them: {', '.join(added)}")
        return row

    def _refuse(self, why: str, example: str = "") -> None:
        self.lost += 1
        self._left.add(why, example)

    def _reason(self, row: Row) -> str:
        """Why a row cannot be kept, "" when it can."""
        if not self._valid.is_valid(row):
            path, _ = next(schemas.explain(self._vendor.rows.schema, row))
            # The words may quote the value: what a field must be is in its schema.
            return f"at {'.'.join(str(step) for step in path if isinstance(step, str)) or 'the top'}"
        try:
            self._vendor.rows.values(row)
            list(self._vendor.rows.bags(row))
        except (ArithmeticError, ValueError):
            return "a time or number out of range"
        return ""

    def _strip(self, row: Row) -> Row:
        """The row without fields that the schema does not know, which are listed."""
        result = deepcopy(dict(row))
        stripped = []
        for error in schemas.explainer(self._vendor.rows.schema).iter_errors(row):
            if error.validator != "additionalProperties" or not isinstance(error.schema, Mapping):
                continue
            path, place = list(error.absolute_path), result
            for step in path:
                place = place[step]  # type: ignore[index]
            for name in [name for name in place if name not in error.schema.get("properties", {})]:
                del place[name]
                stripped.append(".".join([*(step for step in path if isinstance(step, str)), name]))
                if not path:
                    self._unknown.add(name)
        for name in dict.fromkeys(stripped):
            self._left.add(f"fields of rows of {self._vendor.id} that its schema does not know", name)
            self.lost += 1
        return result
