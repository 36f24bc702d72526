"""Named values, however many stand under one name, and rows wherever a statement ends."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localruns import yamlio
from localruns.engine.query import Condition, Cut, Field, Query
from localruns.engine.rows import writer
from localruns.engine.snapshot import load_snapshot
from localruns.engine.store import Store
from localruns.errors import ConfigError
from localruns.vendors import all_vendors

Load = Callable[..., Store]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def build(*runs: Any, vendor: str = "alibaba-pai") -> Store:
        path = tmp_path / "s.yaml"
        path.write_text(yamlio.dump({"scenario": "x", "vendors": {vendor: {"runs": runs}}}), "utf-8")
        return Store(load_snapshot(path, all_vendors(), tmp_path / "cache"))

    return build


def labelled(index: int, *values: str) -> dict[str, Any]:
    labels = [{"Key": "team", "Value": value} for value in values]
    return {"RunId": f"run-{index:04}", "Labels": labels}


def found(store: Store, *values: str) -> list[str]:
    conditions = tuple(Condition(Field("team", "labels"), "=", value) for value in values)
    return list(store.page(Query("alibaba-pai", "", conditions, ()), 0, Cut(0, 10_000), "brief").keys)


def test_a_name_may_stand_more_than_once_in_a_row(load: Load) -> None:
    store = load(labelled(1, "a", "b", "a", "c"), labelled(2, "b"), labelled(3), labelled(4, "c", "b"))
    assert found(store, "b") == ["run-0001", "run-0002", "run-0004"]
    assert found(store, "c", "b") == ["run-0001", "run-0004"]
    assert found(store, "a") == ["run-0001"]


def test_more_values_under_one_name_than_have_room_are_refused(load: Load) -> None:
    store = load(labelled(1, *map(str, range(4096))), labelled(2, "0"))
    assert found(store, "0") == ["run-0001", "run-0002"]
    assert found(store, "4095") == ["run-0001"]
    with pytest.raises(ConfigError, match="found a row that cannot be kept: more than 4,096 values under the name 'te"):
        load(labelled(1, *map(str, range(4097))))


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 101, 500, 501, 1201])
def test_each_row_is_there_wherever_a_statement_ends(load: Load, count: int) -> None:
    store = load({"generate": count}, labelled(1, "mine"))
    page = store.page(Query("alibaba-pai", "", (), ()), 0, Cut(0, 10_000), "verbose")
    assert page.total == len(set(page.keys)) == count + 1
    assert page.keys[-1] == "run-0001"
    assert found(store, "mine") == ["run-0001"]
    teams = sum(b'"Key":"team"' in row for row in page.rows)
    assert len(found(store, "vision")) + len(found(store, "speech")) + len(found(store, "search")) + 1 == teams


def test_names_that_are_forgotten_are_found_again(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_MAX_NAMES", 3)
    monkeypatch.setattr(writer, "_PENDING", 2)
    rows = [
        {"RunId": f"run-{index}", "Labels": [{"Key": f"k{(index + add) % 7}", "Value": "v"} for add in range(5)]}
        for index in range(40)
    ]
    store = load(*rows)
    for name in range(7):
        condition = Condition(Field(f"k{name}", "labels"), "=", "v")
        keys = store.page(Query("alibaba-pai", "", (condition,), ()), 0, Cut(0, 99), "brief").keys
        assert list(keys) == [f"run-{index}" for index in range(40) if (name - index) % 7 < 5]


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_afterwards_as_it_was(load: Load, was_on: bool) -> None:
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        load({"generate": 3})
        assert gc.isenabled() is was_on
        with pytest.raises(ConfigError):
            load({"RunId": "no run"})
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()
