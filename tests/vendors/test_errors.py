"""Every error of every vendor can be had, by a fault and by `Prefer`, and keeps its schema."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import Client

from localruns.errors import KINDS
from localruns.surfaces.http import App
from localruns.vendors import IDS, all_vendors
from tests.clients.pagers import PAGERS

ASK = {pager.vendor: pager for pager in PAGERS}
EACH_VENDOR = pytest.mark.parametrize("vendor", IDS)


def refused_with(client: Client, vendor: str, **headers: str) -> tuple[int, str]:
    """(status, what the journal says was answered)."""
    answer = ASK[vendor].ask(client, 5, None, {})
    entry = client.get("/__admin/requests?limit=1").json["requests"][-1]
    assert entry["defect"] is None
    assert entry["status"] == answer.status_code
    return answer.status_code, entry["why"]


@EACH_VENDOR
def test_every_error_answers_with_each_error_once_and_then_is_well(make_app: Callable[..., App], vendor: str) -> None:
    client = make_app("every-error").test_client()
    for row in all_vendors()[vendor].errors.rows:
        status, why = refused_with(client, vendor)
        assert status == row.status
        assert f"refuse {row.code} " in why
    assert ASK[vendor].ask(client, 5, None, {}).status_code == 200


@EACH_VENDOR
def test_every_neutral_kind_is_rendered(make_app: Callable[..., App], vendor: str) -> None:
    statuses = {"bad_request": 400, "unauthorized": 401, "forbidden": 403, "not_found": 404, "throttled": 429,
                "server_error": 500, "unavailable": 503}  # fmt: skip
    assert set(statuses) == set(KINDS)
    faults = [{"when": {"vendor": vendor, "call": i}, "refuse": kind} for i, kind in enumerate(statuses, 1)]
    client = make_app({"scenario": "kinds", "vendors": {vendor: {"runs": []}}, "faults": faults}).test_client()
    assert [refused_with(client, vendor)[0] for _ in statuses] == list(statuses.values())


@EACH_VENDOR
def test_prefer_asks_for_any_error_by_code_and_by_status(make_app: Callable[..., App], vendor: str) -> None:
    client = make_app("empty").test_client()
    prefix = all_vendors()[vendor].prefixes[0]
    for row in all_vendors()[vendor].errors.rows:
        for asked in (
            f"code={row.status}; error={row.code}",
            f'code={row.status}; error="{row.code}"',
            f"code={row.status}",
        ):
            assert client.get(prefix + "x", headers={"Prefer": asked}).status_code == row.status


@EACH_VENDOR
def test_a_wait_is_asked_for_in_the_vendors_own_header(make_app: Callable[..., App], vendor: str) -> None:
    fault = {"when": {"vendor": vendor}, "refuse": "throttled", "retry_after_s": 2}
    client = make_app({"scenario": "slow-down", "vendors": {vendor: {"runs": []}}, "faults": [fault]}).test_client()
    answer = ASK[vendor].ask(client, 5, None, {})
    waits = {"x-acs-retry-after": "2000"} if vendor == "alibaba-pai" else {"retry-after": "2"}
    assert {name: answer.headers.get(name) for name in waits} == waits
