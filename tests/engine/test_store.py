"""The store: filters, orders and pages, held against a plain model in Python."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fnmatch import translate
from re import compile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localruns.engine import store as stores
from localruns.engine.query import Condition, Cut, Field, Order, Query
from localruns.engine.snapshot import Snapshot
from localruns.engine.store import Store
from localruns.errors import BadRequest

NAMES = ["a", "A", "a_b", "a%b", "a*b?", "[x]", "x]y", "\\", "", "ß", "éa", "long " * 40, None]
NUMBERS = [0.0, -1.5, 2.0, 2.0, 1e308, "NaN", "Infinity", "-Infinity", None]
COLUMN, TIME = Field("run_name"), Field("start_time")
METRIC, PARAM = Field("m", "metrics"), Field("p", "params")


def run(index: int) -> dict[str, Any]:
    info: dict[str, Any] = {"run_id": f"r{index:03}", "start_time": index % 5}
    data: dict[str, Any] = {}
    if (name := NAMES[index % len(NAMES)]) is not None:
        info["run_name"] = name
        data["params"] = [{"key": "p", "value": name}]
    if (number := NUMBERS[index % len(NUMBERS)]) is not None:
        data["metrics"] = [{"key": "m", "value": number}]
    return {"info": info, "data": data}


RUNS = [run(index) for index in range(117)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    from localruns import yamlio
    from localruns.engine.snapshot import load_snapshot
    from localruns.vendors import all_vendors

    folder = tmp_path_factory.mktemp("store")
    (folder / "s.yaml").write_text(yamlio.dump({"scenario": "x", "vendors": {"oracle-aidp": {"runs": RUNS}}}), "utf-8")
    return Store(load_snapshot(folder / "s.yaml", all_vendors(), folder / "cache"))


def query(*conditions: Condition, order: tuple[Order, ...] = ()) -> Query:
    return Query("oracle-aidp", "", conditions, order)


def found(store: Store, *conditions: Condition, order: tuple[Order, ...] = ()) -> list[str]:
    return list(store.page(query(*conditions, order=order), 0, Cut(0, 10_000), "whole").keys)


def held(row: dict[str, Any], field: Field) -> Any:
    if not field.bag:
        return row["info"].get(field.name)
    items = row["data"].get(field.bag, [])
    value = next((item["value"] for item in items if item["key"] == field.name), None)
    return float(value) if value is not None and field.bag == "metrics" else value


def like(pattern: str) -> Any:
    escaped = "".join(f"[{char}]" if char in "*?[" else char for char in pattern)
    return compile(translate(escaped.replace("%", "*").replace("_", "?")))


def holds(value: Any, condition: Condition) -> bool:
    operator, wanted = condition.operator, condition.value
    if operator in ("present", "absent") or value is None:
        return (value is not None) == (operator == "present") and operator in ("present", "absent")
    if isinstance(value, str) != isinstance(wanted, (str, tuple)):
        return False
    tests: dict[str, Callable[[], bool]] = {
        "=": lambda: value == wanted,
        "!=": lambda: value != wanted,
        "<": lambda: value < wanted,
        "<=": lambda: value <= wanted,
        ">": lambda: value > wanted,
        ">=": lambda: value >= wanted,
        "like": lambda: bool(like(wanted).match(value)),
        "in": lambda: value in wanted,
        "not in": lambda: value not in wanted,
        "contains": lambda: wanted in value,
    }
    return tests[operator]()


TEXTS = st.sampled_from(
    [name for name in NAMES if name is not None] + ["%", "_", "a%", "%b%", "a_b", "*", "?", "[x", "z", "%]%"]
)
FLOATS = st.sampled_from([0, 2, -1.5, 2.0, 1e308, 10**30, -(10**400), 2**63, math.inf, -math.inf])
COMPARE = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
CONDITIONS = st.one_of(
    st.builds(Condition, st.sampled_from([COLUMN, PARAM]), COMPARE, TEXTS),
    st.builds(Condition, st.sampled_from([COLUMN, PARAM]), st.sampled_from(["like", "contains"]), TEXTS),
    st.builds(
        Condition, st.sampled_from([COLUMN, PARAM]), st.sampled_from(["in", "not in"]), st.lists(TEXTS).map(tuple)
    ),
    st.builds(Condition, st.sampled_from([METRIC, TIME]), COMPARE, FLOATS),
    st.builds(
        Condition,
        st.sampled_from([COLUMN, TIME, METRIC, PARAM, Field("gone", "tags")]),
        st.sampled_from(["present", "absent"]),
    ),
)


@given(st.lists(CONDITIONS, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_conditions_hold_as_a_plain_reading_says(store: Store, conditions: list[Condition]) -> None:
    expected = [row["info"]["run_id"] for row in RUNS if all(holds(held(row, item.field), item) for item in conditions)]
    assert found(store, *conditions) == expected


@pytest.mark.parametrize("pattern", ["A%", "%B", "_", "É_", "é_", "LONG%", "[X]", "A*B?", "A\\_B", "SS", "%]Y", "\\"])
def test_ilike_folds_ascii_letters_only(store: Store, pattern: str) -> None:
    fold = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
    folded = like(pattern.translate(fold))
    expected = [
        row["info"]["run_id"]
        for row in RUNS
        if (name := row["info"].get("run_name")) is not None and folded.match(name.translate(fold))
    ]
    assert found(store, Condition(COLUMN, "ilike", pattern)) == expected


def test_nan_matches_unequal_only_and_missing_matches_nothing(store: Store) -> None:
    nan = {row["info"]["run_id"] for row in RUNS if row["data"].get("metrics", [{}])[0].get("value") == "NaN"}
    for operator in ("=", "<", "<=", ">", ">="):
        assert not nan & set(found(store, Condition(METRIC, operator, 0.0)))
    unequal = set(found(store, Condition(METRIC, "!=", 0.0)))
    assert nan <= unequal
    assert not unequal & set(found(store, Condition(METRIC, "absent")))


def test_empty_lists_hold_for_no_missing_value(store: Store) -> None:
    assert found(store, Condition(COLUMN, "in", ())) == []
    assert found(store, Condition(COLUMN, "not in", ())) == found(store, Condition(COLUMN, "present"))
    assert found(store, Condition(PARAM, "not in", ())) == found(store, Condition(PARAM, "present"))


@pytest.mark.parametrize("field", [COLUMN, TIME, METRIC, PARAM])
@pytest.mark.parametrize("descending", [False, True])
def test_missing_comes_last_and_nan_before_it_in_both_directions(store: Store, field: Field, descending: bool) -> None:
    def rank(row: dict[str, Any]) -> int:
        value = held(row, field)
        return 2 if value is None else int(isinstance(value, float) and math.isnan(value))

    by_key = {row["info"]["run_id"]: row for row in RUNS}
    listed = [by_key[key] for key in found(store, order=(Order(field, descending),))]
    assert [rank(row) for row in listed] == sorted(rank(row) for row in RUNS)
    values = [held(row, field) for row in listed if rank(row) == 0]
    coded = [value.encode() if isinstance(value, str) else value for value in values]
    assert coded == sorted(coded, reverse=descending)


def test_ties_keep_the_order_of_the_file(store: Store) -> None:
    expected = sorted(RUNS, key=lambda row: -row["info"]["start_time"])
    assert found(store, order=(Order(TIME, True),)) == [row["info"]["run_id"] for row in expected]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 39, 116, 117, 118, 2**63])
def test_pages_are_slices_of_the_whole(store: Store, size: int) -> None:
    asked = query(Condition(METRIC, "present"), order=(Order(METRIC), Order(TIME, True)))
    whole = store.page(asked, 0, Cut(0, 10_000), "whole")
    keys: list[str] = []
    offset: int = 0
    while True:
        page = store.page(asked, 0, Cut(offset, size), "whole")
        keys += page.keys
        assert page.total == len(whole.keys)
        offset = page.next_offset
        if not offset:
            break
    assert keys == list(whole.keys)


@pytest.mark.parametrize("cut", [Cut(2**63, 10), Cut(2**64, 2**64), Cut(117, 10), Cut(0, 0)])
def test_a_page_beyond_all_rows_is_empty(store: Store, cut: Cut) -> None:
    page = store.page(query(), 0, cut, "whole")
    assert (page.rows, page.keys, page.total, page.next_offset) == ((), (), 117, 0)


def test_three_thousand_conditions_hold(store: Store) -> None:
    many = [Condition(Field("p", "params"), "!=", f"x{index}") for index in range(3000)]
    assert found(store, *many) == found(store, Condition(PARAM, "present"))


@pytest.mark.parametrize("operator", ["like", "ilike"])
def test_a_pattern_that_sqlite_refuses_is_a_bad_request(store: Store, operator: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        found(store, Condition(COLUMN, operator, "%" + "x" * 60_000))
    assert "too complex" in caught.value.detail


def test_more_sort_items_than_sqlite_joins_is_a_bad_request(store: Store) -> None:
    with pytest.raises(BadRequest):
        found(store, order=tuple(Order(Field(f"k{index}", "tags")) for index in range(70)))


def test_a_pattern_of_many_wildcards_ends_soon(store: Store) -> None:
    assert found(store, Condition(COLUMN, "like", "%l%o%n%g%" * 20 + "never")) == []


def test_a_snapshot_that_is_gone_is_no_bad_request(store: Store) -> None:
    gone = Store(Snapshot(store.snapshot.scenario, "file:/nowhere/x.sqlite?mode=ro", "x"))
    with pytest.raises(sqlite3.OperationalError):
        gone.page(query(), 0, Cut(0, 1), "whole")


def test_the_order_cache_stays_within_its_bytes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MAX_ORDERS_BYTES", 20_000)
    fresh = Store(store.snapshot)
    for index in range(200):
        fresh.order(query(Condition(COLUMN, "=", f"no such row {index}")), 0)
        assert fresh._orders_bytes <= 20_000
    assert 5 < len(fresh._orders) < 20
    fresh.order(query(*[Condition(COLUMN, "!=", "x" * 1000)] * 30), 0)
    assert len(fresh._orders) == 1
    assert fresh._orders_bytes == sum(stores._weight(asked, order) for (asked, _), order in fresh._orders.items())


def test_the_order_cache_drops_the_least_recently_used(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MAX_ORDERS_BYTES", 5_000)
    fresh = Store(store.snapshot)
    first = query(Condition(COLUMN, "=", "a"))
    kept = fresh.order(first, 0)
    for index in range(50):
        fresh.order(query(Condition(COLUMN, "=", f"x{index}")), 0)
        assert fresh.order(first, 0) is kept


def test_orders_are_kept_per_version(snapshot: Callable[..., Snapshot]) -> None:
    timeline = [{"vendor": "oracle-aidp", "after": {"page": 1}, "delete": ["r000"]}]
    changing = Store(snapshot("oracle-aidp", RUNS[:5], timeline=timeline))
    assert [len(changing.order(query(), version)) for version in (0, 1, 0, 1)] == [5, 4, 5, 4]


def test_the_bodies_cache_stays_within_its_bytes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MAX_BODIES_BYTES", 5_000)
    fresh = Store(store.snapshot)
    whole = store.page(query(), 0, Cut(0, 117), "whole")
    for offset in range(0, 117, 3):
        page = fresh.page(query(), 0, Cut(offset, 3), "whole")
        assert list(page.rows) == list(whole.rows[offset : offset + 3])
        assert fresh._bodies_bytes <= 5_000
    assert fresh.page(query(), 0, Cut(0, 117), "whole") == whole


def test_several_threads_read_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MAX_BODIES_BYTES", 3_000)
    monkeypatch.setattr(stores, "MAX_ORDERS_BYTES", 3_000)
    fresh = Store(store.snapshot)
    asked = [query(order=(Order(field, way),)) for field in (TIME, COLUMN, METRIC) for way in (False, True)]
    wanted = [store.page(item, 0, Cut(10, 30), "whole") for item in asked]
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda index: fresh.page(asked[index % 6], 0, Cut(10, 30), "whole"), range(600)))
    assert all(page == wanted[index % 6] for index, page in enumerate(pages))
