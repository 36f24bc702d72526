"""The published signature vectors, and what the journal finds out about a signature that does not hold."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from localruns import clock
from localruns.vendors.naver_nsml.signature import Signed, signature
from tests.clients.naver import RUNS, SIGNATURES, SIGNED_AT, SIGNED_WITH

ACCESS_KEY, SECRET = SIGNED_WITH
VECTORS = pytest.mark.parametrize(("target", "expected"), SIGNATURES.items())


@VECTORS
def test_the_signature_is_the_published_one(target, expected):
    assert signature(SECRET, Signed("GET", target, SIGNED_AT, ACCESS_KEY)) == expected


@VECTORS
def test_a_request_with_a_published_signature_passes(site, monkeypatch, target, expected):
    monkeypatch.setattr(clock, "wall_now", lambda: datetime(2025, 1, 1, tzinfo=UTC))
    started = site(auth="verify", credentials=[{"id": ACCESS_KEY, "secret": SECRET, "api_key": "EMUAPIKEY0001"}])
    headers = {
        "x-ncp-apigw-timestamp": SIGNED_AT,
        "x-ncp-iam-access-key": ACCESS_KEY,
        "x-ncp-apigw-signature-v2": expected,
        "x-ncp-apigw-api-key": "EMUAPIKEY0001",
    }

    assert started.get(target, headers).status_code == 200
    assert started.get(target + "0" if "=" in target else target + "?", headers).status_code == 401


SIGNED = RUNS + "?pageSize=2&page=1"
STAMP = "1735689600500"
KEY = "LOCALRUNSACCESSKEY01"


def text(target=SIGNED, method="GET", timestamp=STAMP, access_key=KEY):
    return f"{method} {target}\n{timestamp}\n{access_key}"


@pytest.fixture
def strict(site, monkeypatch):
    """A site in the mode verify whose wall time is close to STAMP."""
    monkeypatch.setattr(clock, "wall_now", lambda: datetime(2025, 1, 1, tzinfo=UTC))
    return site(auth="verify", credentials=[{"id": "OTHER", "secret": "b3RoZXIgc2VjcmV0", "api_key": "O"}])


def why(started, signed_text, target=SIGNED, **change):
    """What the journal says of a GET of `target` that signed `signed_text`."""
    response = started.verified(target, text=signed_text, timestamp=STAMP, **change)
    body = response.get_json()["error"]
    assert (response.status_code, body["details"]) == (401, "Invalid authentication information.")
    return started.detail.partition("): ")[2]


def test_the_journal_shows_the_text_and_its_hash(strict):
    why(strict, "something else")

    shown = text().replace("\n", "\\n")
    assert f"'{shown}'" in strict.detail
    assert hashlib.sha256(text().encode()).hexdigest() in strict.detail


@pytest.mark.parametrize(
    ("signed_text", "found"),
    [
        (text(RUNS), "the target without the query"),
        (text(SIGNED.removeprefix("/nsml/v1")), "the target without /nsml/v1"),
        (text("/v1/projects/runs?pageSize=2&page=1"), "the target without /nsml"),
        (text("http://localhost" + SIGNED), "the whole URL"),
        (text(RUNS + "?page=1&pageSize=2"), "the query in another order"),
        (text(SIGNED[1:]), "the target without the leading slash"),
        (text(method="get"), "the method get"),
        (text(method="POST"), "the method POST"),
        (text() + "\n", "a text with a line break at its end"),
        (text().replace("\n", "\r\n"), "a text with CRLF as line break"),
        (text(timestamp=STAMP[:-3]), "the timestamp in seconds"),
        (text(timestamp="1735689600493"), "another timestamp, 1735689600493"),
        (text(timestamp="1735689600501"), "another timestamp, 1735689600501"),
        (text(timestamp=KEY, access_key=STAMP), "a text with access key and timestamp exchanged"),
        (f"GET {SIGNED}\n{STAMP}\nLOCALRUNSAPIKEY0001\n{KEY}", "the layout of signature v1"),
        (f"GET {SIGNED}\n{STAMP}", "a text without the access key"),
        (f"GET {SIGNED}\n{KEY}", "a text without the timestamp"),
    ],
)
def test_the_journal_names_the_part_that_differs(strict, signed_text, found):
    assert found in why(strict, signed_text)


@pytest.mark.parametrize(
    ("sent", "signed_query", "found"),
    [
        ("?x=a+b", "?x=a b", "the query decoded"),
        ("?x=a%20b", "?x=a b", "the query decoded"),
        ("?x=a+b", "?x=a%20b", "%20 for a space"),
        ("?x=a%20b", "?x=a+b", "'+' for a space"),
        ("?x=a,b&y=1", "?x=a%2Cb&y=1", "the query encoded anew"),
        ("?page=&pageSize=2", "?pageSize=2", "without empty values"),
        ("", "?", "a bare '?' behind it"),
        ("?", "", "without the query"),
        ("?page=1", "/?page=1", "a slash behind its path"),
    ],
)
def test_the_journal_tells_encodings_apart(strict, sent, signed_query, found):
    assert found in why(strict, text(RUNS + signed_query), RUNS + sent)


def test_under_a_mount_prefix_both_targets_are_searched(strict):
    found = why(strict, text(RUNS), "/ns/default" + SIGNED)

    assert found == "signed was the target without the query, the target without the prefix /ns/default"


def test_another_accounts_secret_is_recognised(strict):
    assert why(strict, text(), secret="b3RoZXIgc2VjcmV0") == "signed was with the secret key of OTHER"


def test_a_decoded_secret_is_recognised(strict):
    strict_text = text(access_key="OTHER")
    raw = hmac.new(base64.b64decode("b3RoZXIgc2VjcmV0"), strict_text.encode(), hashlib.sha256).digest()
    headers = {
        "x-ncp-apigw-timestamp": STAMP,
        "x-ncp-iam-access-key": "OTHER",
        "x-ncp-apigw-signature-v2": base64.b64encode(raw).decode(),
        "x-ncp-apigw-api-key": "O",
    }

    assert strict.get(SIGNED, headers).status_code == 401
    assert "Base64-decoded" in strict.detail


def test_an_unknown_secret_is_said_to_be_one(strict):
    assert why(strict, text(), secret="no one's").startswith("nothing that was tried matches")


def rewritten(started, sign, change):
    headers = sign(SIGNED, timestamp=STAMP)
    name = "x-ncp-apigw-signature-v2"
    headers[name] = change(headers[name])
    assert started.get(SIGNED, headers).status_code == 401
    return started.detail.partition("): ")[2]


@pytest.mark.parametrize(
    "change",
    [
        lambda given: base64.b64decode(given).hex(),
        lambda given: base64.b64decode(given).hex().upper(),
        lambda given: given.rstrip("="),
    ],
)
def test_the_right_signature_in_another_alphabet_is_recognised(strict, sign, change):
    assert "not written as standard Base64" in rewritten(strict, sign, change)


@pytest.mark.parametrize("given", ["x", "00", "zz" * 32, "\xe9" * 44, "A" * 200, "====", "-" * 64])
def test_what_is_no_signature_is_said_to_be_none(strict, sign, given):
    assert "no HMAC-SHA256" in rewritten(strict, sign, lambda _: given)


def test_a_right_v1_header_beside_a_wrong_v2_is_recognised(strict, sign):
    headers = sign(SIGNED, timestamp=STAMP, secret="x")
    headers["x-ncp-apigw-signature-v1"] = sign(SIGNED, timestamp=STAMP)["x-ncp-apigw-signature-v2"]
    strict.get(SIGNED, headers)

    assert strict.detail.endswith("x-ncp-apigw-signature-v1 beside it does match")


def test_no_secret_stands_in_the_journal(strict, sign):
    secrets = ("localruns-naver-secret", "b3RoZXIgc2VjcmV0", "LOCALRUNSAPIKEY0001")
    given = set()
    for wrong in ("GET /\n1\nx", text(timestamp="1735689600493"), text()):
        for secret in secrets[:2]:
            headers = sign(SIGNED, text=wrong, timestamp=STAMP, secret=secret)
            given.add(headers["x-ncp-apigw-signature-v2"])
            strict.get(SIGNED, headers)
    told = strict.client.get("/__admin/requests").get_data(as_text=True)

    right = sign(SIGNED, timestamp=STAMP)["x-ncp-apigw-signature-v2"]
    assert not [hidden for hidden in (*secrets, *given, right) if hidden in told]
    assert "SHA-256" in told


def test_a_very_long_target_is_cut_in_the_journal(strict):
    why(strict, "x", RUNS + "?x=" + "a" * 10_000)

    assert len(strict.detail) < 3_000
