"""Every request parameter: what it filters or sorts by, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest


def run(name: str, **fields: Any) -> dict[str, Any]:
    labels = [{"Key": key, "Value": value} for key, value in fields.pop("labels", {}).items()]
    base = {"RunId": f"run-{name}", "Name": name, "WorkspaceId": "145883", "ExperimentId": "exp-1", "Labels": labels}
    times = {"GmtCreateTime": "2026-01-01T00:00:00.000Z", "GmtModifiedTime": "2026-01-01T00:00:00.000Z"}
    return {**base, **times, **fields}


RUNS = [
    run("a", SourceType="DLC", SourceId="job-1", GmtCreateTime="2026-01-01T00:00:01.500Z", labels={"k": "v", "e": ""}),
    run("b", SourceType="TrainingService", GmtCreateTime="2026-01-01T00:00:03.000Z", labels={"k": "v", "k2": "v2"}),
    run("C", ExperimentId="exp-2", GmtCreateTime="2026-01-01T00:00:02.000Z", labels={"k": "w", "u": "x:y"}),
    run("dab", GmtCreateTime="2026-01-01T00:00:03.000Z", labels={"k": "v w"}),
    run("é", WorkspaceId="777", GmtCreateTime="2026-01-01T00:00:09.000Z"),
]


@pytest.fixture
def api(make: Any) -> Any:
    return make(runs=RUNS)


def ids(*names: str) -> list[str]:
    return [f"run-{name}" for name in names]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"Name": "a"}, "a"),
        ({"Name": "A"}, ""),
        ({"Name": "c"}, ""),
        ({"Name": "é", "WorkspaceId": "777"}, "é"),
        ({"Name": "ab"}, ""),
        ({"Name": ""}, "b dab C a"),
        ({"WorkspaceId": "145883"}, "b dab C a"),
        ({"WorkspaceId": "777"}, "é"),
        ({"WorkspaceId": "0"}, ""),
        ({"WorkspaceId": ""}, "b dab C a"),
        ({"ExperimentId": "exp-1"}, "b dab a"),  # é is of this experiment too, in another workspace
        ({"ExperimentId": "exp-2"}, "C"),
        ({"ExperimentId": "exp-"}, ""),
        ({"ExperimentId": "exp-2", "WorkspaceId": "777"}, ""),
        ({"SourceType": "DLC"}, "a"),
        ({"SourceType": "dlc"}, ""),
        ({"SourceType": "Unheard"}, ""),
        ({"SourceId": "job-1"}, "a"),
        ({"SourceId": "job-1", "SourceType": "TrainingService"}, ""),
        ({"Labels": "k:v"}, "b a"),
        ({"Labels": "k:V"}, ""),
        ({"Labels": "k:v,k2:v2"}, "b"),
        ({"Labels": " k:v , k2:v2 "}, "b"),
        ({"Labels": "k:v,k:w"}, ""),
        ({"Labels": "k:v w"}, "dab"),
        ({"Labels": "k: v"}, ""),
        ({"Labels": "k"}, "b dab C a"),
        ({"Labels": "k2,k:v"}, "b"),
        ({"Labels": "e:"}, "a"),
        ({"Labels": "u:x:y"}, "C"),
        ({"Labels": "u:x"}, ""),
        ({"Labels": ""}, "b dab C a"),
        ({"GmtCreateTime": "2026-01-01T00:00:01.500Z"}, "a"),
        ({"GmtCreateTime": "2026-01-01T00:00:01.500999Z"}, "a"),
        ({"GmtCreateTime": "2026-01-01T00:00:03Z"}, "b dab"),
        ({"GmtCreateTime": "2026-01-01T08:00:03+08:00"}, "b dab"),
        ({"GmtCreateTime": "2026-01-01T00:00:03.001Z"}, ""),
        ({"Unheard": "x", "Name": "a"}, "a"),
        ({"name": "a"}, "b dab C a"),
    ],
)
def test_a_filter(api: Any, query: dict[str, str], names: str) -> None:
    assert api.ids(**query) == ids(*names.split())


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, "b dab C a"),
        ({"Order": "ASC"}, "a C b dab"),
        ({"Order": "desc"}, "b dab C a"),
        ({"SortBy": "GmtCreateTime"}, "b dab C a"),
        ({"SortBy": "Name"}, "dab b a C"),
        ({"SortBy": "Name", "Order": "ASC"}, "C a b dab"),
        ({"OrderBy": "GmtCreateTime"}, "a C b dab"),
        ({"OrderBy": "GmtCreateTime DESC"}, "b dab C a"),
        ({"OrderBy": "GmtCreateTime DESC,Name ASC"}, "b dab C a"),
        ({"OrderBy": "GmtCreateTime DESC,Name DESC"}, "dab b C a"),
        ({"OrderBy": "  GmtCreateTime   desc ,Name Desc"}, "dab b C a"),
        ({"OrderBy": "Name"}, "C a b dab"),
        ({"OrderBy": "Name DESC,Name ASC"}, "dab b a C"),
        ({"OrderBy": "Name", "SortBy": "Unheard", "Order": "sideways"}, "C a b dab"),
        ({"OrderBy": "", "SortBy": "Name"}, "dab b a C"),
    ],
)
def test_an_order(api: Any, query: dict[str, str], names: str) -> None:
    assert api.ids(**query) == ids(*names.split())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("PageNumber", "PageSize", "MaxResults") for value in ("0", "-1")),
        *(
            (name, value)
            for name in ("PageToken", "PageNumber", "PageSize", "MaxResults")
            for value in ("abc", "1.0", "1e2", " 1", "0x10", "9223372036854775808", "9" * 50, "\u0661")
        ),
        ("PageToken", "-1"),
        ("Verbose", "maybe"),
        ("Verbose", "1"),
        ("Verbose", "yes"),
        ("SortBy", "RunId"),
        ("SortBy", "name"),
        ("Order", "down"),
        ("OrderBy", "RunId"),
        ("OrderBy", "Name,"),
        ("OrderBy", "Name UP"),
        ("OrderBy", "Name ASC DESC"),
        ("OrderBy", "name asc"),
        ("Labels", ":v"),
        ("Labels", "k:v,"),
        ("Labels", "k:v,,a:b"),
        ("GmtCreateTime", "yesterday"),
        ("GmtCreateTime", "2026-01-01"),
        ("GmtCreateTime", "2026-01-01T00:00:00"),
        ("GmtCreateTime", "2026-02-30T00:00:00Z"),
        ("GmtCreateTime", "2026-01-01T08:00:00 08:00"),
    ],
)
def test_an_unusable_value_is_an_invalid_parameter(api: Any, name: str, value: str) -> None:
    words = f"The specified parameter {name} is not valid."
    assert api.refused(**{name: value}) == (400, "InvalidParameter", words)
    assert api.why.startswith(f"{name} is ")


def test_a_bare_plus_in_an_offset_is_explained(api: Any) -> None:
    answer = api.ask("/api/v1/runs?GmtCreateTime=2026-01-01T08:00:00+08:00")
    assert answer.status_code == 400
    assert "its plus written as %2B" in api.why


def test_bytes_that_are_no_text_are_refused(api: Any) -> None:
    assert api.ask("/api/v1/runs?Name=%FF").status_code == 400


def test_of_a_repeated_parameter_the_first_that_is_not_empty_counts(api: Any) -> None:
    runs = api.ask("/api/v1/runs?Name=&Name=a&Name=b").get_json()["Runs"]
    assert [run["RunId"] for run in runs] == ["run-a"]


@pytest.mark.parametrize("query", ["OrderBy=Name+DESC", "OrderBy=Name%20DESC"])
def test_plus_and_percent_20_are_both_a_space(api: Any, query: str) -> None:
    assert api.ask(f"/api/v1/runs?{query}").get_json()["Runs"][0]["RunId"] == "run-dab"


@pytest.mark.parametrize(("value", "detailed"), [("true", True), ("True", True), ("TRUE", True), ("False", False)])
def test_verbose_in_any_case(api: Any, value: str, detailed: bool) -> None:
    (row,) = api.page(Name="a", Verbose=value)["Runs"]
    assert ("Labels" in row) == detailed


def test_labels_filter_whatever_verbose_is(api: Any) -> None:
    assert api.ids(Labels="k2:v2", Verbose="true") == api.ids(Labels="k2:v2", Verbose="false") == ids("b")


def test_many_labels_are_taken_or_refused_but_never_a_defect(api: Any) -> None:
    answer = api.ask("/api/v1/runs?Labels=" + ",".join(f"k{n}:v" for n in range(5000)))
    assert answer.status_code in (200, 400)
    assert not api.last.defect


# --- settings


def test_name_match_contains(make: Any) -> None:
    api = make(runs=RUNS, settings={"name_match": "contains"})
    assert api.ids(Name="a") == ids("dab", "a")
    assert api.ids(Name="A") == []
    assert api.ids(Name="%") == []


def test_gmt_create_time_match_from(make: Any) -> None:
    api = make(runs=RUNS, settings={"gmt_create_time_match": "from"})
    assert api.ids(GmtCreateTime="2026-01-01T00:00:02.000Z") == ids("b", "dab", "C")


def test_the_default_workspace_is_the_marked_one_else_the_first(make: Any) -> None:
    marked = {"workspaces": {"145883": None, "777": {"default": True}}}
    assert make(runs=RUNS, resources=marked).ids() == ids("é")
    unmarked = {"workspaces": {"777": {}, "145883": {"default": False}}}
    assert make(runs=RUNS, resources=unmarked).ids() == ids("é")
