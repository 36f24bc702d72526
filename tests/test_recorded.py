"""Recorded scenarios as regression tests: the recorded requests, asked again, get the recorded answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localruns.paths import fixtures_dir
from localruns.surfaces.http import App
from tests.clients.pagers import HEADERS

RECORDINGS = sorted(fixtures_dir().glob("recorded/*.exchanges.json"))
# Request ids differ from one recording to the next; all else must be equal.
_REQUEST_ID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def masked(value: Any) -> Any:
    return json.loads(_REQUEST_ID.sub("ID", json.dumps(value)))


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name.split(".")[0]) for path in RECORDINGS])
def test_a_recording_is_replayed_exchange_by_exchange(make_app: Callable[..., App], path: Path) -> None:
    recording = json.loads(path.read_text("utf-8"))
    client = make_app(recording["recording"]).test_client()
    for exchange in recording["exchanges"]:
        request, recorded = exchange["request"], exchange["answer"]
        answer = client.open(request["target"], method=request["method"], headers=HEADERS[recording["vendor"]])
        assert answer.status_code == recorded["status"]
        assert masked(answer.json) == masked(recorded["body"])
        assert {name: masked(answer.headers[name]) for name in recorded["headers"]} == masked(recorded["headers"])


def test_there_is_a_recording() -> None:
    assert RECORDINGS
