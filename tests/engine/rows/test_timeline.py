"""Scripted changes: versions move in strict order, pages are cut from the present version, a reset replays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from localruns.clock import VirtualClock, from_epoch_ms, parse_time
from localruns.surfaces.http import App
from tests.clients.pagers import PAGERS

HEADERS = {"Authorization": "ACS3-HMAC-SHA256 Credential=any,SignedHeaders=host,Signature=00"}
Row = dict[str, Any]


def row(number: int) -> Row:
    """The newest row has the greatest number, and stands first."""
    return {"RunId": f"run-{number:02}", "Name": f"n{number}", "GmtCreateTime": f"2026-01-01T00:00:{number:02}.000Z"}


def app_of(make_app: Callable[..., App], *timeline: Row) -> App:
    events = [{"vendor": "alibaba-pai", **event} for event in timeline]
    vendors = {"alibaba-pai": {"runs": [row(number) for number in range(9, 0, -1)]}}
    return make_app({"scenario": "x", "vendors": vendors, "timeline": events})


def ask(app: App, token: int, size: int = 3) -> tuple[list[str], int, int]:
    """(numbers of the rows, next page token, total)."""
    url = f"/api/v1/runs?PageToken={token}&MaxResults={size}"
    body = app.test_client().get(url, headers=HEADERS).json
    return [run["RunId"][4:] for run in body["Runs"]], body["NextPageToken"], body["TotalCount"]


def walk(app: App) -> list[list[str]]:
    pages, token = [], 0
    while True:
        rows, token, _ = ask(app, token)
        pages.append(rows)
        if not token:
            return pages


def version(app: App) -> int:
    return app.emulator.space("default").states["alibaba-pai"].version


def test_a_row_inserted_before_the_cursor_is_repeated(make_app: Callable[..., App]) -> None:
    app = app_of(make_app, {"after": {"page": 1}, "insert": [row(10)]})
    assert walk(app) == [["09", "08", "07"], ["07", "06", "05"], ["04", "03", "02"], ["01"]]


def test_a_delivered_row_deleted_makes_one_go_missing(make_app: Callable[..., App]) -> None:
    app = app_of(make_app, {"after": {"page": 1}, "delete": ["run-09"]})
    assert walk(app) == [["09", "08", "07"], ["05", "04", "03"], ["02", "01"]]


def test_a_changed_row_keeps_its_key_and_takes_its_new_place(make_app: Callable[..., App]) -> None:
    change = {"run-01": {"GmtCreateTime": "2026-01-02T00:00:00.000Z", "Name": "moved"}}
    app = app_of(make_app, {"after": {"page": 1}, "change": change})
    assert walk(app) == [["09", "08", "07"], ["07", "06", "05"], ["04", "03", "02"]]
    assert ask(app, 0)[0][0] == "01"


def test_events_fire_in_strict_order_one_per_answer(make_app: Callable[..., App]) -> None:
    app = app_of(
        make_app,
        {"after": {"page": 2}, "delete": ["run-01"]},
        {"after": {"page": 1}, "delete": ["run-02"]},
        {"after": {"page": 1}, "delete": ["run-03"]},
    )
    seen = []
    for token in (0, 0, 3, 3, 0, 0, 0):
        _, _, total = ask(app, token)
        seen.append((total, version(app)))
    assert seen == [(9, 0), (9, 0), (9, 1), (8, 1), (8, 2), (7, 3), (6, 3)]


def test_a_refused_page_fires_nothing(make_app: Callable[..., App]) -> None:
    app = app_of(make_app, {"after": {"page": 1}, "delete": ["run-09"]})
    client = app.test_client()
    client.get("/api/v1/runs", headers={**HEADERS, "Prefer": "code=500"})
    client.get("/api/v1/runs?MaxResults=x", headers=HEADERS)
    client.get("/api/v1/runs")
    assert version(app) == 0


def test_a_reset_replays_identically(make_app: Callable[..., App]) -> None:
    app = app_of(
        make_app, {"after": {"page": 1}, "insert": [{"generate": 2}]}, {"after": {"page": 2}, "delete": ["run-09"]}
    )
    space = app.emulator.space("default")
    runs = []
    for _ in range(3):
        client = app.test_client()
        urls = [f"/api/v1/runs?PageToken={token}&MaxResults=3&Verbose=true" for token in (0, 3, 6, 9, 0)]
        runs.append([client.get(url, headers=HEADERS).data for url in urls])
        space.reset()
    assert runs[0] == runs[1] == runs[2]
    assert len(set(runs[0])) == 5


def test_times_fire_at_the_first_request_not_earlier(make_app: Callable[..., App]) -> None:
    app = app_of(
        make_app,
        {"at": "2026-01-15T09:00:10Z", "delete": ["run-01"]},
        {"at": "2026-01-15T09:00:10Z", "delete": ["run-02"]},
        {"at": "2026-01-15T18:00:20+09:00", "delete": ["run-03"]},
        {"after": {"page": 1}, "delete": ["run-04"]},
    )
    clock = app.emulator.space("default").clock
    clock.freeze()
    clock.freeze(parse_time("2026-01-15T09:00:09.999Z"))
    assert ask(app, 0)[2] == 9
    clock.advance(0.001)
    assert (ask(app, 0)[2], version(app)) == (7, 2)
    clock.advance(9.5)
    assert ask(app, 0)[2] == 7
    clock.advance(1)
    assert (ask(app, 0)[2], version(app)) == (6, 4)
    assert ask(app, 0)[2] == 5


def test_a_walk_by_text_tokens_sees_the_present_version_too(make_app: Callable[..., App]) -> None:
    pager = next(pager for pager in PAGERS if pager.vendor == "oracle-aidp")
    runs = [{"info": {"run_id": f"r{n}", "start_time": n}} for n in range(9, 0, -1)]
    event = {"vendor": "oracle-aidp", "after": {"page": 1}, "delete": ["r9"]}
    app = make_app({"scenario": "x", "vendors": {"oracle-aidp": {"runs": runs}}, "timeline": [event]})
    keys = [pager.key(row) for row in pager.rows(app.test_client(), 3)]
    assert keys == ["r9", "r8", "r7", "r5", "r4", "r3", "r2", "r1"]


def test_each_vendor_has_a_timeline_of_its_own(make_app: Callable[..., App]) -> None:
    events = [{"vendor": "oracle-aidp", "after": {"page": 1}, "insert": [{"generate": 1, "as": "new"}]}]
    vendors = {"alibaba-pai": {"runs": [row(1)]}, "oracle-aidp": {"runs": [{"generate": 1}]}}
    app = make_app({"scenario": "x", "vendors": vendors, "timeline": events})
    ask(app, 0)
    assert [state.version for state in app.emulator.space("default").states.values()] == [0, 0]


def test_the_clock_ticks_until_it_is_frozen_and_jumps_when_told() -> None:
    start = from_epoch_ms(0)
    clock = VirtualClock(start)
    assert start <= clock.now() < start + timedelta(seconds=5)
    assert not clock.frozen
    clock.freeze()
    stopped = clock.now()
    assert clock.now() == stopped
    clock.advance(60)
    assert clock.now() - stopped == timedelta(seconds=60)
    clock.reset()
    assert not clock.frozen
    assert clock.now() < start + timedelta(seconds=5)


@pytest.mark.parametrize("seconds", [1e9, 1e20, 1e308, -1e20])
def test_the_clock_stands_still_at_the_ends_of_time(seconds: float) -> None:
    clock = VirtualClock(parse_time("9999-12-31T23:59:59Z" if seconds > 0 else "0001-01-01T00:00:00Z"))
    clock.advance(seconds)
    assert clock.now().year == (9999 if seconds > 0 else 1)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-01-15", "2026-01-15T09:00:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
)
def test_what_is_no_instant_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)
