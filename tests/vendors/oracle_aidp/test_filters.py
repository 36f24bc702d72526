"""The filter language against the recorded MLflow server, and by hand where the record is silent."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from localruns.engine.query import Condition, Field
from localruns.errors import BadRequest
from localruns.vendors.oracle_aidp.filters import parse_filter

GOLDEN = Path(__file__).parents[2] / "golden" / "mlflow"
CASES = [
    case
    for case in json.loads((GOLDEN / "cases.json").read_text(encoding="utf-8"))["cases"]
    if isinstance(case.get("request", {}).get("filter"), str)
]
STRICTER_THAN_MLFLOW = {"filter.metric.error-018", "filter.metric.error-020"}  # a stray AND: both are quirks
CORE = [case for case in CASES if case["level"] == "core"]
TIE = "0a000000000000000000000000000017"


def by_id(case: dict[str, Any]) -> str:
    return str(case["id"])


def accepted(text: str, dialect: str = "mlflow") -> bool:
    try:
        parse_filter(text, dialect)
    except BadRequest:
        return False
    return True


def refusal(text: str, dialect: str = "mlflow") -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        parse_filter(text, dialect)
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=by_id)
def test_a_recorded_filter_is_taken_or_refused_as_mlflow_does(case: dict[str, Any]) -> None:
    as_recorded = case["expect"]["status"] == 200
    wanted = as_recorded and case["id"] not in STRICTER_THAN_MLFLOW
    assert accepted(case["request"]["filter"]) == wanted


def test_only_quirks_are_answered_more_strictly() -> None:
    assert {case["level"] for case in CASES if case["id"] in STRICTER_THAN_MLFLOW} == {"quirk"}


@pytest.mark.parametrize("case", CORE, ids=by_id)
def test_dialect_oracle_takes_the_documented_filters(case: dict[str, Any]) -> None:
    assert accepted(case["request"]["filter"], "oracle") == (case["expect"]["status"] == 200)


@pytest.mark.parametrize(
    ("text", "field", "operator", "value"),
    [
        ("metrics.rmse < 1", Field("rmse", "metrics"), "<", 1),
        ("metric.rmse>=-.5", Field("rmse", "metrics"), ">=", -0.5),
        ("metrics.a = 1.", Field("a", "metrics"), "=", 1.0),
        ("metrics.a = 1.5E-3", Field("a", "metrics"), "=", 0.0015),
        ("metrics.1st != 2", Field("1st", "metrics"), "!=", 2),
        ("metrics.é != 2", Field("é", "metrics"), "!=", 2),
        ("metrics.m.dotted.key = 7", Field("m.dotted.key", "metrics"), "=", 7),
        ('metrics."val/loss" = 7', Field("val/loss", "metrics"), "=", 7),
        ("`metrics`.`model class` = 7", Field("model class", "metrics"), "=", 7),
        ("metrics.'model class' = 7", Field("model class", "metrics"), "=", 7),
        ('metrics."" = 7', Field("", "metrics"), "=", 7),
        ('metrics."from" = 7', Field("from", "metrics"), "=", 7),
        ("metrics.and = 7", Field("and", "metrics"), "=", 7),
        ("parameters.a = 'x'", Field("a", "params"), "=", "x"),
        ("params.a = ''", Field("a", "params"), "=", ""),
        ('params.a = "it\'s"', Field("a", "params"), "=", "it's"),
        ("params.a = 'it''s'", Field("a", "params"), "=", "it''s"),
        (r"params.a = 'it\'s'", Field("a", "params"), "=", r"it\'s"),
        (r"params.a = 'C:\'", Field("a", "params"), "=", "C:\\"),
        (r'params.a = "C:\"', Field("a", "params"), "=", "C:\\"),
        ("params.a = 'x\0\n'", Field("a", "params"), "=", "x\0\n"),
        ('params."a""b" = \'x\'', Field('a""b', "params"), "=", "x"),
        ("params.a LIKE'50%_'", Field("a", "params"), "like", "50%_"),
        ("tags.a iLike 'x'", Field("a", "tags"), "ilike", "x"),
        ("tag.a IS  NULL", Field("a", "tags"), "absent", None),
        ("tags.a\nis\tnot null", Field("a", "tags"), "present", None),
        ("status != 'FAILED'", Field("status"), "!=", "FAILED"),
        ("\"status\" LIKE 'F%'", Field("status"), "like", "F%"),
        ("attr.run_id in('a' ,\"b\")", Field("run_id"), "in", ("a", "b")),
        ("run.run_id NOT  IN ('a')", Field("run_id"), "not in", ("a",)),
        ("attributes.`run name` = 'x'", Field("run_name"), "=", "x"),
        ("`Run Name` = 'x'", Field("run_name"), "=", "x"),
        ("attribute.artifact_uri = 'x'", Field("artifact_uri"), "=", "x"),
        ("user_id = 'x'", Field("user_id"), "=", "x"),
        ("Created > 5", Field("start_time"), ">", 5),
        ("end_time > 5.5", Field("end_time"), ">", 5.5),
        ("dataset.name IN ('iris')", Field("name", "datasets"), "in", ("iris",)),
        ("datasets.context = 'eval'", Field("context", "datasets"), "=", "eval"),
    ],
)
def test_a_comparison_becomes_one_condition(text: str, field: Field, operator: Any, value: Any) -> None:
    assert parse_filter(text) == (Condition(field, operator, value),)


def test_clauses_keep_their_order_and_and_needs_no_space_behind_a_quote() -> None:
    conditions = parse_filter("params.a='x'AND metrics.b<1\nand\ttags.c IS NULL")
    assert [condition.field.name for condition in conditions] == ["a", "b", "c"]


def test_an_empty_text_has_no_conditions() -> None:
    assert parse_filter("") == ()
    assert parse_filter("", "oracle") == ()


@pytest.mark.parametrize(
    ("digits", "value"),
    [
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", 2.0**63),
        ("9" * 60_000, math.inf),
        ("-1e999", -math.inf),
        ("1717200200000.0", 1717200200000.0),
    ],
)
def test_a_number_is_an_integer_as_long_as_64_bits_hold_it(digits: str, value: float) -> None:
    (condition,) = parse_filter(f"start_time = {digits}")
    assert condition.value == value
    assert type(condition.value) is type(value)


def test_a_metric_is_compared_with_a_double() -> None:
    (condition,) = parse_filter("metrics.a = 9007199254740993")
    assert condition.value == 9007199254740992.0
    assert isinstance(condition.value, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metrics.rmse < abc", "expected a number after 'metrics.rmse <' at character 16, found 'abc'"),
        ("metrics.rmse < ", "expected a number after 'metrics.rmse <' at character 16, found the end"),
        ("  ", "expected a field such as metrics.name at character 3, found the end"),
        ("metrics.a < 1 OR b", "expected AND after 'metrics.a < 1' at character 15, found 'OR'"),
        (
            "metrics.a < 1 AND params.b = 2",
            "expected a quoted text after 'AND params.b =' at character 30, found '2'",
        ),
        (
            "tags.a = 'Log",
            "expected a quoted text after 'tags.a =' at character 10, found \"'Log\", a quote that is never closed",
        ),
        (
            "tags.a < '1'",
            "expected one of =, !=, LIKE, ILIKE, IS NOT NULL, IS NULL after 'tags.a' at character 8, found '<'",
        ),
        (
            "metrics.val-loss < 1",
            "expected one of =, !=, <, <=, >, >= (or double quotes around the name)"
            " after 'metrics.val' at character 12, found '-'",
        ),
        (
            "metrics.from > 0",
            "expected double quotes around this word of SQL after 'metrics.' at character 9, found 'from'",
        ),
        ("run_id IN ()", "expected a quoted text after 'run_id IN (' at character 12, found ')'"),
        ("run_id IN ('a'", "expected ')' after \"run_id IN ('a'\" at character 15, found the end"),
        ("params .a = 'x'", "expected one of the names run_id, "),
        ("params. a = 'x'", "expected no space after 'params.' at character 9, found 'a'"),
        ("foo.a = 'x'", "expected one of the prefixes metrics, params, tags, "),
        (
            "params.a='\ud800'",
            "expected whole Unicode characters after \"params.a='\" at character 11, found '\\ud800'",
        ),
    ],
)
def test_a_refusal_says_what_was_expected_where_and_what_was_found(text: str, message: str) -> None:
    error = refusal(text)
    assert error.message.startswith(f"filter: {message}")
    assert (error.parameter, error.code, error.value) == ("filter", "InvalidParameter", text)
    assert error.detail.startswith(error.message)
    assert repr(text) in error.detail


def test_a_refusal_of_a_long_text_is_short() -> None:
    error = refusal("metrics." + "a" * 60_000 + " ! " + "b" * 60_000)
    assert len(error.message) < 300
    assert "at character 60010" in error.message


@pytest.mark.parametrize(
    "text",
    [
        "metrics.a < 1 AND",
        "AND metrics.a < 1",
        "metrics.a < 1 AND AND metrics.b < 1",
        "metrics.a < 1 metrics.b < 1",
        "metrics.a < 1AND metrics.b < 1",
        "metrics.a < - 1",
        "metrics.a < 5.e3",
        "metrics.a < .5e3",
        "metrics.a < 1.5e+2",
        "metrics.a < 0x1F",
        "metrics.a < Infinity",
        "metrics.a IS NULL",
        "metrics.12 < 1",
        "metrics. = 1",
        "metrics..a = 1",
        "metrics.a. = 1",
        "metrics.a = metrics.b",
        "1 > metrics.a",
        "params.a.IN = 'x'",
        "params.\"a b\".c = 'x'",
        "params.a.\"b c\" = 'x'",
        "params.a IS NOT  NULL",
        "params.not null = 'x'",
        "params.a IN ('x')",
        "params.a NOT LIKE 'x'",
        "params.a = 'x' -- c",
        "params.a = 'x'\0",
        "\ufeffparams.a = 'x'",
        "params.a <> 'x'",
        "run_id IN ('a',)",
        "run_id IN ('a' 'b')",
        "run_id = ('a')",
        "status IN ('FAILED')",
        "'status' = 'x'",
        "\"params\".a = 'x'",
        "`params.a` = 'x'",
        "lifecycle_stage = 'active'",
        "dataset.source = 'x'",
        "dataset.name IS NULL",
    ],
)
def test_what_is_no_clause_is_refused(text: str) -> None:
    assert not accepted(text)


@pytest.mark.parametrize(
    "text",
    [
        "params.a LIKE 'x'",
        "params.a ILIKE 'x'",
        "params.a IS NULL",
        "tags.a IS NOT NULL",
        "run_id IN ('a')",
        "attributes.status = 'x'",
        "status = 'x'",
        "start_time > 1",
        "dataset.name = 'x'",
        "metric.a = 1",
        "param.a = 'x'",
        "parameters.a = 'x'",
        "tag.a = 'x'",
        "`metrics`.a = 1",
        "metrics.`a` = 1",
        "metrics.'a' = 1",
        "metrics.a.b = 1",
    ],
)
def test_dialect_oracle_refuses_what_only_mlflow_has(text: str) -> None:
    assert accepted(text)
    assert not accepted(text, "oracle")
