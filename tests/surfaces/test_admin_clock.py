"""Virtual time over the control API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import Client

from localruns.surfaces.http import App


@pytest.fixture
def client(make_app: Callable[..., App]) -> Client:
    return make_app("quickstart").test_client()


def change(client: Client, **asked: Any) -> Any:
    answer = client.put("/__admin/clock", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json


def now(client: Client) -> datetime:
    return datetime.fromisoformat(client.get("/__admin/clock").json["now"])


def test_time_starts_where_the_scenario_says_and_ticks(client: Client) -> None:
    shown = client.get("/__admin/clock").json
    assert (shown["namespace"], shown["frozen"]) == ("default", False)
    assert shown["now"].startswith("2026-01-15T09:00:0")
    assert now(client) > datetime.fromisoformat(shown["now"])


def test_a_frozen_clock_stands_still_where_it_is_or_where_it_was_put(client: Client) -> None:
    assert change(client, action="freeze")["frozen"] is True
    assert now(client) == now(client)
    shown = change(client, action="freeze", at="2030-06-01T02:00:00+02:00")
    assert shown == {"namespace": "default", "now": "2030-06-01T00:00:00Z", "frozen": True}
    assert now(client).year == 2030


def test_an_advance_jumps_ahead_and_a_frozen_clock_stays_frozen(client: Client) -> None:
    change(client, action="freeze", at="2030-06-01T00:00:00Z")
    assert change(client, action="advance", seconds=90.5)["now"] == "2030-06-01T00:01:30.500000Z"
    change(client, action="reset")
    before = now(client)
    assert change(client, action="advance", seconds=3600)["frozen"] is False
    assert now(client) - before > timedelta(hours=1)


def test_a_reset_goes_back_to_the_start_ticking(client: Client) -> None:
    change(client, action="freeze", at="2030-06-01T00:00:00Z")
    shown = change(client, action="reset")
    assert shown["frozen"] is False
    assert shown["now"].startswith("2026-01-15T09:00:0")


def test_the_journal_is_stamped_with_virtual_time(client: Client) -> None:
    change(client, action="freeze", at="2030-06-01T00:00:00Z")
    client.get("/nope").close()
    assert client.get("/__admin/requests/1").json["at"] == "2030-06-01T00:00:00Z"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"[]", "the body: found []"),
        (b"{}", "'action'"),
        (b'{"action": "stop"}', "action: found 'stop'"),
        (b'{"action": "freze"}', "did you mean 'freeze'"),
        (b'{"action": "freeze", "att": "x"}', "did you mean 'at'"),
        (b'{"action": "freeze", "at": 5}', "at: found 5"),
        (b'{"action": "freeze", "at": "tomorrow"}', "at: found 'tomorrow'"),
        (b'{"action": "freeze", "at": "2030-01-01T00:00:00"}', "at: found '2030-01-01T00:00:00'"),
        (b'{"action": "freeze", "seconds": 5}', "seconds: found it beside action 'freeze'"),
        (b'{"action": "advance", "at": "2030-01-01T00:00:00Z", "seconds": 1}', "at: found it beside"),
        (b'{"action": "advance"}', "seconds: found none"),
        (b'{"action": "advance", "seconds": -1}', "seconds: found -1"),
        (b'{"action": "advance", "seconds": "1"}', "seconds: found '1'"),
        (b'{"action": "reset", "seconds": 1}', "seconds: found it beside action 'reset'"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused_by_field(client: Client, body: bytes, words: str) -> None:
    change(client, action="freeze", at="2030-06-01T00:00:00Z")
    answer = client.put("/__admin/clock", data=body)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert words in answer.json["detail"]
    assert now(client).year == 2030
