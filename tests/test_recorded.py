"""Recordings as regression tests: the recorded requests, asked again, get the recorded answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localruns.engine.recorded.exchange import Exchange
from localruns.engine.recorded.recording import Reader
from localruns.engine.routing import Router
from localruns.paths import fixtures_dir
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.pagers import HEADERS

ENDING = ".recording.yaml"
RECORDINGS = sorted(fixtures_dir().glob(f"recorded/*{ENDING}"))
# Request ids differ from one recording to the next; all else must be equal.
_REQUEST_ID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")

each_recording = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in RECORDINGS])
MakeApp = Callable[..., App]


def masked(value: Any) -> Any:
    return json.loads(_REQUEST_ID.sub("ID", json.dumps(value)))


def asked_again(app: App, path: Path) -> Iterator[tuple[Exchange, Any]]:
    """(exchange, answer) of each recorded request, in order."""
    client, router = app.test_client(), Router(all_vendors().values())
    for exchange in Reader(path):
        request = exchange.request
        vendor = router.vendor_of(request.path)
        assert vendor is not None
        yield (
            exchange,
            client.open(request.target, method=request.method, headers=HEADERS[vendor.id], data=request.body),
        )


@each_recording
def test_a_cassette_answers_as_the_platform_did_byte_for_byte(make_app: MakeApp, path: Path) -> None:
    app = make_app(str(path))
    for exchange, answer in asked_again(app, path):
        assert (answer.status_code, answer.data) == (exchange.reply.status, exchange.reply.body)
        assert [(name.lower(), value) for name, value in answer.headers if name != "Content-Length"] == [
            *exchange.reply.headers
        ]
    assert app.test_client().get("/__admin/recording").json["unplayed"] == []


@each_recording
def test_the_scenario_of_that_name_answers_alike_but_for_request_ids(make_app: MakeApp, path: Path) -> None:
    for exchange, answer in asked_again(make_app(path.name.removesuffix(ENDING)), path):
        recorded = exchange.reply
        assert answer.status_code == recorded.status
        assert masked(answer.json) == masked(json.loads(recorded.body))
        assert {name: masked(answer.headers[name]) for name, _ in recorded.headers} == masked(dict(recorded.headers))


def test_there_is_a_recording() -> None:
    assert RECORDINGS
