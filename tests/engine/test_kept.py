"""What is kept of requests is bounded, and never outlives what it was true of."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from localruns.engine import store as stores
from localruns.engine.kept import KEPT, KEPT_LENGTH, kept
from localruns.engine.message import parse_query
from localruns.engine.query import Cut, Field, Order, Query
from localruns.engine.snapshot import Snapshot
from localruns.surfaces.edge.wsgi import SHARED_BYTES, _shared_field, header_field
from localruns.surfaces.http import App
from tests.clients.pagers import HEADERS, SEARCH

RUNS = "/api/v1/runs?Verbose=true"
STUDIO = (
    "/api/v2/models/modelStudios/ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890/runs?preview=true"
)
ASKS: dict[str, Callable[[Client], Any]] = {
    "alibaba-pai": lambda client: client.get(RUNS, headers=HEADERS["alibaba-pai"]),
    "oracle-aidp": lambda client: client.post(SEARCH, data='{"experiment_ids": ["1"]}', headers=HEADERS["oracle-aidp"]),
    "naver-nsml": lambda client: client.get("/nsml/v1/projects/runs", headers=HEADERS["naver-nsml"]),
    "palantir-foundry": lambda client: client.get(STUDIO, headers=HEADERS["palantir-foundry"]),
}
ROWS = {"alibaba-pai": "Runs", "oracle-aidp": "runs", "naver-nsml": "runList", "palantir-foundry": "data"}


def test_only_so_many_readings_are_kept_and_none_of_long_texts() -> None:
    read: list[str] = []

    @kept
    def length(text: str) -> int:
        read.append(text)
        return len(text)

    for number in (*range(KEPT), *range(KEPT)):
        length(str(number))
    assert len(read) == KEPT
    for number in range(2 * KEPT):
        length(f"more {number}")
    assert length.cache_info().currsize == KEPT  # type: ignore[attr-defined]
    read.clear()
    assert [length("x" * (KEPT_LENGTH + 1)) for _ in range(3)] == [KEPT_LENGTH + 1] * 3
    assert len(read) == 3


def test_a_refusal_is_not_kept() -> None:
    calls = []

    @kept
    def refuse(text: str) -> None:
        calls.append(text)
        raise ValueError(text)

    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            refuse("x")
    assert calls == ["x", "x"]


@pytest.mark.parametrize("vendor", ASKS)
def test_the_same_words_mean_what_the_settings_of_each_scenario_say(make_app: Callable[..., App], vendor: str) -> None:
    sizes = {}
    for size in (3, 5, 4):
        client = Client(make_app(vendor=vendor, settings={"default_page_size": size}))
        for _ in range(2):
            sizes.setdefault(size, set()).add(len(json.loads(ASKS[vendor](client).data)[ROWS[vendor]]))
    assert sizes == {3: {3}, 5: {5}, 4: {4}}


@pytest.mark.parametrize("vendor", ["alibaba-pai", "naver-nsml"])
def test_a_header_that_was_read_for_one_namespace_says_nothing_of_another(
    make_app: Callable[..., App], vendor: str
) -> None:
    key = {"alibaba-pai": "LTAI5tLocalruns00000001", "naver-nsml": "LOCALRUNSACCESSKEY01"}[vendor]
    headers = {name: value.replace("=any", f"={key}") for name, value in HEADERS[vendor].items()}
    if vendor == "naver-nsml":
        headers["x-ncp-iam-access-key"] = key
    open_, closed = (
        Client(make_app(vendor=vendor, credentials=[{"id": key, "secret": "s", **mark}]))
        for mark in ({}, {"disabled": True})
    )
    target = RUNS if vendor == "alibaba-pai" else "/nsml/v1/projects/runs"
    statuses = [client.get(target, headers=headers).status_code for client in (open_, closed, open_, closed)]
    assert statuses[0] == statuses[2] == 200
    assert statuses[1] == statuses[3] >= 400


def test_a_credential_that_is_disabled_later_is_refused_from_then_on(make_app: Callable[..., App]) -> None:
    app = make_app(vendor="alibaba-pai")
    client = Client(app)
    assert client.get(RUNS, headers=HEADERS["alibaba-pai"]).status_code == 200
    app.emulator.space("default").states["alibaba-pai"].credentials["any"] = {"id": "any", "disabled": True}
    assert client.get(RUNS, headers=HEADERS["alibaba-pai"]).status_code == 400


def test_a_query_that_cannot_be_decoded_is_told_apart_each_time() -> None:
    assert [parse_query("a=%ff")[1], parse_query("a=%41")[1], parse_query("a=%ff")[1]] == [True, False, True]


def test_pages_kept_by_a_store_are_bounded_and_equal_those_made_anew(
    snapshot: Callable[..., Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "MAX_PAGES_BYTES", 20_000)
    query = Query("alibaba-pai", "", (), (Order(Field("RunId")),))
    made = snapshot("alibaba-pai", [{"generate": 60}])
    store = stores.Store(made)
    for _ in range(2):
        for offset in range(0, 60, 5):
            page, fresh = (each.page(query, 0, Cut(offset, 5), "verbose") for each in (store, stores.Store(made)))
            assert (page.rows, page.keys, page.offset, page.total) == (fresh.rows, fresh.keys, offset, 60)
            assert page.rows.joined == b",".join(fresh.rows)
    assert 0 < store._pages_bytes <= 20_000
    assert store._pages_bytes == sum(stores._page_weight(key[0], page) for key, page in store._pages.items())


def test_what_changes_in_a_walk_is_seen_though_pages_are_kept(make_app: Callable[..., App]) -> None:
    scenario = {
        "scenario": "grows",
        "vendors": {"alibaba-pai": {"runs": [{"generate": 3}]}},
        "timeline": [{"vendor": "alibaba-pai", "after": {"page": 1}, "insert": [{"generate": 2}]}],
    }
    client = Client(make_app(scenario))
    totals = []
    for _ in range(3):
        with client.get(RUNS + "&PageNumber=1", headers=HEADERS["alibaba-pai"]) as answer:
            totals.append(len(json.loads(answer.data)["Runs"]))
    assert totals == [3, 5, 5]


def test_headers_that_repeat_are_one_and_long_ones_are_not_held() -> None:
    first, again = (header_field(b"X-Test-Repeats", b"same ".strip()) for _ in range(2))
    assert first == (("x-test-repeats", "same"), "HTTP_X_TEST_REPEATS")
    assert first is again
    before = _shared_field.cache_info().currsize
    header_field(b"X-Test-Long", b"x" * (SHARED_BYTES + 1))
    assert _shared_field.cache_info().currsize == before
