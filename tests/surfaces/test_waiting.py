"""The first sort of many rows is done beside the event loop: others are answered meanwhile, nothing counts twice."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from localruns.engine import store
from localruns.engine.query import Query
from localruns.engine.store import Store
from localruns.surfaces.edge import Edge
from localruns.surfaces.http import App, is_slow, refuser

ALIBABA = "/api/v1/runs"
NAVER = "/nsml/v1/projects/runs"
HEADERS = {"Authorization": "ACS3-HMAC-SHA256 Credential=any,SignedHeaders=host,Signature=00"}
SIGNED = dict.fromkeys(
    ("x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-api-key", "x-ncp-apigw-signature-v2"), "any"
)
ROWS = {
    "scenario": "s",
    "vendors": {"alibaba-pai": {"runs": [{"generate": 200}]}, "naver-nsml": {"runs": [{"generate": 9}]}},
}


class Gate:
    """Holds up every sort until it is opened, and counts them."""

    def __init__(self, resolve: Callable[..., array[int]]) -> None:
        self._resolve = resolve
        self.reached, self.open = threading.Semaphore(0), threading.Event()
        self.threads: list[str] = []

    def __call__(self, query: Query, version: int) -> array[int]:
        self.threads.append(threading.current_thread().name)
        self.reached.release()
        assert self.open.wait(10)
        return self._resolve(query, version)


@pytest.fixture
def app(make_app: Callable[..., App], monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setattr(store, "FEW_ROWS", 100)
    return make_app(ROWS)


@pytest.fixture
def gate(app: App, monkeypatch: pytest.MonkeyPatch) -> Gate:
    found = app.emulator.space("default").store
    gate = Gate(found._resolve)
    monkeypatch.setattr(found, "_resolve", gate)
    return gate


@pytest.fixture
def url(app: App) -> Iterator[str]:
    with Edge(app, refuser(app.emulator), slow=is_slow) as edge:
        yield edge.url


def get(url: str, path: str, **params: Any) -> httpx.Response:
    return httpx.get(url + path, params=params, headers={**HEADERS, **SIGNED}, timeout=20)


def test_others_are_answered_while_many_rows_are_sorted(app: App, gate: Gate, url: str) -> None:
    gate.open.set()
    assert get(url, NAVER).json()["totalCount"] == 9
    gate.open.clear()
    gate.reached.acquire()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(get, url, ALIBABA, MaxResults=7)
        assert gate.reached.acquire(timeout=10)
        again = pool.submit(get, url, ALIBABA, MaxResults=7)
        assert get(url, NAVER).json()["totalCount"] == 9
        assert get(url, "/__admin/health").status_code == 200
        assert not first.done()
        gate.open.set()
        answers = [first.result().json(), again.result().json()]
    assert [len(answer["Runs"]) for answer in answers] == [7, 7]
    assert gate.threads[1:] == ["localruns-edge-worker"]


def test_a_request_that_was_put_off_counts_once(app: App, gate: Gate, url: str, make_app: Callable[..., App]) -> None:
    gate.open.set()
    answers = [get(url, ALIBABA, MaxResults=size).json() for size in (5, 6, 5)]
    plain = make_app(ROWS).test_client()
    assert answers == [plain.get(f"{ALIBABA}?MaxResults={size}", headers=HEADERS).json for size in (5, 6, 5)]
    space = app.emulator.space("default")
    assert (space.states["alibaba-pai"].number, space.states["alibaba-pai"].calls) == (3, 3)
    assert [len(walk.visits) for walk in space.walks] == [1, 1, 1]
    assert [entry.sent for entry in space.journal] == [True] * 3
    assert len(gate.threads) == 1


def test_a_refusal_by_the_sort_itself_is_the_vendors(app: App, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> array[int]:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(app.emulator.space("default").store, "_resolve", fail)
    answer = get(url, ALIBABA)
    assert (answer.status_code, answer.json()["Code"]) == (500, "InternalError")
    (entry,) = app.emulator.space("default").journal
    assert "the disk is gone" in entry.defect


def test_two_threads_that_ask_the_same_sort_it_once(app: App, gate: Gate) -> None:
    found: Store = app.emulator.space("default").store
    query = Query("alibaba-pai", "", (), ())
    with ThreadPoolExecutor(3) as pool:
        orders = [pool.submit(found.order, query, 0) for _ in range(3)]
        gate.open.set()
        assert {len(order.result()) for order in orders} == {200}
    assert len(gate.threads) == 1


def test_elsewhere_it_is_done_at_once(app: App, gate: Gate) -> None:
    gate.open.set()
    answer = app.test_client().get(ALIBABA, headers=HEADERS)
    assert len(answer.json["Runs"]) == 10
    assert gate.threads == [threading.current_thread().name]
