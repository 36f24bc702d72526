"""What the wide runs beside this file have found, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localruns import yamlio
from localruns.engine.checking import check_files
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.pagers import HEADERS, PLATFORM, SEARCH

MakeApp = Callable[..., App]
EXPERIMENTS = f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/default/mlops/api/2.0/mlflow/experiments/search"


@pytest.mark.parametrize(
    "odd",
    [
        {"view_type": [None, None]},
        {"view_type": {}},
        {"view_type": False},
        {"filter": 0},
        {"order_by": ""},
        {"page_token": False},
    ],
)
def test_members_of_a_wrong_type_are_refused_by_the_search_for_experiments(
    make_app: MakeApp, odd: dict[str, Any]
) -> None:
    client = make_app("quickstart").test_client()
    answer = client.post(EXPERIMENTS, json=odd, headers={"Authorization": "Bearer any"})
    assert (answer.status_code, answer.json["code"]) == (400, "InvalidParameter")


@pytest.mark.parametrize("size", [2.0, "2"])
def test_both_searches_read_a_size_alike(make_app: MakeApp, size: Any) -> None:
    client = make_app("quickstart").test_client()
    for path in (EXPERIMENTS, SEARCH):
        answer = client.post(path, json={"max_results": size}, headers={"Authorization": "Bearer any"})
        assert answer.status_code == 200


def test_a_405_names_the_methods_of_the_path(make_app: MakeApp) -> None:
    client = make_app("quickstart").test_client()
    assert client.get(SEARCH, headers=HEADERS["oracle-aidp"]).headers["Allow"] == "POST"
    asked_for = client.post(SEARCH, headers={"Prefer": "code=405"})
    assert (asked_for.status_code, asked_for.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("vendor", "row"),
    [
        ("naver-nsml", {"runName": "2\n"}),
        ("palantir-foundry", {"startedTime": "2026-06-30T23:59:59Z\n"}),
        ("palantir-foundry", {"startedTime": "2026-06-30T23:59:60Z"}),
        ("alibaba-pai", {"GmtCreateTime": "0000-01-01T00:00:00.000Z"}),
    ],
)
def test_a_row_that_is_refused_is_refused_with_a_reason(tmp_path: Path, vendor: str, row: dict[str, str]) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(yamlio.dump({"scenario": "a", "vendors": {vendor: {"runs": [row]}}}), "utf-8")
    good, problems = check_files([path], all_vendors())
    assert good == 0
    assert problems
    assert all(next(iter(row)) in problem for problem in problems)
