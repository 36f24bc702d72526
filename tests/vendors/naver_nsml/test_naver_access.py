"""Credentials in the modes off, present and verify; what the wire says and what the journal says."""

from __future__ import annotations

import pytest

from localruns.errors import ConfigError
from tests.clients.naver import FORBIDDEN, HEADERS, INVALID, KEY, MISSING, PAST, RUNS, UNSUBSCRIBED, error


def test_off_looks_at_nothing(site):
    started = site(auth="off", credentials=[{**KEY, "disabled": True, "allow": False, "subscribed": False}])

    assert started.get(headers={}).status_code == 200
    assert started.get().status_code == 200


def test_present_looks_nothing_up(site):
    headers = dict.fromkeys(HEADERS, "whatever")

    assert site().get(headers=headers).status_code == 200


@pytest.mark.parametrize("mode", ["present", "verify"])
@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_each_header_must_be_there_and_not_empty(site, sign, mode, name, value):
    started = site(auth=mode)
    headers = sign(RUNS)
    del headers[name]
    response = started.get(headers=headers if value is None else {**headers, name: value})

    assert error(response) == MISSING
    assert response.get_json()["error"]["message"] == "Authentication Failed"
    assert name in started.detail


def test_present_takes_either_signature_header(site):
    started = site()
    headers = started.present
    headers["X-NCP-APIGW-SIGNATURE-V1"] = headers.pop("x-ncp-apigw-signature-v2")

    assert started.get(headers=headers).status_code == 200


@pytest.mark.parametrize("mode", ["present", "verify"])
@pytest.mark.parametrize("flaw", [{"disabled": True}, {"expires": PAST}])
def test_a_key_that_is_disabled_or_expired_is_refused(site, mode, flaw):
    started = site(auth=mode, credentials=[{**KEY, **flaw}])

    assert error(started.verified()) == INVALID
    assert "is disabled" in started.detail or "is expired" in started.detail


def test_a_key_expires_by_virtual_time(site):
    started = site(auth="verify", credentials=[{**KEY, "expires": "2026-01-15T10:00:00Z"}])
    assert started.verified().status_code == 200

    started.space.clock.advance(3600)
    assert error(started.verified()) == INVALID


@pytest.mark.parametrize("mode", ["present", "verify"])
def test_an_account_without_rights_is_forbidden(site, mode):
    started = site(auth=mode, credentials=[{**KEY, "allow": False}])

    assert error(started.verified()) == FORBIDDEN
    assert "allow: false" in started.detail


@pytest.mark.parametrize("mode", ["present", "verify"])
def test_an_api_key_without_subscription_is_named(site, mode):
    started = site(auth=mode, credentials=[{**KEY, "subscribed": False}])
    response = started.verified()

    assert error(response) == UNSUBSCRIBED
    assert response.get_json()["error"]["message"] == "Permission Denied"


def test_an_unknown_api_key_is_invalid_in_verify_only(site):
    started = site(auth="verify")

    assert error(started.verified(api_key="NOBODYS")) == INVALID
    assert "NOBODYS" not in started.detail
    assert error(started.verified(api_key="\xe9")) == INVALID
    assert site().verified(api_key="NOBODYS").status_code == 200


def test_the_api_key_of_another_account_passes(site):
    other = {"id": "OTHER", "secret": "s", "api_key": "OTHERAPI"}

    assert site(auth="verify", credentials=[other]).verified(api_key="OTHERAPI").status_code == 200


def test_ones_own_api_key_counts_before_anothers(site):
    same = {"id": "OTHER", "secret": "s", "api_key": KEY["api_key"], "subscribed": False}
    started = site(auth="verify", credentials=[same])

    assert started.verified().status_code == 200
    assert error(started.verified(access_key="OTHER", secret="s")) == UNSUBSCRIBED


def test_a_good_signature_passes(site):
    started = site(auth="verify")

    for query in ("", "?page=1&pageSize=2", "?pageSize=2&page=1", "?page=", "?x=a%20b+c&y=%ED%95%9C", "?"):
        assert started.verified(RUNS + query).status_code == 200, query
    assert started.last.credential == KEY["id"]


def test_a_replay_passes_within_the_window(site, sign):
    started, headers = site(auth="verify"), sign(RUNS)

    assert [started.get(headers=headers).status_code for _ in range(3)] == [200, 200, 200]


def test_credentials_of_the_scenario_hold_too(site):
    other = {"id": "OTHER", "secret": "geheim-\u00e9", "api_key": "OTHERAPI"}
    started = site(auth="verify", credentials=[other])

    response = started.verified(access_key="OTHER", secret="geheim-\u00e9", api_key="OTHERAPI")
    assert response.status_code == 200


def test_an_unknown_access_key_is_invalid(site):
    started = site(auth="verify")

    assert error(started.verified(access_key="NOBODY")) == INVALID
    assert "no access key 'NOBODY'" in started.detail


def test_a_credential_without_a_secret_cannot_sign(site):
    started = site(auth="verify", credentials=[{"id": "BARE", "api_key": "A"}])

    assert error(started.verified(access_key="BARE")) == INVALID
    assert "gives no secret for BARE" in started.detail


def test_refused_credentials_are_not_counted_as_calls(site):
    started = site(auth="verify")
    started.verified(secret="x")
    started.verified()

    assert started.space.states["naver-nsml"].calls == 1
    assert started.space.states["naver-nsml"].number == 2


def test_an_expiry_that_is_no_time_is_refused_when_loading(site):
    with pytest.raises(ConfigError, match="expires"):
        site(credentials=[{**KEY, "expires": "soon"}])
