"""Bearer tokens in the three modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from localruns.engine.message import Request
from localruns.vendors.palantir_foundry.access import identify

Make = Callable[..., Any]
UNAUTHORIZED = (401, "Default:Unauthorized", {})
CREDENTIALS = [
    {"id": "reader", "token": "read-only", "scopes": ["api:models-read"]},
    {"id": "writer", "token": "write-only", "scopes": ["api:models-write"]},
    {"id": "off", "token": "off-token", "disabled": True},
    {"id": "old", "token": "old-token", "expires": "2026-01-15T09:00:00Z"},
    {"id": "soon", "token": "soon-token", "expires": "2026-01-15T10:00:00Z"},
    {"id": "outsider", "token": "no-rights", "allow": False},
    {"id": "bare-token"},
]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_off_looks_at_nothing(foundry: Make) -> None:
    api = foundry(auth="off", credentials=CREDENTIALS)
    for headers in ({}, bearer("off-token"), bearer("no-rights"), {"Authorization": "Basic x"}):
        assert api.runs(headers=headers).status_code == 200


@pytest.mark.parametrize("mode", ["present", "verify"])
def test_without_a_header_credentials_are_missing(foundry: Make, mode: str) -> None:
    api = foundry(auth=mode)
    assert api.refused(api.runs(headers={})) == (401, "MissingCredentials", {})


@pytest.mark.parametrize("mode", ["present", "verify"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "bearer localruns-token",
        "localruns-token",
        "Bearer Bearer x",
        "Bearer  x",
        "Bearer a=b",
        "Bearer ü",
        "Basic bG9jYWxydW5z",
        "Bearer a,Bearer b",
        "Bearer =",
    ],
)
def test_a_header_that_is_not_one_bearer_token_is_malformed(foundry: Make, mode: str, value: str) -> None:
    api = foundry(auth=mode)
    answer = api.runs(headers={"Authorization": value.encode().decode("latin-1")})
    assert api.refused(answer) == (401, "Conjure:MalformedCredentials", {})
    assert "localruns-token" not in api.why
    assert "bG9jYWxydW5z" not in api.why


def test_two_headers_are_malformed(foundry: Make, live: Callable[..., str]) -> None:
    api = foundry()
    twice = [("Authorization", "Bearer a"), ("Authorization", "Bearer a")]
    assert api.refused(api.runs(headers=twice))[1] == "Conjure:MalformedCredentials"
    # The server keeps them apart, where Flask's client joins them.
    answer = httpx.get(f"{live(api.app)}/api/v2/models/modelStudios/ri.a..b.c/runs", headers=twice)
    assert (answer.status_code, answer.json()["errorName"]) == (401, "Conjure:MalformedCredentials")
    assert "more than once" in api.why


@pytest.mark.parametrize("token", ["x", "a.b-c_d~e+f/g==", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"])
def test_present_takes_any_wellformed_token(foundry: Make, token: str) -> None:
    assert foundry(credentials=CREDENTIALS).runs(headers=bearer(token)).status_code == 200


@pytest.mark.parametrize("mode", ["present", "verify"])
def test_a_marked_credential_is_refused(foundry: Make, mode: str) -> None:
    api = foundry(auth=mode, credentials=CREDENTIALS)
    assert api.refused(api.runs(headers=bearer("off-token"))) == UNAUTHORIZED
    assert api.why == "off is disabled in the scenario"
    assert api.refused(api.runs(headers=bearer("old-token"))) == (401, "Default:Unauthorized", {"error": "EXPIRED"})
    assert api.refused(api.runs(headers=bearer("no-rights"))) == (403, "Default:PermissionDenied", {})


def test_a_credential_expires_in_virtual_time(foundry: Make) -> None:
    api = foundry(credentials=CREDENTIALS)
    assert api.runs(headers=bearer("soon-token")).status_code == 200
    api.space.clock.advance(3600)
    assert api.runs(headers=bearer("soon-token")).status_code == 401


def test_verify_takes_the_scenarios_tokens_only(foundry: Make) -> None:
    api = foundry(auth="verify", credentials=CREDENTIALS)
    for token in ("localruns-token", "read-only", "bare-token"):
        assert api.runs(headers=bearer(token)).status_code == 200
    for token in ("x", "localruns-user", "localruns-client", "localruns-foundry-secret"):
        assert api.refused(api.runs(headers=bearer(token))) == UNAUTHORIZED


def test_a_replaced_set_of_credentials_is_the_only_one(foundry: Make) -> None:
    api = foundry(auth="verify", credentials=[{"id": "a", "token": "mine"}], credentials_only=True)
    assert api.runs(headers=bearer("mine")).status_code == 200
    assert api.runs(headers=bearer("localruns-token")).status_code == 401


def test_a_token_without_the_scope_is_denied(foundry: Make) -> None:
    api = foundry(auth="verify", credentials=CREDENTIALS)
    answer = api.runs(headers=bearer("write-only"))
    assert api.refused(answer) == (403, "ApiUsageDenied", {"missingScope": "api:models-read"})
    assert foundry(credentials=CREDENTIALS).runs(headers=bearer("write-only")).status_code == 200


def test_rights_are_looked_at_between_studio_and_version(foundry: Make) -> None:
    api = foundry(auth="verify", credentials=CREDENTIALS)
    assert api.runs(studio="ri.a.b.c.d", headers=bearer("no-rights")).status_code == 404
    assert api.runs(configVersion=9, headers=bearer("no-rights")).status_code == 403


def test_the_journal_names_the_holder_and_keeps_no_token(foundry: Make) -> None:
    api = foundry(auth="verify")
    api.runs()
    assert api.last.credential == "localruns-user"
    api.runs(headers=bearer("some-secret-token"))
    assert api.last.credential.startswith("unknown-")
    shown = api.http.get("/__admin/requests").text
    assert "some-secret-token" not in shown
    assert "localruns-token" not in shown


@pytest.mark.parametrize(
    ("headers", "body", "presented"),
    [
        ({}, b"", ""),
        ({"authorization": "Bearer abc"}, b"", "abc"),
        ({"authorization": "Basic Y2lkOnNlY3JldA=="}, b"", "cid"),
        ({"authorization": "Basic ???"}, b"", ""),
        ({}, b"grant_type=x&client_id=c%69d&client_secret=s", "cid"),
        ({}, b"\xff\xfe", ""),
    ],
)
def test_a_request_presents_its_token_or_its_client(headers: dict[str, str], body: bytes, presented: str) -> None:
    assert identify(Request("POST", "/", "/", headers=tuple(headers.items()), body=body)) == presented
