"""Experiments, read-only: as a real MLflow server answered at its own paths, and as the platform does at its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from localruns.engine.recorded.exchange import Exchange, reply_from, request_from
from localruns.recordings.rebuilding.scenario import rebuild
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from localruns.yamlio import Document
from tests.clients.pagers import PLATFORM, SEARCH

RECORDED = json.loads((Path(__file__).parents[2] / "golden" / "mlflow" / "experiments.json").read_text("utf-8"))
BASE = SEARCH.removesuffix("runs/search")
MLFLOW = "/api/2.0/mlflow/"
AUTH = {"Authorization": "Bearer any"}
KEPT = ("name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time", "tags")


@pytest.fixture
def make(make_app: Callable[..., App]) -> Callable[[list[Any]], Client]:
    """`make(experiments)`: a client of a workspace that has them."""

    def make(experiments: list[Any]) -> Client:
        platforms = {PLATFORM: {"workspaces": {"default": {"experiments": experiments}}}}
        return make_app(vendor="oracle-aidp", resources={"platforms": platforms}).test_client()

    return make


@pytest.fixture
def recorded(make: Callable[[list[Any]], Client]) -> Client:
    """A client of a workspace that has the recorded experiments."""
    return make(
        [
            {"id": item["experiment_id"], **{name: item[name] for name in KEPT if name in item}}
            for item in RECORDED["experiments"]
        ]
    )


def answered(client: Client, case: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """(status, body without words) of a recorded request."""
    body = {"json": case["body"]} if "body" in case else {}
    answer = client.open(MLFLOW + case["path"], method=case["method"], headers=AUTH, **body)
    return answer.status_code, without_words(answer.json)


def without_words(body: dict[str, Any]) -> dict[str, Any]:
    """All of a body but what is said for people."""
    return {name: value for name, value in body.items() if name != "message"}


def exchange(case: dict[str, Any]) -> Exchange:
    """A recorded case as an exchange."""
    asked = json.dumps(case["body"]).encode() if "body" in case else b""
    head = [("content-type", "application/json")]
    request = request_from(case["method"], MLFLOW + case["path"], head, asked)
    reply = reply_from(case["status"], head, json.dumps(case["answer"]).encode())
    return Exchange(request, reply, "2026-02-01T08:00:00Z", 20.0)


def ids(answer: Any) -> list[str]:
    return [item["experiment_id"] for item in answer.get("experiments", [])]


def pages(client: Client, base: str, **asked: Any) -> list[list[str]]:
    """The ids of each page of a walk over the experiments."""
    found, token = [], None
    while True:
        body = {**asked, **({"page_token": token} if token else {})}
        answer = client.post(base + "experiments/search", json=body, headers=AUTH).json
        found.append(ids(answer))
        token = answer.get("next_page_token")
        if not token:
            return found


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case['path']} {case.get('body', '')}") for case in RECORDED["cases"]]
)
def test_a_recorded_case_is_answered_as_mlflow_did(recorded: Client, case: dict[str, Any]) -> None:
    assert answered(recorded, case) == (case["status"], without_words(case["answer"]))


def test_an_import_of_the_recorded_answers_gives_them_again(make_app: Callable[..., App]) -> None:
    run = {"run_id": "r1", "experiment_id": "1", "status": "RUNNING", "start_time": 1, "lifecycle_stage": "active"}
    listed = {"method": "POST", "path": "runs/search", "body": {"experiment_ids": ["1"]}, "status": 200,
              "answer": {"runs": [{"info": run}]}}  # fmt: skip
    # What an import makes of a token that nobody gave out is not the point here.
    cases = [case for case in RECORDED["cases"] if not case.get("body", {}).get("page_token")]
    exchanges = [exchange(case) for case in (listed, *cases)]
    text = rebuild(exchanges, "again", all_vendors()).text
    client = make_app(Document(text, "again").value({})).test_client()
    for case in cases:
        assert answered(client, case) == (case["status"], without_words(case["answer"]))


@pytest.mark.parametrize("base", [BASE, MLFLOW])
def test_a_walk_gets_each_experiment_once_in_the_recorded_order(recorded: Client, base: str) -> None:
    walk = dict(RECORDED["walk"])
    assert pages(recorded, base, max_results=walk["max_results"], view_type="ALL") == walk["pages"]


def test_nothing_found_is_an_empty_list_here_and_left_out_by_mlflow(make: Callable[[list[Any]], Client]) -> None:
    client = make(["1"])
    asked = {"view_type": "DELETED_ONLY"}
    assert client.post(BASE + "experiments/search", json=asked, headers=AUTH).json == {"experiments": []}
    assert client.post(MLFLOW + "experiments/search", json=asked, headers=AUTH).json == {}


def test_an_experiment_has_times_that_hang_on_no_clock_and_tags_if_any(make: Callable[[list[Any]], Client]) -> None:
    tags = [{"key": "team", "value": "vision"}]
    client = make(["1", {"id": "2", "creation_time": 5, "tags": tags}, {"id": "3", "last_update_time": 2**62}])
    shown = {
        item["experiment_id"]: (item["creation_time"], item["last_update_time"], item.get("tags"))
        for item in client.post(BASE + "experiments/search", json={}, headers=AUTH).json["experiments"]
    }
    made = 1_577_836_800_000
    assert shown == {"1": (made, made, None), "3": (made, 2**62, None), "2": (5, 5, tags)}
    assert list(shown) == ["1", "3", "2"]
    assert "workspace" not in client.get(BASE + "experiments/get?experiment_id=1", headers=AUTH).json["experiment"]


def test_an_active_experiment_goes_before_a_deleted_one_of_its_name(make: Callable[[list[Any]], Client]) -> None:
    client = make([{"id": "1", "name": "a", "lifecycle_stage": "deleted"}, {"id": "2", "name": "a"}])
    found = client.get(BASE + "experiments/get-by-name?experiment_name=a", headers=AUTH).json
    assert found["experiment"]["experiment_id"] == "2"


def test_a_token_for_runs_leads_to_no_experiments(make: Callable[[list[Any]], Client]) -> None:
    client = make(["1", "2"])
    runs = client.post(SEARCH, json={"experiment_ids": ["1"], "max_results": 1}, headers=AUTH).json
    body = {"page_token": runs["next_page_token"]}
    answer = client.post(BASE + "experiments/search", json=body, headers=AUTH)
    assert (answer.status_code, answer.json["code"]) == (400, "InvalidParameter")
    assert "given out for runs" in answer.json["message"]
