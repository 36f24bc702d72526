"""The mode verify: the clock window, the v1 header, mount prefixes, the order of the checks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from localruns import clock
from tests.clients.naver import FORBIDDEN, INVALID, KEY, MISSING, RUNS, UNSUBSCRIBED, error


@pytest.mark.parametrize("timestamp", ["abc", "1.5", "-1", "+1", "1e12", "9" * 5000, "\u0661", "1 2"])
def test_a_timestamp_that_is_no_number_is_invalid(site, timestamp):
    started = site(auth="verify")
    headers = {**started.present, "x-ncp-apigw-timestamp": timestamp}

    assert error(started.get(headers=headers)) == INVALID
    assert "expected milliseconds" in started.detail


@pytest.fixture
def frozen(monkeypatch):
    """Wall time stands still. Units: milliseconds."""
    monkeypatch.setattr(clock, "wall_now", lambda: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(milliseconds=5))
    return 1_735_689_600_005


@pytest.mark.parametrize(
    ("offset_ms", "passes"), [(0, True), (299_999, True), (-299_999, True), (300_000, False), (-300_000, False)]
)
def test_the_border_of_the_window_is_refused(site, frozen, offset_ms, passes):
    started = site(auth="verify")
    response = started.verified(timestamp=str(frozen + offset_ms))

    assert response.status_code == (200 if passes else 401)
    if not passes:
        assert error(response) == INVALID
        assert f"300000 ms {'ahead of' if offset_ms > 0 else 'behind'} now" in started.detail


def test_the_window_follows_the_settings(site, frozen):
    started = site(auth="verify", settings={"clock_skew_ms": 10})

    assert started.verified(timestamp=str(frozen - 9)).status_code == 200
    assert started.verified(timestamp=str(frozen - 10)).status_code == 401


def test_a_timestamp_in_seconds_is_recognised(site, frozen):
    started = site(auth="verify")

    assert error(started.verified(timestamp=str(frozen // 1000))) == INVALID
    assert "looks like seconds" in started.detail


def test_virtual_time_does_not_age_a_timestamp(site):
    started = site(auth="verify")
    started.space.clock.advance(86_400)

    assert started.verified().status_code == 200


def v1(headers):
    return {name.replace("-v2", "-v1"): value for name, value in headers.items()}


def test_the_v1_header_is_missing_unless_the_settings_accept_it(site, sign):
    started = site(auth="verify")

    assert error(started.get(headers=v1(sign(RUNS)))) == MISSING
    assert "accept_signature_v1" in started.detail


def test_the_v1_header_may_be_accepted(site, sign):
    started = site(auth="verify", settings={"accept_signature_v1": True})

    assert started.get(headers=v1(sign(RUNS))).status_code == 200
    assert started.last.notes == ["x-ncp-apigw-signature-v1 matches the target as received"]
    assert started.verified().status_code == 200
    assert not started.last.notes
    assert error(started.get(headers=v1(sign(RUNS, secret="x")))) == INVALID


def test_where_both_headers_are_there_v2_counts(site, sign):
    started = site(auth="verify", settings={"accept_signature_v1": True})
    headers = {**sign(RUNS, secret="x"), "x-ncp-apigw-signature-v1": sign(RUNS)["x-ncp-apigw-signature-v2"]}
    headers["x-ncp-apigw-timestamp"] = sign(RUNS)["x-ncp-apigw-timestamp"]

    assert error(started.get(headers=headers)) == INVALID


def test_under_a_mount_prefix_the_target_counts_with_it_and_without(site, sign):
    started = site(auth="verify")
    target = "/ns/default" + RUNS + "?page=2"

    for signed_target, words in ((target, "as received"), (RUNS + "?page=2", "without the prefix /ns/default")):
        assert started.get(target, sign(signed_target)).status_code == 200
        assert started.last.notes == [f"x-ncp-apigw-signature-v2 matches the target {words}"]
    assert error(started.get(target, sign("/ns/other" + RUNS))) == INVALID


def test_a_target_in_absolute_form_counts_without_scheme_and_host(site, sign):
    started = site(auth="verify")
    whole = {"REQUEST_URI": "http://localhost/ns/default" + RUNS + "?page=1"}

    def get(target):
        return started.client.get(RUNS, headers=sign(target), environ_overrides=whole)

    assert get("/ns/default" + RUNS + "?page=1").status_code == 200
    assert started.last.notes == ["x-ncp-apigw-signature-v2 matches the target without scheme and host"]
    assert get(RUNS + "?page=1").status_code == 200
    assert get(RUNS).status_code == 401


@pytest.mark.parametrize("carrier", ["REQUEST_URI", "RAW_URI", None])
@pytest.mark.parametrize("query", ["", "?page=1&pageSize=2", "?x=a%20b+c", "?page="])
def test_the_target_is_found_wherever_a_wsgi_server_leaves_it(site, sign, carrier, query):
    started, target = site(auth="verify"), RUNS + query
    environ = EnvironBuilder(target, headers=sign(target)).get_environ()
    given = {name: value for name, value in environ.items() if name not in ("REQUEST_URI", "RAW_URI")}

    assert run_wsgi_app(started.app, {**given, **({carrier: target} if carrier else {})})[1] == "200 OK"


def test_a_query_that_a_test_client_was_given_apart_counts(site, sign):
    started = site(auth="verify")

    response = started.client.get(RUNS, query_string={"page": "1"}, headers=sign(RUNS + "?page=1"))
    assert response.status_code == 200


def test_host_and_body_are_not_signed(site, sign):
    headers = {**sign(RUNS), "Host": "nsml.apigw.ntruss.com"}

    assert site(auth="verify").client.get(RUNS, data=b"{]", headers=headers).status_code == 200


def test_the_timestamp_counts_as_the_text_that_was_signed(site, sign):
    started, headers = site(auth="verify"), sign(RUNS)
    headers["x-ncp-apigw-timestamp"] = "0" + headers["x-ncp-apigw-timestamp"]

    assert error(started.get(headers=headers)) == INVALID
    assert started.get(headers=sign(RUNS, timestamp=headers["x-ncp-apigw-timestamp"])).status_code == 200


def test_the_checks_come_in_the_order_of_the_gateway(site, sign):
    """Each request repairs one flaw more than the one before it."""
    worst = {**KEY, "subscribed": False, "allow": False}
    better = {**KEY, "id": "B", "api_key": "BKEY", "allow": False}
    started = site(auth="verify", credentials=[worst, better])
    query, accept = RUNS + "?page=x", {"Accept": "text/html"}

    def get(**change):
        return error(started.get(query, {**sign(query, **change), **accept}))

    assert error(started.get("/nsml/v1/x", {})) == (404, "300", "URL not found.")
    assert error(started.get(query, {"x-ncp-apigw-timestamp": "1"})) == MISSING
    assert get(timestamp="1", access_key="NOBODY", api_key="unknown") == INVALID
    assert "behind now" in started.detail
    assert get(access_key="NOBODY", api_key="unknown") == INVALID
    assert "no access key" in started.detail
    assert get(secret="wrong", api_key="unknown") == INVALID
    assert "text to sign" in started.detail
    assert get(api_key="unknown") == INVALID
    assert "API key" in started.detail
    assert get() == UNSUBSCRIBED
    assert get(access_key="B", api_key="BKEY") == FORBIDDEN

    plain = site(auth="verify", settings={"content_type": "require"})
    assert error(plain.get(query, {**sign(query), **accept}))[2] == "Content-Type must be application/json"
    headers = {**sign(query), **accept, "Content-Type": "application/json"}
    assert error(plain.get(query, headers))[:2] == (406, "406")
    assert error(plain.get(query, {**headers, "Accept": "*/*"}))[:2] == (400, "400")
