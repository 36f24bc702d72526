"""What is made of exchanges: rows, order, settings, resources, errors and changes; and what is said of the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from localruns.engine.recorded.exchange import Exchange, reply_from, request_from
from localruns.recordings.rebuilding.scenario import Rebuilt, rebuild
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from localruns.yamlio import Document
from tests.recordings.again import asked_again, known
from tests.recordings.makers import AUTH, STUDIO, Row, alibaba, page, refused, run

MakeApp = Callable[..., App]


def rebuilt(*exchanges: Exchange, **options: Any) -> Rebuilt:
    return rebuild(exchanges, "again", all_vendors(), **options)


def content(made: Rebuilt) -> dict[str, Any]:
    value: dict[str, Any] = Document(made.text, "again").value({})
    return value


def part(made: Rebuilt, vendor: str = "alibaba-pai") -> dict[str, Any]:
    found: dict[str, Any] = content(made)["vendors"][vendor]
    return found


def check(make_app: MakeApp, made: Rebuilt, exchanges: Sequence[Exchange]) -> None:
    """The recorded requests get the recorded pages and errors."""
    pairs = list(asked_again(make_app(content(made)), known(exchanges)))
    assert [ours for _, ours in pairs] == [theirs for theirs, _ in pairs]


def walk(rows: Sequence[Row], size: int, **asked: Any) -> list[Exchange]:
    """A walk by token over rows."""
    starts = range(0, max(len(rows), 1), size)
    return [
        page(
            rows[at : at + size],
            at + size if at + size < len(rows) else 0,
            len(rows),
            MaxResults=size,
            PageToken=at,
            **asked,
        )
        for at in starts
    ]


ROWS = [run(number) for number in range(1, 7)]


def test_rows_of_several_walks_stand_there_once(make_app: MakeApp) -> None:
    exchanges = [*walk(ROWS, 2), *walk(ROWS, 5)]
    made = rebuilt(*exchanges)
    assert part(made)["runs"] == ROWS
    assert not made.notes
    check(make_app, made, exchanges)


def test_the_fuller_rendering_of_a_row_wins_whichever_came_first(make_app: MakeApp) -> None:
    full = [{**row, "Labels": [{"Key": "a", "Value": "b"}], "Metrics": [{"Key": "auc", "Value": 0.5}]} for row in ROWS]
    for exchanges in (
        [*walk(ROWS, 3), *walk(full, 3, Verbose="true")],
        [*walk(full, 3, Verbose="true"), *walk(ROWS, 3)],
    ):
        made = rebuilt(*exchanges)
        assert part(made)["runs"] == full
        check(make_app, made, exchanges)


def test_errors_before_a_page_come_back_there(make_app: MakeApp) -> None:
    first, second, third = walk(ROWS, 2)
    throttled = refused(429, "Throttling.Api", {"x-acs-retry-after": "300"}, MaxResults=2, PageToken=2)
    broken = refused(500, "InternalError", MaxResults=2, PageToken=2)
    exchanges = [first, throttled, throttled, broken, second, third]
    made = rebuilt(*exchanges)
    assert content(made)["faults"] == [
        {"when": {"vendor": "alibaba-pai", "page": 2}, "times": 2, "refuse": "Throttling.Api", "retry_after_s": 0.3},
        {"when": {"vendor": "alibaba-pai", "page": 2}, "times": 1, "refuse": "InternalError"},
    ]
    check(make_app, made, exchanges)


def test_an_error_of_a_second_walk_is_bound_to_its_call(make_app: MakeApp) -> None:
    first, second, third = walk(ROWS, 2)
    failed = refused(503, "ServiceUnavailable", MaxResults=2, PageToken=2)
    exchanges = [first, second, third, first, failed, failed, second, third]
    made = rebuilt(*exchanges)
    assert content(made)["faults"] == [
        {"when": {"vendor": "alibaba-pai", "calls": [5, 6]}, "times": 2, "refuse": "ServiceUnavailable"}
    ]
    check(make_app, made, exchanges)


def test_a_request_that_we_refuse_ourselves_needs_no_fault(make_app: MakeApp) -> None:
    exchanges = [refused(400, "InvalidParameter", MaxResults=0), *walk(ROWS, 4)]
    made = rebuilt(*exchanges)
    assert "faults" not in content(made)
    check(make_app, made, exchanges)


def test_throttling_without_a_wait_names_none(make_app: MakeApp) -> None:
    exchanges = [refused(429, "Throttling.User", MaxResults=4, PageToken=0), *walk(ROWS, 4)]
    made = rebuilt(*exchanges)
    assert content(made)["faults"][0]["retry_after_s"] == 0
    check(make_app, made, exchanges)


def test_throttling_with_the_status_400_is_a_setting(make_app: MakeApp) -> None:
    exchanges = [refused(400, "Throttling.User", MaxResults=4, PageToken=0), *walk(ROWS, 4)]
    made = rebuilt(*exchanges)
    assert part(made)["settings"] == {"throttled_status": 400}
    check(make_app, made, exchanges)


def test_an_unknown_error_becomes_one_of_its_status_and_is_told() -> None:
    made = rebuilt(refused(503, "Busy.Today", MaxResults=4, PageToken=0), *walk(ROWS, 4))
    assert content(made)["faults"][0]["refuse"] == "ServiceUnavailable"
    words = "alibaba-pai: 503 Busy.Today is no error that localruns knows; 503 ServiceUnavailable stands for it"
    assert words in made.notes


def test_an_answer_that_never_came_is_a_wire_fault() -> None:
    first, second, third = walk(ROWS, 2)
    lost = replace(second, reply=reply_from(502), failed="connection refused")
    made = rebuilt(first, lost, second, third)
    assert content(made)["faults"] == [
        {"when": {"vendor": "alibaba-pai", "page": 2}, "times": 1, "wire": {"empty_reply": True}}
    ]


@pytest.mark.parametrize(
    ("exchanges", "settings"),
    [
        ([page(ROWS[:3], 3, 6), page(ROWS[3:], 0, 6, PageToken=3)], {"default_page_size": 3}),
        (
            [page(ROWS[at : at + 2], (at + 2) % 6, 6, MaxResults=50, PageToken=at) for at in (0, 2, 4)],
            {"max_page_size": 2},
        ),
        (walk(ROWS, 3), {}),
        (
            [page(ROWS[:3], 0, PageNumber=1, PageSize=3), page(ROWS[3:], 0, PageNumber=2, PageSize=3)],
            {"total_count": "never"},
        ),
        ([page(ROWS, 0, 6, PageNumber=1, PageSize=9), page(ROWS, 0, MaxResults=9)], {"total_count": "page_mode"}),
        ([page(ROWS[:1], 0, 1, Name="net-1")], {"name_match": "contains"}),
    ],
    ids=["default size", "largest size", "nothing", "no total", "total by number only", "names"],
)
def test_habits_become_settings(make_app: MakeApp, exchanges: list[Exchange], settings: dict[str, Any]) -> None:
    made = rebuilt(*exchanges)
    assert part(made).get("settings", {}) == settings
    check(make_app, made, exchanges)


def test_the_default_workspace_is_the_one_that_is_listed_unasked(make_app: MakeApp) -> None:
    other = [run(9, WorkspaceId="228001")]
    exchanges = [*walk(other, 5, WorkspaceId="228001"), *walk(ROWS, 9)]
    made = rebuilt(*exchanges)
    assert part(made)["resources"] == {"workspaces": {"228001": {}, "145883": {"default": True}}}
    check(make_app, made, exchanges)


def test_a_row_that_changes_between_walks_changes_behind_the_page_between_them(make_app: MakeApp) -> None:
    later = [{**row, "GmtModifiedTime": "2026-02-01T08:00:00.000Z"} if row["RunId"] == "run-3" else row for row in ROWS]
    exchanges = [*walk(ROWS, 2), *walk(later, 2)]
    made = rebuilt(*exchanges)
    assert content(made)["timeline"] == [
        {
            "vendor": "alibaba-pai",
            "after": {"page": 3},
            "change": {"run-3": {"GmtModifiedTime": "2026-02-01T08:00:00.000Z"}},
        }
    ]
    assert part(made)["runs"] == ROWS
    check(make_app, made, exchanges)


def test_rows_that_come_and_go_between_walks_do_so_again(make_app: MakeApp) -> None:
    later = [run(0), *[row for row in ROWS if row["RunId"] != "run-4"]]
    exchanges = [*walk(ROWS, 3), *walk(later, 3)]
    made = rebuilt(*exchanges)
    (event,) = content(made)["timeline"]
    assert (event["after"], event["delete"], [row["RunId"] for row in event["insert"]]) == (
        {"page": 2},
        ["run-4"],
        ["run-0"],
    )
    check(make_app, made, exchanges)


def test_a_change_at_no_time_that_can_be_told_leaves_the_latest_version() -> None:
    old, new = run(1), run(1, GmtModifiedTime="2026-02-01T08:00:00.000Z")
    # The same page twice, by tokens that nobody gave out: neither is the first answer to a page of a walk.
    first = page([old], 0, MaxResults=1, PageToken="x")
    made = rebuilt(first, page([new], 0, MaxResults=1, PageToken="y"))
    assert part(made)["runs"] == [new]
    assert any("the latest version is kept: 1" in words for words in made.notes)


def test_another_order_than_ours_is_told() -> None:
    made = rebuilt(*walk(ROWS[::-1], 3))
    assert "alibaba-pai: walk 1 came in another order than ours, first at row 1" in made.notes


def test_an_unknown_field_is_cut_from_its_rows_and_listed(make_app: MakeApp) -> None:
    drifted = [{**row, "Region": "cn"} if row["RunId"] != "run-2" else row for row in ROWS]
    made = rebuilt(*walk(drifted, 9))
    assert part(made)["runs"] == ROWS
    assert made.lost == 5
    assert any(
        "fields of rows of alibaba-pai that its schema does not know: 5 (Region 5)" in words for words in made.notes
    )
    make_app(content(made))


def test_a_row_that_breaks_the_schema_is_left_out_and_listed(make_app: MakeApp) -> None:
    rows = [*ROWS[:2], {**ROWS[2], "Accessibility": "SECRET"}, {"Name": "no id"}, *ROWS[3:]]
    made = rebuilt(*walk(rows, 9))
    assert [row["RunId"] for row in part(made)["runs"]] == [f"run-{number}" for number in (1, 2, 4, 5, 6)]
    text = "\n".join(made.notes)
    assert "rows of alibaba-pai that break its schema, at Accessibility: 1 (run-3 1)" in text
    assert "rows of alibaba-pai without what identifies them: 1" in text
    make_app(content(made))


def test_a_walk_that_ends_early_is_told() -> None:
    made = rebuilt(*walk(ROWS, 2)[:2])
    assert "alibaba-pai: walks that end before the last page, so that what lies behind was not seen: 1" in made.notes


def test_answers_of_another_service_at_the_same_path_are_listed() -> None:
    other = alibaba(200, {"runs": [{"id": 1}], "total_size": 1})
    assert rebuilt(other).text == ""
    made = rebuilt(other, *walk(ROWS, 3))
    assert "left out: answers of ListRuns that are no list of runs: 1 (status 200 1)" in made.notes


def test_a_gateways_path_is_taken_away_and_told() -> None:
    there = [
        replace(each, request=request_from("GET", f"/gateway/ml{each.request.target}", AUTH)) for each in walk(ROWS, 3)
    ]
    made = rebuilt(*there)
    assert part(made)["runs"] == ROWS
    assert any("through a gateway" in words for words in made.notes)


def test_nothing_understood_is_no_scenario() -> None:
    assert rebuilt().text == ""


def foundry(rows: Sequence[Row], token: str | None, **asked: Any) -> Exchange:
    query = "&".join(f"{name}={value}" for name, value in {"preview": "true", **asked}.items())
    target = f"/api/v2/models/modelStudios/{STUDIO}/runs?{query}"
    body = {"data": list(rows), **({} if token is None else {"nextPageToken": token})}
    request = request_from("GET", target, [("authorization", "Bearer localruns-token")])
    return Exchange(request, reply_from(200, (), json.dumps(body).encode()))


def build(number: int) -> Row:
    uuid = f"00000000-0000-4000-8000-{number:012}"
    return {
        "startedTime": f"2026-01-{28 - number:02}T08:00:00Z",
        "configVersion": number % 3 + 1,
        "startedBy": uuid,
        "buildRid": f"ri.foundry-build.main.build.{uuid}",
        "resolvedOutputs": {},
        "runId": f"run{number}",
        "jobRid": f"ri.foundry-build.main.job.{uuid}",
    }


def test_text_tokens_are_followed_and_studios_declared(make_app: MakeApp) -> None:
    rows = [build(number) for number in range(1, 6)]
    exchanges = [foundry(rows[:3], "abc", pageSize=3), foundry(rows[3:], None, pageSize=3, pageToken="abc")]
    made = rebuilt(*exchanges)
    assert part(made, "palantir-foundry")["resources"] == {"studios": {STUDIO: {"config_versions": [1, 2, 3]}}}
    check(make_app, made, exchanges)


def test_a_token_to_an_empty_last_page_is_a_page_fault(make_app: MakeApp) -> None:
    rows = [build(number) for number in range(1, 5)]
    exchanges = [
        foundry(rows[:2], "a", pageSize=2),
        foundry(rows[2:], "b", pageSize=2, pageToken="a"),
        foundry([], None, pageSize=2, pageToken="b"),
    ]
    made = rebuilt(*exchanges)
    assert content(made)["faults"] == [{"when": {"vendor": "palantir-foundry"}, "page_fault": "exact_boundary_token"}]
    check(make_app, made, exchanges)


def test_delays_are_asked_for() -> None:
    made = rebuilt(*walk(ROWS, 3), delays=True)
    assert [fault["wire"] for fault in content(made)["faults"]] == [{"latency_ms": 20}, {"latency_ms": 20}]
