"""Shared steps: what `Prefer` asks for, and when faults of a scenario fire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localruns.engine.faults.armed import Fault, Moment
from localruns.engine.message import Request
from localruns.surfaces.http import App
from localruns.vendors import IDS, all_vendors
from tests.clients.pagers import PAGERS

FIRST = {pager.vendor: pager for pager in reversed(PAGERS)}
KINDS = ("bad_request", "unauthorized", "forbidden", "not_found", "throttled", "server_error", "unavailable")
HEADERS = {"Authorization": "ACS3-HMAC-SHA256 Credential=any,SignedHeaders=host,Signature=00"}


def get(app: App, page: int = 1, size: int = 5, **headers: str) -> Any:
    url = f"/api/v1/runs?PageNumber={page}&PageSize={size}"
    answer = app.test_client().get(url, headers={**HEADERS, **headers})
    assert answer.data
    return answer


def faulty(make_app: Callable[..., App], *faults: dict[str, Any]) -> App:
    listed = [{**fault, "when": {"vendor": "alibaba-pai", **fault["when"]}} for fault in faults]
    vendors = {"alibaba-pai": {"runs": [{"generate": 40}]}}
    return make_app({"scenario": "faulty", "vendors": vendors, "faults": listed})


@pytest.mark.parametrize("vendor", IDS)
def test_every_neutral_kind_has_a_row_and_every_status_can_be_preferred(vendor: str) -> None:
    table = all_vendors()[vendor].errors
    assert set(KINDS) <= set(table.kinds)
    for row in table.rows:
        found = table.of_status(row.status)
        assert found is not None
        assert found.status == row.status
    assert table.of_status(418) is None


@pytest.mark.parametrize(
    ("prefer", "status", "code"),
    [
        ("code=429", 429, "Throttling.User"),
        ("CODE = 429", 429, "Throttling.User"),
        ('code="503"; foo=bar', 503, "ServiceUnavailable"),
        ("code=400", 400, "InvalidParameter"),
        ("code=429; error=Throttling.Api", 429, "Throttling.Api"),
        ("error=SignatureNonceUsed", 400, "SignatureNonceUsed"),
        ("respond-async, code=500", 500, "InternalError"),
    ],
)
def test_a_preferred_error_is_answered_in_the_vendors_shape(
    make_app: Callable[..., App], prefer: str, status: int, code: str
) -> None:
    app = make_app(vendor="alibaba-pai")
    answer = get(app, Prefer=prefer)
    assert (answer.status_code, answer.json["Code"]) == (status, code)
    (entry,) = app.emulator.space("default").journal
    assert entry.refusal is not None
    assert entry.refusal.injected
    assert f"Prefer: {prefer}" in entry.refusal.detail
    assert get(app).status_code == 200


def test_preferring_comes_before_credentials(make_app: Callable[..., App]) -> None:
    client = make_app(vendor="alibaba-pai").test_client()
    assert client.get("/api/v1/runs", headers={"Prefer": "code=503"}).status_code == 503


@pytest.mark.parametrize("prefer", ["code=418", "code=abc", "code=4290", "error=Nope", "code=429; error=InternalError"])
def test_an_error_that_the_vendor_does_not_have_is_a_problem(make_app: Callable[..., App], prefer: str) -> None:
    answer = get(make_app(vendor="alibaba-pai"), Prefer=prefer)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert "alibaba-pai has no" in answer.json["detail"]
    assert "429 Throttling.User" in answer.json["detail"]


@pytest.mark.parametrize("prefer", ["wait=5", "return=minimal", "", "code", "code="])
def test_other_preferences_change_nothing(make_app: Callable[..., App], prefer: str) -> None:
    assert get(make_app(vendor="alibaba-pai"), Prefer=prefer).status_code == 200


@pytest.mark.parametrize(
    ("when", "moments", "fired"),
    [
        ({}, [1, 2, 3], [1, 2, 3]),
        ({"call": 2}, [1, 2, 3], [2]),
        ({"calls": [2, 3]}, [1, 2, 3, 4], [2, 3]),
        ({"every": 2}, [1, 2, 3, 4], [2, 4]),
        ({"every": 2, "calls": [3, 9]}, [1, 2, 3, 4, 5, 6], [4, 6]),
    ],
)
def test_triggers_count_calls(when: dict[str, Any], moments: list[int], fired: list[int]) -> None:
    fault = Fault({"when": {"vendor": "v", **when}, "refuse": "throttled"})
    assert [call for call in moments if fault.strikes(Moment("v", "L", call, 1, 0))] == fired
    assert fault.fired == len(fired)


@pytest.mark.parametrize(
    ("when", "moment", "strikes"),
    [
        ({"page": 3}, Moment("v", "L", 1, 3, 0), True),
        ({"page": 3}, Moment("v", "L", 3, 1, 0), False),
        ({"after_rows": 10}, Moment("v", "L", 1, 1, 9), False),
        ({"after_rows": 10}, Moment("v", "L", 1, 1, 10), True),
        ({"operation": "L"}, Moment("v", "L", 1, 1, 0), True),
        ({"operation": "M"}, Moment("v", "L", 1, 1, 0), False),
        ({}, Moment("w", "L", 1, 1, 0), False),
        ({"page": 3, "call": 1}, Moment("v", "L", 2, 3, 0), False),
    ],
)
def test_all_named_triggers_must_hold(when: dict[str, Any], moment: Moment, strikes: bool) -> None:
    assert Fault({"when": {"vendor": "v", **when}, "refuse": "throttled"}).strikes(moment) is strikes


def test_a_fault_fires_as_often_as_it_may_and_again_after_a_reset(make_app: Callable[..., App]) -> None:
    app = faulty(make_app, {"when": {"page": 2}, "times": 2, "refuse": "throttled", "retry_after_s": 2})
    for _ in range(2):
        assert [get(app, page).status_code for page in (1, 2, 2, 2, 1)] == [200, 429, 429, 200, 200]
        app.emulator.space("default").reset()


def test_a_refusal_may_be_a_code_of_the_vendors(make_app: Callable[..., App]) -> None:
    answer = get(faulty(make_app, {"when": {}, "refuse": "Throttling.Api", "retry_after_s": 2}))
    assert (answer.status_code, answer.json["Code"], answer.headers["x-acs-retry-after"]) == (
        429,
        "Throttling.Api",
        "2000",
    )


def test_the_first_fault_that_strikes_wins_and_only_it_is_counted(make_app: Callable[..., App]) -> None:
    app = faulty(
        make_app, {"when": {"call": 1}, "refuse": "throttled"}, {"when": {}, "times": 1, "refuse": "unavailable"}
    )
    assert [get(app).status_code for _ in range(3)] == [429, 503, 200]


def test_rows_are_counted_once_they_are_delivered(make_app: Callable[..., App]) -> None:
    app = faulty(make_app, {"when": {"after_rows": 10}, "refuse": "server_error"})
    assert [get(app, page).status_code for page in (1, 2, 3)] == [200, 200, 500]


def test_a_refused_call_still_has_a_number_of_its_own(make_app: Callable[..., App]) -> None:
    app = faulty(make_app, {"when": {"call": 2}, "refuse": "throttled"})
    ids = [get(app).json.get("requestId") or get(app).json.get("RequestId") for _ in range(4)]
    assert len(set(ids)) == 4


@pytest.mark.parametrize("retry_after_s", [0, 0.0001, 1e300, 1e308])
def test_any_wait_that_a_scenario_may_name_is_answered(make_app: Callable[..., App], retry_after_s: float) -> None:
    for vendor, pager in FIRST.items():
        faults = [{"when": {"vendor": vendor}, "refuse": "throttled", "retry_after_s": retry_after_s}]
        app = make_app({"scenario": "x", "vendors": {vendor: {}}, "faults": faults})
        answer = pager.ask(app.test_client(), 5, None, {})
        assert answer.status_code in (429, 500)
        (entry,) = app.emulator.space("default").journal
        assert bool(entry.defect) == (answer.status_code == 500)


def test_two_prefer_headers_are_read_as_one(make_app: Callable[..., App]) -> None:
    emulator = make_app(vendor="alibaba-pai").emulator
    headers = (("authorization", HEADERS["Authorization"]), ("prefer", "wait=5"), ("prefer", "code=503"))
    route = emulator.router.find("GET", "/api/v1/runs")
    assert route is not None
    reply, *_ = emulator.answer(Request("GET", "/api/v1/runs", "/api/v1/runs", headers=headers), route)
    assert reply.status == 503
