"""What an answer looks like."""

from __future__ import annotations

import re
from typing import Any

import pytest

from localruns.errors import ConfigError

#  The sample row of the API reference of 20 October 2025, as printed there.
SAMPLE = {
    "Accessibility": "PRIVATE",
    "SourceId": "train9s0afvjkf",
    "SourceType": "TrainingService",
    "WorkspaceId": "145883",
    "Params": [{"Value": "", "Key": ""}],
    "Labels": [{"Value": "", "RunId": "", "GmtCreateTime": "", "GmtModifiedTime": "", "Key": ""}],
    "GmtModifiedTime": "2021-01-30T12:51:33.028Z",
    "Name": "testrun",
    "Metrics": [{"Value": 0, "Step": 0, "Timestamp": 0, "Key": ""}],
    "OwnerId": "1631044****3440",
    "ExperimentId": "exp-1zpfthdx******",
    "UserId": "",
    "RunId": "run-1qJhzJ2YXgX****",
    "GmtCreateTime": "2021-01-30T12:51:33.028Z",
    "RequestId": "5A14FA81-DD4E-******-6343FE44B941",
}
UUID = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}")


def test_the_sample_of_the_page_comes_back_as_it_is_printed(make: Any) -> None:
    page = make(runs=[SAMPLE]).page(Verbose=True)
    assert page.pop("requestId")
    assert page == {"Runs": [SAMPLE], "TotalCount": 1, "NextPageToken": 0}


def test_without_verbose_the_three_lists_are_left_out(make: Any) -> None:
    (row,) = make(runs=[SAMPLE]).page()["Runs"]
    assert row == {key: value for key, value in SAMPLE.items() if key not in ("Params", "Labels", "Metrics")}


def test_the_request_id_is_upper_case_and_the_same_in_the_header(api: Any) -> None:
    answer = api.ask()
    body = answer.get_json()
    assert UUID.fullmatch(body["requestId"])
    assert "RequestId" not in body
    assert answer.headers["x-acs-request-id"] == body["requestId"]
    assert api.page()["requestId"] != body["requestId"]
    assert len({body["requestId"], *(UUID.fullmatch(run["RequestId"])[0] for run in body["Runs"])}) == 11


def test_the_headers_of_the_gateway(api: Any) -> None:
    headers = api.ask().headers
    assert headers["content-type"] == "application/json;charset=utf-8"
    assert headers["access-control-allow-origin"] == headers["access-control-expose-headers"] == "*"
    assert re.fullmatch("[0-9a-f]{32}", headers["x-acs-trace-id"])
    assert int(headers["content-length"]) > 0


def test_the_same_request_gives_the_same_bytes(make: Any) -> None:
    first, second = (make(runs=[{"generate": 30}]).ask("/api/v1/runs?Verbose=true") for _ in range(2))
    assert first.data == second.data
    assert first.headers["x-acs-trace-id"] == second.headers["x-acs-trace-id"]


def test_a_literal_row_gets_what_the_schema_requires_and_no_more(make: Any) -> None:
    (row,) = make(runs=[{"RunId": "run-x", "Name": "x"}]).page(Verbose=True)["Runs"]
    required = {"RunId", "Name", "WorkspaceId", "ExperimentId", "GmtCreateTime", "GmtModifiedTime"}
    assert set(row) == required
    assert row["RunId"] == "run-x"


def test_ids_are_texts_and_counts_are_numbers(api: Any) -> None:
    page = api.page(Verbose=True)
    for row in page["Runs"]:
        assert all(isinstance(row[name], str) for name in ("WorkspaceId", "OwnerId", "UserId", "RunId"))
        assert all(type(point["Step"]) is int for point in row["Metrics"])
    assert type(page["NextPageToken"]) is type(page["TotalCount"]) is int


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("GmtCreateTime", "2021-02-30T00:00:00.000Z"),
        ("GmtCreateTime", "2021-01-30T12:51:33Z"),
        ("Accessibility", "SECRET"),
        ("RunId", "x"),
        ("Colour", "red"),
        ("ExperimentId", "x"),
        ("Name", ""),
        ("Params", [{"Key": "lr"}]),
        ("Labels", [{"Value": "v"}]),
        ("Metrics", [{"Key": "loss"}]),
        ("Metrics", [{"Key": "loss", "Value": 0.5, "Step": 0.5}]),
        ("Metrics", [{"Key": "loss", "Value": 0.5, "Timestamp": 2**63}]),
    ],
)
def test_a_row_the_platform_could_not_send_is_refused_when_loading(make: Any, field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=field) as raised:
        make(runs=[{**SAMPLE, field: value}])
    assert raised.value.problems


def test_a_row_whose_time_is_empty_matches_no_time(make: Any) -> None:
    api = make(runs=[{**SAMPLE, "GmtCreateTime": ""}])
    assert api.ids() == [SAMPLE["RunId"]]
    assert api.ids(GmtCreateTime="1970-01-01T00:00:00Z") == []
