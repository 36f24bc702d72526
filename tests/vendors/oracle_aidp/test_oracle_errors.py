"""The error table: statuses and code names as the platform documents them, and MLflow's names of the same faults."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from http.client import HTTPResponse

import pytest

from localruns.surfaces.http import App
from localruns.vendors.oracle_aidp import VENDOR
from tests.clients.pagers import SEARCH

AUTH = {"Authorization": "Bearer any"}
# Status, code, MLflow's error_code where it has one for the fault.
TABLE = [
    (400, "InvalidParameter", "INVALID_PARAMETER_VALUE"),
    (400, "CannotParseRequest", ""),
    (400, "MissingParameter", ""),
    (400, "LimitExceeded", ""),
    (400, "QuotaExceeded", ""),
    (401, "NotAuthenticated", "UNAUTHENTICATED"),
    (403, "NotAuthorized", "PERMISSION_DENIED"),
    (404, "NotAuthorizedOrNotFound", "RESOURCE_DOES_NOT_EXIST"),
    (404, "NotFound", "ENDPOINT_NOT_FOUND"),
    (405, "MethodNotAllowed", ""),
    (409, "IncorrectState", "RESOURCE_CONFLICT"),
    (412, "NoEtagMatch", ""),
    (413, "RequestEntityTooLarge", ""),
    (429, "TooManyRequests", "REQUEST_LIMIT_EXCEEDED"),
    (500, "InternalServerError", "INTERNAL_ERROR"),
    (503, "ServiceUnavailable", "TEMPORARILY_UNAVAILABLE"),
]


def test_the_table_is_the_documented_one() -> None:
    assert [(row.status, row.code) for row in VENDOR.errors.rows] == [row[:2] for row in TABLE]


@pytest.mark.parametrize("error_code", [False, True])
def test_each_error_has_its_names_and_mlflows_only_where_asked_for(
    make_app: Callable[..., App], error_code: bool
) -> None:
    client = make_app(vendor="oracle-aidp", settings={"error_code": error_code}).test_client()
    for status, code, name in TABLE:
        answer = client.post(SEARCH, json={}, headers={**AUTH, "Prefer": f"error={code}"})
        assert (answer.status_code, answer.json["code"]) == (status, code)
        assert sorted(answer.json) == ["code", *(["error_code"] if error_code else []), "message"]
        assert answer.json.get("error_code", name).startswith(name)
        assert len(answer.headers["opc-request-id"]) == 32
        assert "retry-after" not in answer.headers


def test_throttling_is_said_in_the_platforms_words(make_app: Callable[..., App]) -> None:
    client = make_app(vendor="oracle-aidp").test_client()
    answer = client.post(SEARCH, json={}, headers={**AUTH, "Prefer": "code=429"})
    assert answer.json == {"code": "TooManyRequests", "message": "User-rate limit exceeded."}


@pytest.mark.parametrize(("wait_s", "header"), [(0.2, "1"), (2, "2"), (2.1, "3")])
def test_a_wait_is_named_in_whole_seconds_that_are_enough(
    make_app: Callable[..., App], wait_s: float, header: str
) -> None:
    fault = {"when": {"vendor": "oracle-aidp"}, "refuse": "unavailable", "retry_after_s": wait_s}
    scenario = {"scenario": "waits", "vendors": {"oracle-aidp": {"runs": []}}, "faults": [fault]}
    answer = make_app(scenario).test_client().post(SEARCH, json={}, headers=AUTH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, header)


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        ("Content-Length: many", 400, "CannotParseRequest"),
        ("No header", 400, "CannotParseRequest"),
        ("Content-Length: 4194305", 413, "RequestEntityTooLarge"),
        (f"X-Long: {'a' * 70_000}", 413, "RequestEntityTooLarge"),
    ],
)
def test_what_is_no_request_is_refused_in_the_platforms_shape(
    live: Callable[..., str], head: str, status: int, code: str
) -> None:
    host, _, port = live("quickstart").removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(f"POST {SEARCH} HTTP/1.1\r\nHost: {host}\r\n{head}\r\n\r\n".encode())
        answer = HTTPResponse(line)
        answer.begin()
        body = json.loads(answer.read())
    assert (answer.status, body["code"], sorted(body)) == (status, code, ["code", "message"])
    assert len(answer.headers["opc-request-id"]) == 32
