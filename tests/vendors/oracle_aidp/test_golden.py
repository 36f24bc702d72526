"""The recorded answers of a real MLflow server, asked through HTTP and answered by the real store."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

GOLDEN = Path(__file__).parents[2] / "golden" / "mlflow"
CASES: list[dict[str, Any]] = json.loads((GOLDEN / "cases.json").read_text("utf-8"))["cases"]
PLATFORM = "ocid1.aidataplatform.oc1.iad.localruns"
PATH = f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/default/mlops/api/2.0/mlflow/runs/search"
# Quirks that the file lets us answer with 200: ids are opaque texts, and lowerCamelCase names are unknown ones.
OPAQUE = {"ids-011": ["2"], "ids-020": ["02"], "ids-022": ["2.0"], "ids-025": ["2"]}
AUTH = {"Authorization": "Bearer localruns-token"}


def scenario() -> dict[str, Any]:
    """The recorded dataset as a scenario of literal rows."""
    dataset = json.loads((GOLDEN / "dataset.json").read_text("utf-8"))
    experiments = [
        {"id": item["experiment_id"], "name": item["name"], "lifecycle_stage": item["lifecycle_stage"]}
        for item in dataset["experiments"]
    ]
    part = {
        "resources": {"platforms": {PLATFORM: {"workspaces": {"default": {"experiments": experiments}}}}},
        "runs": [_row(run) for run in dataset["runs"]],
    }
    return {"scenario": "mlflow-golden", "vendors": {"oracle-aidp": part}}


def _row(run: dict[str, Any]) -> dict[str, Any]:
    names = ("run_id", "run_name", "experiment_id", "user_id", "status", "start_time", "end_time", "artifact_uri",
             "lifecycle_stage")  # fmt: skip
    data = {
        "metrics": run["metrics"],
        "params": [{"key": key, "value": value} for key, value in run["params"].items()],
        "tags": [{"key": key, "value": value} for key, value in run["tags"].items()],
    }
    row: dict[str, Any] = {
        "info": {name: run[name] for name in names if run.get(name) is not None},
        "data": {name: items for name, items in data.items() if items},
    }
    if run.get("dataset_inputs"):
        row["inputs"] = {"dataset_inputs": run["dataset_inputs"]}
    if run.get("model_outputs"):
        row["outputs"] = {"model_outputs": run["model_outputs"]}
    return row


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    from localruns import yamlio
    from localruns.engine.emulator import Emulator, Options
    from localruns.paths import cache_dir
    from localruns.surfaces.http import App
    from localruns.vendors import all_vendors

    path = tmp_path_factory.mktemp("golden") / "mlflow-golden.yaml"
    path.write_text(yamlio.dump(scenario()), "utf-8")
    return App(Emulator(all_vendors(), str(path), Options(cache=cache_dir()))).test_client()


def ask(client: Client, body: dict[str, Any]) -> tuple[int, list[str], str]:
    """(status, run ids, next page token)."""
    answer = client.post(PATH, json=body, headers=AUTH)
    runs = answer.json.get("runs", [])
    return answer.status_code, [run["info"]["run_id"] for run in runs], answer.json.get("next_page_token", "")


def verdict(client: Client, case: dict[str, Any]) -> str:
    """`matched`, `strict` (a quirk refused with 400 or 405), `opaque` (see OPAQUE), or what differs."""
    expect = case["expect"]
    if case["kind"] == "walk":
        return _walked(client, case)
    if case["kind"] == "transport":
        answer = client.open(PATH, method=case["method"], data=case["raw_body"], headers={**AUTH, **case["headers"]})
        runs = answer.json.get("runs", [])
        status, found, token = answer.status_code, [run["info"]["run_id"] for run in runs], ""
    else:
        status, found, token = ask(client, case["request"])
    same = status == expect["status"] and found == expect.get("run_ids", [])
    if same and (case["kind"] == "transport" or bool(token) == expect.get("has_next_page", False)):
        return "matched"
    if case["level"] == "quirk" and status in (400, 405) and not found:
        return "strict"
    if case["id"] in OPAQUE and (status, found) == ask(client, {"experiment_ids": OPAQUE[case["id"]]})[:2]:
        return "opaque"
    return f"{status} {found}, expected {expect['status']} {expect.get('run_ids')}"


def _walked(client: Client, case: dict[str, Any]) -> str:
    body = dict(case["request"])
    for page in case["expect"]["pages"]:
        status, found, token = ask(client, body)
        if (status, found, bool(token)) != (200, page["run_ids"], page["has_next_page"]):
            return f"{status} {found} {token}, expected {page}"
        body["page_token"] = token
    return "matched"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_a_recorded_case_is_answered_as_mlflow_did(client: Client, case: dict[str, Any]) -> None:
    allowed = ("matched", "strict", "opaque") if case["level"] == "quirk" else ("matched",)
    assert verdict(client, case) in allowed


def test_all_recorded_cases_count(client: Client, record_property: Any) -> None:
    counts = Counter((case["level"], verdict(client, case)) for case in CASES)
    words = ", ".join(f"{level} {how} {count}" for (level, how), count in sorted(counts.items()))
    record_property("summary", f"mlflow-golden: {words}")
    assert sum(count for (level, how), count in counts.items() if how == "matched" and level == "core") == 144


def test_the_recorded_bodies_are_sent_as_recorded(client: Client) -> None:
    samples = json.loads((GOLDEN / "cases.json").read_text("utf-8"))["response_samples"]
    for sample in samples:
        answer = client.post(PATH, json=sample["request"], headers=AUTH)
        assert answer.status_code == sample["status"]
        if answer.status_code != 200:
            continue
        for ours, theirs in zip(answer.json["runs"], sample["body"].get("runs", []), strict=True):
            assert ours["data"] == theirs["data"]
            assert ours["info"] == theirs["info"]
