"""Rows in the forms that the page allows, sent as written, and what filters and orders make of what they lack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localruns.surfaces.http import App
from tests.clients.pagers import HEADERS, SEARCH

STATUSES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED", "INTERNAL_ERROR"]
Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def serve(make_app: Callable[..., App]) -> Callable[[list[dict[str, Any]]], Ask]:
    """`serve(rows)` gives `ask(filter, *order)`: the runs that are found."""

    def serve(rows: list[dict[str, Any]]) -> Ask:
        client = make_app(vendor="oracle-aidp", runs=rows).test_client()

        def ask(text: str = "", *order: str) -> list[dict[str, Any]]:
            body = {"experiment_ids": ["1"], "filter": text, "order_by": list(order), "run_view_type": "ALL"}
            runs: list[dict[str, Any]] = client.post(SEARCH, json=body, headers=HEADERS["oracle-aidp"]).json["runs"]
            return runs

        return ask

    return serve


def info(run_id: str, **more: Any) -> dict[str, Any]:
    return {"run_id": run_id, "experiment_id": "1", "start_time": 0, "status": "FINISHED", "lifecycle_stage": "active",
            "run_uuid": run_id, **more}  # fmt: skip


def test_a_row_is_sent_as_written_and_absent_fields_stay_absent(serve: Callable[..., Ask]) -> None:
    dataset = {"name": "d", "digest": "1", "source": "s", "source_type": "local"}
    rows = [
        {"info": info("a")},
        {"info": info("b", end_time=2**62), "data": {}, "inputs": {}, "outputs": {}},
        {
            "info": info("c", lifecycle_stage="deleted"),
            "data": {"metrics": [{"key": "m"}, {"value": 2.5}], "params": [{"key": "p"}], "tags": [{}]},
            "inputs": {"dataset_inputs": [{"dataset": dataset}], "model_inputs": [{"model_id": "m-1"}]},
            "outputs": {"model_outputs": [{"model_id": "m-2", "step": 3}]},
        },
    ]
    assert serve(rows)() == rows


def test_run_uuid_repeats_run_id_where_it_is_not_written(serve: Callable[..., Ask]) -> None:
    found = serve([{"info": {"run_id": "a", "experiment_id": "1"}}, {"info": info("b", run_uuid="other")}])()
    assert {run["info"]["run_id"]: run["info"]["run_uuid"] for run in found} == {"a": "a", "b": "other"}


def test_each_documented_status_is_sent_and_found_and_sorts_as_text(serve: Callable[..., Ask]) -> None:
    ask = serve([{"info": info(f"r{i}", status=status)} for i, status in enumerate(STATUSES)])
    assert [run["info"]["status"] for run in ask("", "status")] == sorted(STATUSES)
    for status in STATUSES:
        assert [run["info"]["status"] for run in ask(f"status = '{status}'")] == [status]


def test_a_metric_counts_by_its_latest_point_and_what_lacks_a_value_is_missing(serve: Callable[..., Ask]) -> None:
    def point(value: Any, step: int, timestamp: int) -> dict[str, Any]:
        return {"key": "m", "value": value, "step": step, "timestamp": timestamp}

    points = {
        "step": [point(9, 0, 9), point(1, 1, 0)],
        "timestamp": [point(9, 1, 0), point(2, 1, 5)],
        "value": [point(3, 1, 5), point(-9, 1, 5)],
        "none": [{"key": "m"}],
    }
    ask = serve([{"info": info(run_id), "data": {"metrics": metrics}} for run_id, metrics in points.items()])
    assert [run["info"]["run_id"] for run in ask("", "metrics.m DESC")] == ["value", "timestamp", "step", "none"]
    assert [run["info"]["run_id"] for run in ask("metrics.m != 1", "metrics.m")] == ["timestamp", "value"]
