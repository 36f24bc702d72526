"""Faults armed while running, and the walk ledger, over the control API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from localruns.surfaces.http import App
from tests.clients.pagers import PAGERS

PAI = PAGERS[0]


@pytest.fixture
def client(make_app: Callable[..., App]) -> Client:
    return make_app("quickstart").test_client()


def arm(client: Client, fault: Any) -> Any:
    answer = client.post("/__admin/faults", json=fault)
    return answer.status_code, answer.json


def status(client: Client, size: int = 10, token: Any = None) -> int:
    answer = PAI.ask(client, size, token, {})
    answer.get_data()
    return answer.status_code


def test_a_fault_armed_while_running_fires_and_is_counted(client: Client) -> None:
    fault = {"when": {"vendor": "alibaba-pai", "page": 2}, "times": 1, "refuse": "throttled"}
    code, shown = arm(client, fault)
    assert code == 201
    assert shown == {"id": 1, "fault": fault, "words": "refuse throttled at page 2", "fired": 0, "used_up": False}
    assert [status(client), status(client, token=10), status(client, token=10)] == [200, 429, 200]
    (listed,) = client.get("/__admin/faults").json["faults"]
    assert (listed["fired"], listed["used_up"]) == (1, True)


def test_a_fault_of_one_call_is_used_up_by_it(client: Client) -> None:
    arm(client, {"when": {"vendor": "alibaba-pai", "call": 2}, "refuse": "throttled"})
    assert [status(client) for _ in range(3)] == [200, 429, 200]
    (listed,) = client.get("/__admin/faults").json["faults"]
    assert (listed["fired"], listed["used_up"]) == (1, True)


def test_a_page_fault_armed_while_running_fires_and_is_counted(client: Client) -> None:
    arm(client, {"when": {"vendor": "alibaba-pai", "page": 2}, "page_fault": "short_page"})
    sizes = [len(page.rows) for page in PAI.walk(client, 10)]
    assert sizes == [10, 5, 10]
    assert client.get("/__admin/faults").json["faults"][0]["fired"] == 1


def test_a_fault_is_taken_away_and_a_reset_takes_all(client: Client) -> None:
    for _ in range(2):
        arm(client, {"when": {"vendor": "alibaba-pai"}, "refuse": "server_error"})
    assert status(client) == 500
    assert client.delete("/__admin/faults/1").json["fired"] == 1
    assert client.delete("/__admin/faults/1").status_code == 404
    assert status(client) == 500
    client.post("/__admin/reset")
    assert client.get("/__admin/faults").json["faults"] == []
    assert status(client) == 200


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({}, "when"),
        ({"when": {"vendor": "alibaba-pai"}}, "expected one of: refuse, page_fault, wire"),
        ({"when": {"vendor": "alibaba-pai"}, "refuse": "throttled", "wire": {"empty_reply": True}}, "refuse and wire"),
        ({"when": {"vendor": "alibaba"}, "refuse": "throttled"}, "when.vendor"),
        ({"when": {"vendor": "alibaba-pai"}, "refuse": "Throtling.User"}, "did you mean 'Throttling.User'"),
        ({"when": {"vendor": "alibaba-pai"}, "page_fault": "repeat"}, "page_fault: found 'repeat'"),
        (
            {"when": {"vendor": "naver-nsml"}, "page_fault": "repeat_token"},
            "naver-nsml cannot express: it pages by number",
        ),
        ({"when": {"vendor": "alibaba-pai"}, "wire": {"reset": 1}}, "wire.reset: found unknown key 'reset'"),
        ({"when": {"vendor": "alibaba-pai", "cal": 1}, "refuse": "throttled"}, "did you mean 'call'"),
        ({"when": {"vendor": "alibaba-pai", "call": 3, "every": 2}, "refuse": "throttled"}, "can never all hold"),
        ({"when": {"vendor": "alibaba-pai"}, "wire": {"empty_reply": True}, "retry_after_s": 1}, "with refuse only"),
        ([], "a mapping"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_its_field(client: Client, fault: Any, named: str) -> None:
    code, shown = arm(client, fault)
    assert (code, shown["title"]) == (400, "bad request")
    assert named in shown["detail"]
    assert client.get("/__admin/faults").json["faults"] == []


def test_walks_are_listed_and_found(client: Client) -> None:
    PAI.rows(client, 10)
    (walk,) = client.get("/__admin/walks").json["walks"]
    assert (walk["vendor"], walk["complete"], walk["delivered"]) == ("alibaba-pai", True, 25)
    assert client.get(f"/__admin/walks/{walk['id']}").json == walk
    assert client.get("/__admin/walks?vendor=naver-nsml").json["walks"] == []
    assert client.get("/__admin/walks?vendor=x").status_code == 400
    assert client.get("/__admin/walks/99").status_code == 404
