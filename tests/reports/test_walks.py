"""The ledger names exactly what a client missed, saw twice and asked for in vain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from localruns.reports.walks import as_json
from localruns.surfaces.http import App
from tests.clients.pagers import PAGERS, Pager

EACH_PAGER = pytest.mark.parametrize("pager", [pytest.param(p, id=f"{p.vendor}-{p.style}") for p in PAGERS])
BY_VENDOR = {pager.vendor: pager for pager in PAGERS if pager.style == "token"}
PAI = BY_VENDOR["alibaba-pai"]


def scenario(vendor: str, **more: Any) -> dict[str, Any]:
    return {"scenario": "walked", "seed": 1, "vendors": {vendor: {"runs": [{"generate": 25}]}}, **more}


def walks(app: App) -> list[dict[str, Any]]:
    space = app.emulator.space("default")
    return [as_json(walk, space) for walk in space.walks]


def ask(client: Client, pager: Pager, size: int, token: Any = None) -> Any:
    answer = pager.ask(client, size, token, {})
    answer.get_data()
    return pager.read(answer.json, size, token).next if answer.status_code == 200 else token


@EACH_PAGER
def test_a_whole_walk_is_complete(make_app: Callable[..., App], pager: Pager) -> None:
    app = make_app(scenario(pager.vendor))
    pager.rows(app.test_client(), 10)
    (walk,) = walks(app)
    assert walk["complete"]
    assert (walk["requests"], walk["pages"], walk["delivered"], walk["expected"]) == (3, 3, 25, 25)
    assert (walk["missed"], walk["duplicates"], walk["unstable"], walk["wasted"]) == ([], [], [], 0)
    assert walk["stop"] == "page 3 was the last"
    assert not walk["ambiguous"]


@EACH_PAGER
def test_a_client_that_stops_early_is_told_what_it_never_saw(make_app: Callable[..., App], pager: Pager) -> None:
    app = make_app(scenario(pager.vendor))
    client = app.test_client()
    ask(client, pager, 10, ask(client, pager, 10))
    (walk,) = walks(app)
    assert not walk["complete"]
    assert len(walk["missed"]) == 5
    assert walk["stop"] == "page 2 led to another page; the client stopped; 5 of 25 runs were never delivered"


@EACH_PAGER
def test_a_repeated_request_after_a_refusal_is_a_retry_of_the_same_walk(
    make_app: Callable[..., App], pager: Pager
) -> None:
    fault = {"when": {"vendor": pager.vendor, "page": 2}, "times": 2, "refuse": "throttled"}
    app = make_app(scenario(pager.vendor, faults=[fault]))
    client, token = app.test_client(), None
    for _ in range(5):
        token = ask(client, pager, 10, token)
    (walk,) = walks(app)
    assert walk["complete"]
    assert (walk["requests"], walk["pages"], walk["retries"]) == (5, 3, 2)
    assert len(walk["waits_s"]) == 2


def test_giving_up_on_a_refusal_is_named(make_app: Callable[..., App]) -> None:
    fault = {"when": {"vendor": "alibaba-pai", "page": 3}, "refuse": "throttled"}
    app = make_app(scenario("alibaba-pai", faults=[fault]))
    client, token = app.test_client(), None
    for _ in range(3):
        token = ask(client, PAI, 10, token)
    assert walks(app)[0]["stop"] == (
        "page 3 was refused with 429; the client asked no more; 5 of 25 runs were never delivered"
    )


def test_page_one_after_a_whole_answer_opens_a_new_walk(make_app: Callable[..., App]) -> None:
    app = make_app(scenario("alibaba-pai"))
    client = app.test_client()
    PAI.rows(client, 10)
    PAI.rows(client, 25)
    assert [(walk["requests"], walk["complete"]) for walk in walks(app)] == [(3, True), (1, True)]


@EACH_PAGER
def test_interleaved_walks_with_different_sizes_are_told_apart(make_app: Callable[..., App], pager: Pager) -> None:
    app = make_app(scenario(pager.vendor))
    client = app.test_client()
    first, second = ask(client, pager, 10), ask(client, pager, 7)
    first, second = ask(client, pager, 10, first), ask(client, pager, 7, second)
    ask(client, pager, 10, first)
    ask(client, pager, 7, ask(client, pager, 7, second))
    assert [(walk["requests"], walk["complete"], walk["ambiguous"]) for walk in walks(app)] == [
        (3, True, False),
        (4, True, False),
    ]


def test_walks_of_different_queries_never_mix(make_app: Callable[..., App]) -> None:
    app = make_app(scenario("alibaba-pai"))
    client = app.test_client()
    for extra in ({}, {"ExperimentId": "exp-1zpfthdx"}, {"ExperimentId": "exp-none"}):
        PAI.rows(client, 10, **extra)
    found = walks(app)
    assert [walk["delivered"] for walk in found] == [25, 25, 0]
    assert all(walk["complete"] for walk in found)


def test_two_walks_that_are_the_same_on_the_wire_are_ambiguous(make_app: Callable[..., App]) -> None:
    app = make_app(scenario("alibaba-pai"))
    client = app.test_client()
    ask(client, PAI, 10)
    ask(client, PAI, 10)
    ask(client, PAI, 10, 10)
    assert [walk["ambiguous"] for walk in walks(app)] == [True, True]


def test_a_row_that_is_deleted_behind_the_client_makes_it_miss_one(make_app: Callable[..., App]) -> None:
    keys = [PAI.key(row) for row in PAI.rows(make_app(scenario("alibaba-pai")).test_client(), 25)]
    event = {"vendor": "alibaba-pai", "after": {"page": 2}, "delete": [keys[4]]}
    app = make_app(scenario("alibaba-pai", timeline=[event]))
    PAI.rows(app.test_client(), 10)
    (walk,) = walks(app)
    assert walk["missed"] == [keys[20]]
    assert walk["unstable"] == [keys[4]]
    assert (walk["delivered"], walk["expected"], walk["complete"]) == (24, 24, False)


def test_a_row_that_is_inserted_before_the_client_makes_it_see_one_twice(make_app: Callable[..., App]) -> None:
    keys = [PAI.key(row) for row in PAI.rows(make_app(scenario("alibaba-pai")).test_client(), 25)]
    row = {"RunId": "run-new", "GmtCreateTime": "2026-02-01T00:00:00.000Z"}
    event = {"vendor": "alibaba-pai", "after": {"page": 2}, "insert": [row]}
    app = make_app(scenario("alibaba-pai", timeline=[event]))
    PAI.rows(app.test_client(), 10)
    (walk,) = walks(app)
    assert walk["duplicates"] == [keys[19]]
    assert walk["unstable"] == ["run-new"]
    assert (walk["missed"], walk["complete"]) == ([], True)


def test_asking_again_for_what_was_whole_is_wasted(make_app: Callable[..., App]) -> None:
    app = make_app(scenario("alibaba-pai"))
    client = app.test_client()
    ask(client, PAI, 10)
    for _ in range(3):
        ask(client, PAI, 10, 10)
    (walk,) = walks(app)
    assert (walk["requests"], walk["wasted"]) == (4, 2)
    assert walk["duplicates"]


def test_a_client_that_walks_until_an_empty_page_is_complete(make_app: Callable[..., App]) -> None:
    app = make_app(scenario("naver-nsml"))
    pager = next(pager for pager in PAGERS if pager.vendor == "naver-nsml")
    client = app.test_client()
    for number in range(1, 5):
        assert pager.ask(client, 10, number, {}).get_data()
    (walk,) = walks(app)
    assert (walk["requests"], walk["wasted"], walk["complete"]) == (4, 1, True)


def test_a_reset_forgets_all_walks(make_app: Callable[..., App]) -> None:
    app = make_app(scenario("alibaba-pai"))
    PAI.rows(app.test_client(), 10)
    app.test_client().post("/__admin/reset")
    assert walks(app) == []
