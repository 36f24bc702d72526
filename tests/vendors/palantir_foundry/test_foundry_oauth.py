"""Tokens: given out, used, renewed, revoked, aged."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from localruns.engine.message import Request
from localruns.vendors.palantir_foundry import grants
from localruns.vendors.palantir_foundry.access import identify

Make = Callable[..., Any]
REVOKE = "/multipass/api/oauth2/revoke_token"
CLIENT = {"client_id": "localruns-client", "client_secret": "localruns-foundry-secret"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def refused(answer: Any) -> tuple[int, str]:
    assert set(answer.json) == {"error", "error_description"}
    return answer.status_code, answer.json["error"]


def test_a_token_answer_is_as_live_ones_are(foundry: Make) -> None:
    answer = foundry().token()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    token = answer.json.pop("access_token")
    rest = {name: value for name, value in answer.json.items() if name != "access_token"}
    assert token
    assert rest == {"token_type": "bearer", "expires_in": 3600, "refresh_token": None, "scope": None}


def test_tokens_depend_on_seed_and_request_number_only(foundry: Make) -> None:
    first, again, other = foundry(), foundry(), foundry(seed=2)
    one = first.token().json["access_token"]
    assert again.token().json["access_token"] == one
    assert other.token().json["access_token"] != one
    assert first.token().json["access_token"] != one


def test_a_token_given_out_is_good_until_it_expires_in_virtual_time(foundry: Make) -> None:
    api = foundry(auth="verify", settings={"access_token_ttl_s": 100})
    answer = api.token().json
    assert answer["expires_in"] == 100
    assert api.runs(headers=bearer(answer["access_token"])).status_code == 200
    assert api.last.credential == "localruns-client"
    api.space.clock.advance(100)
    found = api.refused(api.runs(headers=bearer(answer["access_token"])))
    assert found == (401, "Default:Unauthorized", {"error": "EXPIRED"})
    assert "expired at 2026-01-15T09:01:40" in api.why


def test_a_token_of_another_world_is_unknown(foundry: Make) -> None:
    token = foundry(seed=5).token().json["access_token"]
    api = foundry(auth="verify")
    assert api.refused(api.runs(headers=bearer(token)))[1] == "Default:Unauthorized"
    api = foundry(auth="verify", seed=5)
    token = api.token().json["access_token"]
    api.space.reset()
    assert api.runs(headers=bearer(token)).status_code == 401


def test_a_revoked_token_is_refused(foundry: Make) -> None:
    api = foundry(auth="verify")
    token, kept = (api.token().json["access_token"] for _ in range(2))
    answer = api.http.post(REVOKE, data={**CLIENT, "token": token})
    assert (answer.status_code, answer.data) == (200, b"")
    assert api.refused(api.runs(headers=bearer(token))) == (401, "Default:Unauthorized", {})
    assert "was revoked" in api.why
    assert api.runs(headers=bearer(kept)).status_code == 200


def test_revoking_is_for_the_tokens_own_client(foundry: Make) -> None:
    api = foundry(auth="verify", credentials=[{"id": "other", "secret": "s"}])
    token = api.token().json["access_token"]
    assert api.http.post(REVOKE, data={"client_id": "other", "client_secret": "s", "token": token}).status_code == 200
    assert "nothing was revoked" in api.why
    assert api.runs(headers=bearer(token)).status_code == 200
    assert refused(api.http.post(REVOKE, data={**CLIENT, "client_secret": "x", "token": token})) == (
        401,
        "invalid_client",
    )
    assert refused(api.http.post(REVOKE, data=CLIENT)) == (400, "invalid_request")
    assert api.http.post(REVOKE, data={**CLIENT, "token": "unknown"}).status_code == 200


def test_a_client_may_present_itself_by_basic(foundry: Make) -> None:
    api = foundry(auth="verify")
    good = basic("localruns-client", "localruns-foundry-secret")
    assert api.token(headers=good, client_id="", client_secret="").status_code == 200
    answer = api.token(headers=basic("localruns-client", "x"), client_id="", client_secret="")
    assert refused(answer) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("form", [{"client_id": ""}, {"client_secret": ""}, {"client_id": "", "client_secret": ""}])
@pytest.mark.parametrize("mode", ["present", "verify"])
def test_a_client_without_id_or_secret_is_refused(foundry: Make, mode: str, form: dict[str, str]) -> None:
    assert refused(foundry(auth=mode).token(**form)) == (401, "invalid_client")


def test_present_gives_a_token_to_any_client_and_verify_to_the_scenarios(foundry: Make) -> None:
    stranger = {"client_id": "stranger", "client_secret": "s"}
    assert foundry().token(**stranger).status_code == 200
    api = foundry(auth="verify")
    assert refused(api.token(**stranger)) == (401, "invalid_client")
    assert refused(api.token(client_secret="wrong-secret")) == (401, "invalid_client")
    assert "wrong-secret" not in api.why
    assert refused(api.token(client_id="localruns-user", client_secret="localruns-token")) == (401, "invalid_client")


def test_off_gives_a_token_to_anyone(foundry: Make) -> None:
    api = foundry(auth="off")
    answer = api.token(client_id="", client_secret="")
    assert answer.status_code == 200
    assert api.runs(headers=bearer(answer.json["access_token"])).status_code == 200


def test_a_marked_client_gets_no_token_and_its_tokens_fail(foundry: Make) -> None:
    marked = [
        {"id": "c", "secret": "s", "expires": "2026-01-15T10:00:00Z"},
        {"id": "d", "secret": "s", "disabled": True},
    ]
    api = foundry(credentials=marked)
    token = api.token(client_id="c", client_secret="s").json["access_token"]
    assert api.runs(headers=bearer(token)).status_code == 200
    api.space.clock.advance(3600)
    assert api.runs(headers=bearer(token)).status_code == 401
    for name in ("c", "d"):
        assert refused(api.token(client_id=name, client_secret="s")) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("allowed", "asked", "status"),
    [
        (None, "", 200),
        (None, "api:models-read offline_access", 200),
        (None, "api:models-write", 403),
        (["api:models-read"], "", 200),
        (["api:models-write"], "", 403),
        (["api:models-write"], "api:models-read api:models-write", 403),
        (["api:models-read", "api:models-write"], "api:models-read", 200),
    ],
)
def test_a_token_has_the_scopes_asked_for_that_the_client_may_have(
    foundry: Make, allowed: list[str] | None, asked: str, status: int
) -> None:
    client: dict[str, Any] = {"id": "c", "secret": "s"} | ({} if allowed is None else {"scopes": allowed})
    api = foundry(auth="verify", credentials=[client])
    token = api.token(client_id="c", client_secret="s", scope=asked).json["access_token"]
    assert api.runs(headers=bearer(token)).status_code == status


def test_a_client_without_rights_is_refused_at_the_studio(foundry: Make) -> None:
    api = foundry(auth="verify", credentials=[{"id": "c", "secret": "s", "allow": False}])
    token = api.token(client_id="c", client_secret="s").json["access_token"]
    assert api.refused(api.runs(headers=bearer(token))) == (403, "Default:PermissionDenied", {})


def test_a_refresh_token_renews(foundry: Make) -> None:
    api = foundry(auth="verify", settings={"access_token_ttl_s": 100})
    first = api.token(scope="api:models-read offline_access").json
    api.space.clock.advance(1000)
    renewed = api.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json
    assert renewed["refresh_token"] == first["refresh_token"]
    assert renewed["access_token"] != first["access_token"]
    assert api.runs(headers=bearer(first["access_token"])).status_code == 401
    assert api.runs(headers=bearer(renewed["access_token"])).status_code == 200
    assert api.runs(headers=bearer(first["refresh_token"])).status_code == 401


def test_a_refresh_token_is_given_only_when_it_is_asked_for(foundry: Make) -> None:
    api = foundry()
    given = {scope: api.token(scope=scope).json["refresh_token"] for scope in ("", "api:models-read", "offline_access")}
    assert [scope for scope, token in given.items() if token] == ["offline_access"]


def test_revoking_a_refresh_token_takes_its_access_tokens_with_it(foundry: Make) -> None:
    api = foundry(auth="verify")
    first = api.token(scope="api:models-read offline_access").json
    api.http.post(REVOKE, data={**CLIENT, "token": first["refresh_token"]})
    assert api.runs(headers=bearer(first["access_token"])).status_code == 401
    again = api.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert refused(again) == (400, "invalid_grant")
    assert "was revoked" in api.why


def test_a_foreign_refresh_token_is_refused_in_verify_only(foundry: Make) -> None:
    api = foundry(auth="verify", credentials=[{"id": "other", "secret": "s"}])
    token = api.token(scope="offline_access").json["refresh_token"]
    access = api.token().json["access_token"]
    other = {"client_id": "other", "client_secret": "s"}
    for form in ({"refresh_token": "x"}, {"refresh_token": token, **other}, {"refresh_token": access}):
        assert refused(api.token(grant_type="refresh_token", **form)) == (400, "invalid_grant")
    assert foundry().token(grant_type="refresh_token", refresh_token="x", client_secret="").status_code == 200
    assert refused(foundry().token(grant_type="refresh_token")) == (400, "invalid_request")


def test_a_form_without_a_grant_type_or_with_a_strange_one_is_refused(foundry: Make) -> None:
    api = foundry()
    assert refused(api.token(grant_type="")) == (400, "invalid_request")
    assert refused(api.token(grant_type="password")) == (400, "unsupported_grant_type")
    body = '{"grant_type": "client_credentials"}'
    url = "/multipass/api/oauth2/token"
    assert refused(api.http.post(url, data=body, content_type="application/json")) == (400, "invalid_request")
    assert "application/json" in api.why
    twice = "grant_type=client_credentials&grant_type=client_credentials"
    answer = api.http.post(url, data=twice, content_type="application/x-www-form-urlencoded")
    assert refused(answer) == (400, "invalid_request")


def test_signing_in_a_person_is_not_emulated(foundry: Make) -> None:
    api = foundry()
    assert api.token(grant_type="authorization_code", code="x").status_code == 501
    assert api.http.get("/multipass/api/oauth2/authorize?response_type=code").status_code == 501


def test_a_token_tells_whose_it_is(foundry: Make) -> None:
    token = foundry().token(client_id="ns/älpha", client_secret="s").json["access_token"]
    assert grants.client_of(token) == "ns/älpha"
    assert identify(Request("GET", "/", "/", headers=(("authorization", f"Bearer {token}"),))) == "ns/älpha"
    assert grants.client_of("lra.____." + "0" * 40) == ""


def test_old_grants_give_way(foundry: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "MAX_GRANTS", 3)
    api = foundry(auth="verify")
    tokens = [api.token().json["access_token"] for _ in range(4)]
    assert [api.runs(headers=bearer(token)).status_code for token in tokens] == [401, 200, 200, 200]
