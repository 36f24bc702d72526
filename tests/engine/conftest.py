"""Shared by the engine's tests: scenarios compiled in memory, and the rows that came of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localruns import yamlio
from localruns.engine.rows.building import build
from localruns.engine.snapshot import Snapshot, load_snapshot
from localruns.engine.tables import table_name
from localruns.errors import ConfigError
from localruns.vendors import all_vendors


def compiled(text: str, seed: int | None = None) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    build(text, "s.yaml", all_vendors(), seed, connection)
    return connection


def stored(connection: sqlite3.Connection, vendor: str) -> list[dict[str, Any]]:
    """The rows of a vendor in the order of the file, in their first (or fullest) shape."""
    shape = list(all_vendors()[vendor].rows.shapes)[-1]
    rows = connection.execute(f"SELECT s_{shape} FROM {table_name(vendor)}_body ORDER BY n").fetchall()
    return [json.loads(row) for (row,) in rows]


@pytest.fixture
def rows() -> Callable[..., list[dict[str, Any]]]:
    """`rows(runs=[...])`, `rows(vendor="oracle-aidp", seed=3, runs=[...])`: the rows as they would be sent."""

    def make(vendor: str = "alibaba-pai", seed: int = 1, **part: Any) -> list[dict[str, Any]]:
        text = yamlio.dump({"scenario": "x", "seed": seed, "vendors": {vendor: part}})
        connection = compiled(text)
        try:
            return stored(connection, vendor)
        finally:
            connection.close()

    return make


@pytest.fixture
def refused() -> Callable[..., list[str]]:
    """`refused(text)`: the problems of a scenario text that must not compile."""

    def make(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            compiled(text).close()
        return list(caught.value.problems)

    return make


@pytest.fixture
def snapshot(tmp_path: Path) -> Callable[..., Snapshot]:
    """`snapshot(vendor, runs)` or `snapshot(scenario)`: a compiled snapshot in a cache of its own."""

    def make(vendor: str | dict[str, Any], runs: list[Any] | None = None, **more: Any) -> Snapshot:
        content = vendor
        if isinstance(vendor, str):
            content = {"scenario": "x", "seed": 1, "vendors": {vendor: {"runs": runs}}, **more}
        path = tmp_path / "s.yaml"
        path.write_text(yamlio.dump(content), "utf-8")
        return load_snapshot(path, all_vendors(), tmp_path / "cache")

    return make
