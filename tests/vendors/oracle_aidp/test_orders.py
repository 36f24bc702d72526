"""The order language, and both languages together against the run ids that the MLflow server answered."""

from __future__ import annotations

import json
import math
import operator
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localruns.engine.query import Condition, Field, Order
from localruns.errors import BadRequest
from localruns.vendors.oracle_aidp.filters import parse_filter
from localruns.vendors.oracle_aidp.orders import parse_order

GOLDEN = Path(__file__).parents[2] / "golden" / "mlflow"
SINGLES = [
    case
    for case in json.loads((GOLDEN / "cases.json").read_text(encoding="utf-8"))["cases"]
    if case["kind"] == "single"
]
ORDERED = [
    case
    for case in SINGLES
    if case["request"].get("order_by") and all(isinstance(item, str) for item in case["request"]["order_by"])
]
ANSWERED = [
    case
    for case in SINGLES
    if case["expect"]["status"] == 200 and case["level"] != "quirk" and case["group"] != "page_token"
]
RUNS = json.loads((GOLDEN / "dataset.json").read_text(encoding="utf-8"))["runs"]
START, RUN_ID = Order(Field("start_time"), descending=True), Order(Field("run_id"))


def by_id(case: dict[str, Any]) -> str:
    return str(case["id"])


def accepted(items: list[str], dialect: str = "mlflow") -> bool:
    try:
        parse_order(items, dialect)
    except BadRequest:
        return False
    return True


@pytest.mark.parametrize("case", ORDERED, ids=by_id)
def test_a_recorded_order_is_taken_or_refused_as_mlflow_does(case: dict[str, Any]) -> None:
    assert accepted(case["request"]["order_by"]) == (case["expect"]["status"] == 200)


@pytest.mark.parametrize("case", [case for case in ORDERED if case["level"] == "core"], ids=by_id)
def test_dialect_oracle_takes_the_documented_orders(case: dict[str, Any]) -> None:
    assert accepted(case["request"]["order_by"], "oracle") == (case["expect"]["status"] == 200)


@pytest.mark.parametrize(
    ("items", "orders"),
    [
        ([], (START, RUN_ID)),
        (["metrics.rmse"], (Order(Field("rmse", "metrics")), START, RUN_ID)),
        (["metrics.desc  dEsC"], (Order(Field("desc", "metrics"), descending=True), START, RUN_ID)),
        (
            ['params."a b" DESC', "tag.`c`\tASC", "metrics.'d'"],
            (
                Order(Field("a b", "params"), descending=True),
                Order(Field("c", "tags")),
                Order(Field("d", "metrics")),
                START,
                RUN_ID,
            ),
        ),
        (["start_time"], (Order(Field("start_time")), RUN_ID)),
        (["Created DESC", "status"], (START, Order(Field("status")), RUN_ID)),
        (["attributes.run_id DESC"], (Order(Field("run_id"), descending=True), START)),
        (["run_id", "start_time DESC"], (RUN_ID, START)),
        (
            ["`artifact_uri`", '"user_id"'],
            (Order(Field("artifact_uri")), Order(Field("user_id")), START, RUN_ID),
        ),
        (["params.opt.name"], (Order(Field("opt.name", "params")), START, RUN_ID)),
    ],
)
def test_the_order_is_total(items: list[str], orders: tuple[Order, ...]) -> None:
    assert parse_order(items) == orders


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([""], "expected a field such as metrics.name at character 1, found the end"),
        (["  "], "expected no space around the item at character 1, found ' '"),
        ([" metrics.a"], "expected no space around the item at character 1, found ' '"),
        (["metrics.a "], "expected no space around the item after 'metrics.a' at character 10, found ' '"),
        (["metrics.a BOGUS"], "expected ASC or DESC after 'metrics.a' at character 11, found 'BOGUS'"),
        (["metrics.a DESC ASC"], "expected the end after 'metrics.a DESC' at character 16, found 'ASC'"),
        (["metrics.a,b"], "expected a space and ASC or DESC after 'metrics.a' at character 10, found ','"),
        (
            ['tags."a"DESC'],
            "expected a space and ASC or DESC after 'tags.\"a\"' at character 9, found 'DESC'",
        ),
        (["dataset.name"], "expected one of the prefixes metrics, params, tags, attributes, "),
        (["lifecycle_stage"], "expected one of the names run_id, run_name, "),
        (
            ["start_time", "created"],
            "expected a field that no earlier item has at character 1, found 'created'",
        ),
        (["metrics.a", "metric.`a` DESC"], "expected a field that no earlier item has at character 1, "),
        (
            ["metrics.\ud800"],
            "expected whole Unicode characters after 'metrics.' at character 9, found '\\ud800'",
        ),
    ],
)
def test_a_refusal_says_what_was_expected_where_and_what_was_found(items: list[str], message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_order(items)
    assert caught.value.message.startswith(f"order_by: {message}")
    assert (caught.value.parameter, caught.value.code) == ("order_by", "InvalidParameter")
    assert caught.value.value == items[-1]


@pytest.mark.parametrize(
    "item",
    [
        "metric.a",
        "param.a",
        "tag.a",
        "attr.status",
        "run.status",
        "created",
        "metrics.`a`",
        "metrics.'a'",
        "params.a.b",
    ],
)
def test_dialect_oracle_refuses_what_only_mlflow_has(item: str) -> None:
    assert accepted([item])
    assert not accepted([item], "oracle")


@pytest.mark.parametrize("item", ["attributes.status DESC", "start_time", 'params."a.b" ASC', "metrics.a", "tags.a"])
def test_dialect_oracle_orders_by_attributes_params_metrics_and_tags(item: str) -> None:
    assert parse_order([item], "oracle") == parse_order([item])


FRAGMENTS = ["metrics.a", "start_time", "run_id", "status", " DESC", " asc"]


@given(st.lists(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=2).map("".join), max_size=4))
@settings(max_examples=300, deadline=None, database=None)
def test_each_field_is_in_the_order_once_and_both_ties_are(items: list[str]) -> None:
    if accepted(items):
        fields = [order.field for order in parse_order(items)]
        assert len(fields) == len(set(fields))
        assert {Field("start_time"), Field("run_id")} <= set(fields)


