"""Signing anew: against signatures that the real SDK made, and what is kept of the client's request."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime

import pytest

from localruns import clock
from localruns.engine.recorded.exchange import request_from
from localruns.errors import ConfigError
from localruns.vendors.alibaba_pai.canonical import read
from localruns.vendors.alibaba_pai.resign import RESIGNING, sign

KEY, SECRET = "LTAI5tMockAccessKeyId01", "mockAccessKeySecret0123456789ab"
NAMES = (
    "accept;host;user-agent;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;"
    "x-acs-signature-nonce;x-acs-version"
)
OWN = {
    "host": "127.0.0.1:18080",
    "x-acs-version": "2021-02-04",
    "x-acs-action": "ListRuns",
    "user-agent": "runs-emulator-vector/1.0",
    "accept": "application/json",
    "x-acs-credentials-provider": "static_ak",
    "Authorization": f"ACS3-HMAC-SHA256 Credential=any,SignedHeaders={NAMES},Signature=00",
}
LONG = (
    "Labels=is_evaluation%3Atrue%2CLLM_evaluation%3Atrue&Name=%E8%AE%AD%E7%BB%83+run~1%2A"
    "&OrderBy=GmtCreateTime+DESC%2CName+ASC&PageNumber=1&PageSize=10&Verbose=True"
)
BODY = (
    b'{"ExperimentId":"exp-1","Labels":[{"Key":"k","Value":"v"}],"Name":"r1",'
    b'"Params":[{"Key":"lr","Value":"0.1"}],"SourceType":"DLC"}'
)
POSTED = {"x-acs-action": "CreateRun", "content-type": "application/json; charset=utf-8"}
POSTED["Authorization"] = OWN["Authorization"].replace("accept;", "accept;content-type;")


@pytest.fixture(autouse=True)
def _as_in_the_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "wall_now", lambda: datetime(2025, 1, 15, 8, 30, tzinfo=UTC))
    monkeypatch.setattr(secrets, "token_hex", lambda count: "00112233445566778899aabbccddeeff")


@pytest.mark.parametrize(
    ("method", "target", "changed", "body", "token", "signature"),
    [
        ("GET", "/api/v1/runs", {}, b"", "", "45866b6f6e5b57d039654b1169fdabf5507301143529d79d09ec1025bdfff666"),
        ("GET", f"/api/v1/runs?{LONG}", {}, b"", "",
         "e5b47af520c0d5328b3ab8eb58a83e73d7c6ca8f5e79abfeaf261478d90a4d4b"),
        ("GET", "/api/v1/runs?WorkspaceId=145883", {"x-acs-credentials-provider": "static_sts"}, b"",
         "mock-sts-token", "05e92e274e2e6a2391467aaf9ee19662165db37398d0b571605d714a625f835c"),
        ("POST", "/api/v1/runs", POSTED, BODY, "", "1f9bd28fb1820b727d78fcacf463952e3125575703db407a7f86d6393bb79ae3"),
    ],
)  # fmt: skip
def test_the_signature_is_the_one_that_the_real_sdk_made(method, target, changed, body, token, signature):
    request = request_from(method, target, {**OWN, **changed}.items(), body)
    signed = sign(request, KEY, SECRET, token)
    given = read(signed.header("authorization"))
    assert (given.credential, given.signature) == (KEY, signature)
    assert signed.target == target


def test_headers_of_the_old_signature_do_not_stay():
    stale = {"x-acs-security-token": "stale", "x-acs-accesskey-id": "other", "x-acs-date": "2001-01-01T00:00:00Z"}
    signed = sign(request_from("GET", "/api/v1/runs", {**OWN, **stale}.items()), KEY, SECRET)
    assert signed.header("x-acs-security-token") is None
    assert signed.header("x-acs-accesskey-id") is None
    assert signed.header_values("x-acs-date") == ["2025-01-15T08:30:00Z"]
    assert len(signed.header_values("authorization")) == 1


def test_the_older_form_is_signed_anew_in_the_current_one():
    old = {
        "Authorization": "acs any:c2ln",
        "date": "Mon, 01 Jan 2001 00:00:00 GMT",
        "x-acs-signature-method": "HMAC-SHA1",
        "x-acs-signature-version": "1.0",
        "host": "h",
        "accept": "application/json",
        "x-acs-version": "2021-02-04",
    }
    signed = sign(request_from("GET", "/api/v1/runs", old.items()), KEY, SECRET)
    assert read(signed.header("authorization")).names == (
        "host", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version",
    )  # fmt: skip
    assert signed.header("x-acs-content-sha256") == hashlib.sha256(b"").hexdigest()
    assert signed.header("date") is None


@pytest.mark.parametrize(
    ("authorization", "needed"),
    [
        (OWN["Authorization"], True),
        ("ACS3-HMAC-SM3 Credential=a", True),
        ("acs a:b", True),
        ("Bearer x", False),
        ("", False),
    ],
)
def test_only_what_is_signed_with_a_key_is_signed_anew(authorization: str, needed: bool) -> None:
    request = request_from("GET", "/api/v1/runs", [("Authorization", authorization)] if authorization else [])
    assert RESIGNING.needed(request) is needed


def test_the_key_comes_from_the_variables_of_the_sdk():
    environment = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    signer = RESIGNING.signer({**environment, "ALIBABA_CLOUD_SECURITY_TOKEN": "mock-sts-token"})
    signed = signer.sign(request_from("GET", "/api/v1/runs", OWN.items()))
    assert (signed.header("x-acs-accesskey-id"), signed.header("x-acs-security-token")) == (KEY, "mock-sts-token")
    assert list(signer.secrets) == [SECRET, "mock-sts-token"]
    assert RESIGNING.signer({}) is None
    with pytest.raises(ConfigError, match="ALIBABA_CLOUD_ACCESS_KEY_SECRET is not set"):
        RESIGNING.signer({"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY})
