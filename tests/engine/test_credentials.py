"""Credentials that a scenario marks: disabled, expired at a time, expired after so many calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localruns.surfaces.http import App
from localruns.vendors import IDS
from tests.clients.pagers import PAGERS

BY_VENDOR = {pager.vendor: pager for pager in PAGERS}
REFUSED = {"alibaba-pai": 400, "oracle-aidp": 401, "naver-nsml": 401, "palantir-foundry": 401}


def statuses(app: App, vendor: str, count: int) -> list[int]:
    client = app.test_client()
    return [BY_VENDOR[vendor].ask(client, 5, None, {}).status_code for _ in range(count)]


@pytest.mark.parametrize("vendor", IDS)
@pytest.mark.parametrize(
    ("marks", "good"),
    [({"disabled": True}, 0), ({"expires_after_calls": 3}, 3), ({"expires_after_calls": 0}, 0), ({}, 5)],
)
def test_a_marked_credential_is_refused_from_then_on(
    make_app: Callable[..., App], vendor: str, marks: dict[str, Any], good: int
) -> None:
    app = make_app(vendor=vendor, credentials=[{"id": "any", **marks}])
    assert statuses(app, vendor, 5) == [200] * good + [REFUSED[vendor]] * (5 - good)
    app.test_client().post("/__admin/reset")
    assert statuses(app, vendor, 1) == [200 if good else REFUSED[vendor]]


@pytest.mark.parametrize("vendor", IDS)
def test_a_credential_expires_in_virtual_time(make_app: Callable[..., App], vendor: str) -> None:
    app = make_app(vendor=vendor, credentials=[{"id": "any", "expires": "2026-01-15T10:00:00Z"}])
    app.emulator.space("default").clock.freeze()
    assert statuses(app, vendor, 1) == [200]
    app.emulator.space("default").clock.advance(3600)
    assert statuses(app, vendor, 1) == [REFUSED[vendor]]


@pytest.mark.parametrize("vendor", IDS)
def test_the_mode_off_looks_at_nothing(make_app: Callable[..., App], vendor: str) -> None:
    app = make_app(vendor=vendor, auth="off", credentials=[{"id": "any", "disabled": True}])
    assert statuses(app, vendor, 1) == [200]
