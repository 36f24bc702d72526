"""Every line of the error table, by `Prefer`, by a fault and by the edge; what a body looks like."""

from __future__ import annotations

import re

import pytest

from localruns import schemas
from localruns.errors import KINDS
from localruns.vendors.naver_nsml import VENDOR
from localruns.vendors.naver_nsml.problems import TABLE

ROWS = pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: row.code)
GATEWAY = {
    "100": (400, "Bad Request Exception"),
    "200": (401, "Authentication Failed"),
    "210": (401, "Permission Denied"),
    "230": (403, "Forbidden"),
    "300": (404, "Not Found Exception"),
    "430": (413, "Request Entity Too Large"),
    "400": (429, "Quota Exceeded"),
    "410": (429, "Throttle Limited"),
    "420": (429, "Rate Limited"),
    "500": (503, "Endpoint Error"),
    "510": (504, "Endpoint Timeout"),
    "900": (500, "Unexpected Error"),
}
SERVICE = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Accepted",
    500: "Internal Server Error",
}


def test_the_table_is_the_published_one():
    gateway = {row.code: (row.status, row.message) for row in TABLE.rows if row.code.isdigit()}
    service = {row.status: row.message for row in TABLE.rows if row.code == f"nsml-{row.status}"}

    assert gateway == GATEWAY
    assert service == SERVICE
    assert len(TABLE.rows) == len(TABLE.by_code) == len(GATEWAY) + len(SERVICE)


def test_every_neutral_kind_and_every_status_of_the_edge_has_a_row():
    assert set(TABLE.kinds) == set(KINDS)
    assert set(TABLE.transport) >= {400, 404, 413, 414, 431}
    assert {*TABLE.kinds.values(), *TABLE.transport.values()} <= set(TABLE.by_code)


@ROWS
def test_prefer_brings_forth_every_error(site, row):
    response = site().get(headers={"Prefer": f"code={row.status}; error={row.code}"})

    body = response.get_json()
    assert response.status_code == row.status
    assert body["error"]["errorCode"] == row.code.removeprefix("nsml-")
    assert body["error"]["message"] == row.message
    assert body["error"]["details"]
    assert list(body["error"]) == ["errorCode", "message", "details"]
    assert response.content_type == "application/json;charset=UTF-8"
    assert len(response.headers["x-ncp-trace-id"]) == 26


@ROWS
def test_a_fault_brings_forth_every_error_and_its_wait(site, row):
    faults = [{"when": {"vendor": "naver-nsml", "call": 1}, "refuse": row.code, "retry_after_s": 1.5}]
    started = site(faults=faults)
    response = started.get()

    assert response.status_code == row.status
    assert response.headers["Retry-After"] == "2"
    assert started.get().status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("bad_request", 400, "400"),
        ("unauthorized", 401, "200"),
        ("forbidden", 403, "403"),
        ("not_found", 404, "300"),
        ("throttled", 429, "420"),
        ("server_error", 500, "900"),
        ("unavailable", 503, "500"),
    ],
)
def test_every_neutral_kind_can_be_asked_for(site, kind, status, code):
    started = site(faults=[{"when": {"vendor": "naver-nsml", "call": 1}, "refuse": kind}])
    by_fault, by_header = started.get(), started.get(headers={"Prefer": f"code={status}"})

    assert by_fault.status_code == by_header.status_code == status
    assert by_fault.get_json()["error"]["errorCode"] == by_header.get_json()["error"]["errorCode"] == code
    assert "Retry-After" not in by_fault.headers


def test_a_status_outside_the_table_is_not_the_vendors(site):
    response = site().get(headers={"Prefer": "code=418"})

    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    assert "nsml-406" in response.get_json()["detail"]


def test_a_defect_of_ours_is_an_unexpected_error(site, monkeypatch):
    started = site()
    monkeypatch.setattr(started.space.store, "page", lambda *_: 1 / 0)

    response = started.get()
    assert response.status_code == 500
    assert response.get_json()["error"]["errorCode"] == "900"
    assert "ZeroDivisionError" in started.last.defect


@pytest.mark.parametrize(
    ("status", "expected", "code"),
    [(400, 400, "100"), (404, 404, "300"), (413, 413, "430"), (414, 413, "430"), (431, 413, "430")],
)
def test_the_edge_refuses_in_the_shape_of_the_gateway(site, status, expected, code):
    reply = site().app.emulator.refuse(status, "/nsml/v1/projects/runs?page=1", "too large")

    assert reply.status == expected
    assert reply.content["error"]["errorCode"] == code
    assert reply.content_type == "application/json;charset=UTF-8"
    assert re.fullmatch("[0-9a-z]{26}", dict(reply.headers)["x-ncp-trace-id"])


def test_the_rate_limit_of_a_scenario_names_the_wait(site):
    started = site(rate_limit={"naver-nsml": {"calls": 1, "per_s": 60}})
    first, second = started.get(), started.get()

    assert "Retry-After" not in first.headers
    assert (second.status_code, second.get_json()["error"]["errorCode"]) == (429, "420")
    assert 0 < int(second.headers["Retry-After"]) <= 60


def test_a_throttled_page_lets_the_same_page_be_asked_again(site):
    faults = [{"when": {"vendor": "naver-nsml", "page": 2}, "times": 1, "refuse": "throttled", "retry_after_s": 2}]
    started = site(faults=faults)
    target = "/nsml/v1/projects/runs?page=2"

    assert [started.get(target).status_code for _ in range(2)] == [429, 200]


@pytest.mark.parametrize("code", ["400", 400])
def test_error_codes_are_text_or_numbers_in_the_schema(code):
    body = {"error": {"errorCode": code, "message": "Bad Request"}}

    assert not schemas.pointers("naver-nsml/error.json", body)


def test_schemas_are_titled_and_described():
    for file in ("list-runs.json", "error.json"):
        schema = schemas.bundled(f"naver-nsml/{file}")
        assert schema["title"]
        assert schema["description"]


def test_only_nsml_paths_are_the_vendors():
    assert VENDOR.prefixes == ("/nsml/",)