# A small evaluator over the dataset: what the conditions and orders mean, in the plainest terms.


def values(run: dict[str, Any], field: Field) -> list[Any]:
    """Return the values a run has for a field."""
    if field.bag == "metrics":
        return [float(point["value"]) for point in run["metrics"] if point["key"] == field.name]
    if field.bag == "datasets" and field.name == "context":
        tags = [tag for each in run.get("dataset_inputs", []) for tag in each["tags"]]
        return [tag["value"] for tag in tags if tag["key"] == "mlflow.data.context"]
    if field.bag == "datasets":
        return [each["dataset"][field.name] for each in run.get("dataset_inputs", [])]
    holder = run.get(field.bag, {}) if field.bag else run
    return [] if holder.get(field.name) is None else [holder[field.name]]


def like(value: str, pattern: str, flags: int = 0) -> bool:
    parts = {"%": ".*", "_": "."}
    regex = "".join(parts.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(regex, value, flags | re.DOTALL) is not None


TESTS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "like": like,
    "ilike": partial(like, flags=re.IGNORECASE),
    "in": lambda value, texts: value in texts,
    "not in": lambda value, texts: value not in texts,
}


def holds(condition: Condition, run: dict[str, Any]) -> bool:
    found = values(run, condition.field)
    if condition.operator in ("present", "absent"):
        return bool(found) == (condition.operator == "present")
    return any(TESTS[condition.operator](value, condition.value) for value in found)


def rank(value: Any) -> int:
    return 1 if isinstance(value, float) and math.isnan(value) else 0


def sort(runs: list[dict[str, Any]], orders: tuple[Order, ...]) -> list[dict[str, Any]]:
    """Return the runs in order: values, then NaN, then what is missing, whichever the direction."""
    for order in reversed(orders):
        groups: list[list[dict[str, Any]]] = [[], [], []]
        for run in runs:
            found = values(run, order.field)
            groups[rank(found[0]) if found else 2].append(run)
        groups[0].sort(key=lambda run: values(run, order.field)[0], reverse=order.descending)
        runs = [run for group in groups for run in group]
    return runs


def search(request: dict[str, Any]) -> list[str]:
    """Return the run ids of the first page."""
    stages = {"DELETED_ONLY": ["deleted"], "ALL": ["active", "deleted"]}.get(
        request.get("run_view_type") or "", ["active"]
    )
    conditions = parse_filter(request.get("filter") or "")
    runs = [
        run
        for run in RUNS
        if run["experiment_id"] in (request.get("experiment_ids") or [])
        and run["lifecycle_stage"] in stages
        and all(holds(condition, run) for condition in conditions)
    ]
    ordered = sort(runs, parse_order(request.get("order_by") or []))
    return [run["run_id"] for run in ordered][: int(request.get("max_results") or 1000)]


@pytest.mark.parametrize("case", ANSWERED, ids=by_id)
def test_filter_and_order_find_the_runs_that_mlflow_found(case: dict[str, Any]) -> None:
    assert search(case["request"]) == case["expect"]["run_ids"]
