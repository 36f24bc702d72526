"""Modes off, present and verify: which credentials are taken, and the order of the checks."""

from __future__ import annotations

from typing import Any

import pytest

SIGNED = {"Authorization": "ACS3-HMAC-SHA256 Credential=LTAI5tAnyone,SignedHeaders=host,Signature=00"}
BEARER = {"x-acs-bearer-token": "bearer-token", "x-acs-signature-type": "BEARERTOKEN"}
LEGACY = {"Authorization": "acs LTAI5tLocalruns00000001:c2lnbmF0dXJl", "date": "Thu, 15 Jan 2026 09:00:00 GMT"}
OTHERS: list[dict[str, Any]] = [
    {"id": "LTAI5tOff", "secret": "s", "disabled": True},
    {"id": "LTAI5tOld", "secret": "s", "expires": "2026-01-15T08:59:59Z"},
    {"id": "LTAI5tLater", "secret": "s", "expires": "2126-01-15T09:00:00Z"},
    {"id": "LTAI5tDenied", "secret": "s", "allow": False},
    {"id": "STS.temporary", "secret": "s", "token": "sts-token"},
    {"id": "my-bearer", "token": "bearer-token"},
    {"id": "bearer-off", "token": "bearer-off-token", "disabled": True},
    {"id": "bearer-denied", "token": "bearer-denied-token", "allow": False},
]


def key(name: str) -> dict[str, str]:
    return {"Authorization": f"ACS3-HMAC-SHA256 Credential={name},SignedHeaders=host,Signature=00"}


def bearer(token: str) -> dict[str, str]:
    return {"x-acs-bearer-token": token, "x-acs-signature-type": "BEARERTOKEN"}


@pytest.fixture
def present(make: Any) -> Any:
    return make(runs=[{"generate": 3}], credentials=OTHERS)


@pytest.fixture
def verify(make: Any) -> Any:
    return make(runs=[{"generate": 3}], credentials=OTHERS, auth="verify")


def test_off_looks_at_nothing(make: Any) -> None:
    api = make(runs=[{"generate": 3}], auth="off", credentials=OTHERS)
    for headers in ({}, LEGACY, key("LTAI5tOff"), key("LTAI5tDenied"), {"Authorization": "Basic eDp5"}):
        assert api.ask(headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        SIGNED,
        BEARER,
        key("LTAI5tLater"),
        bearer("unknown"),
        {"Authorization": "ACS3-HMAC-SM3 Credential=x,SignedHeaders=host,Signature=00"},
        {"Authorization": "ACS3-HMAC-SHA256   Credential=x"},
        {**bearer("unknown"), "x-acs-signature-type": "bearertoken"},
    ],
)
def test_present_asks_for_a_key_or_a_token_and_looks_nothing_up(present: Any, headers: dict[str, str]) -> None:
    assert present.ask(headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, "MissingAccessKeyId"),
        ({"Authorization": ""}, 400, "MissingAccessKeyId"),
        ({"Authorization": "Basic eDp5"}, 400, "MissingAccessKeyId"),
        ({"Authorization": "ACS3-HMAC-SHA256"}, 400, "MissingAccessKeyId"),
        ({"Authorization": "ACS3-HMAC-SHA256 Credential=,SignedHeaders=host,Signature=0"}, 400, "MissingAccessKeyId"),
        ({"x-acs-bearer-token": "t"}, 400, "MissingAccessKeyId"),
        ({"x-acs-bearer-token": "", "x-acs-signature-type": "BEARERTOKEN"}, 400, "MissingAccessKeyId"),
        (LEGACY, 400, "IncompleteSignature"),
        (key("LTAI5tOff"), 400, "InvalidAccessKeyId.Inactive"),
        (key("LTAI5tOld"), 400, "InvalidSecurityToken.Expired"),
        (key("LTAI5tDenied"), 403, "NoPermission"),
        (bearer("bearer-off-token"), 400, "InvalidAccessKeyId.Inactive"),
        (bearer("bearer-denied-token"), 403, "NoPermission"),
    ],
)
def test_present_refuses_what_is_missing_or_marked_in_the_scenario(
    present: Any, refused: Any, headers: dict[str, str], status: int, code: str
) -> None:
    assert refused(present.ask(headers=headers))[:2] == (status, code)


@pytest.mark.parametrize(
    ("credential", "caller"),
    [({"secret": "s"}, "SubUser"), ({"secret": "s", "token": "t"}, "AssumedRoleUser")],
)
def test_a_denied_key_is_told_which_action_it_lacks(make: Any, credential: dict[str, str], caller: str) -> None:
    api = make(runs=[], credentials=[{"id": "LTAI5tDenied", "allow": False, **credential}])
    detail = api.ask(headers=key("LTAI5tDenied")).get_json()["AccessDeniedDetail"]
    assert detail.pop("AuthPrincipalDisplayName")
    assert detail.pop("AuthPrincipalOwnerId").isdecimal()
    assert detail == {
        "AuthAction": "paiexperiment:ListRuns",
        "AuthPrincipalType": caller,
        "NoPermissionType": "ImplicitDeny",
        "PolicyType": "AccountLevelIdentityBasedPolicy",
    }


def test_the_older_signature_is_recognised(present: Any, refused: Any) -> None:
    assert refused(present.ask(headers=LEGACY))[1] == "IncompleteSignature"
    assert "`acs KEY:SIGNATURE` (version 2, HMAC-SHA1), not emulated here: use ACS3-HMAC-SHA256" in present.why


def test_expiry_follows_virtual_time(make: Any, refused: Any) -> None:
    api = make(runs=[], credentials=[{"id": "LTAI5tSoon", "secret": "s", "expires": "2026-01-15T10:00:00Z"}])
    assert api.ask(headers=key("LTAI5tSoon")).status_code == 200
    api.app.emulator.space("default").clock.advance(3600)
    assert refused(api.ask(headers=key("LTAI5tSoon")))[1] == "InvalidSecurityToken.Expired"


# --- verify


def test_a_signed_request_passes(verify: Any, signer: Any) -> None:
    assert verify.ask(headers=signer().headers()).status_code == 200
    assert verify.ask(headers=signer(key="LTAI5tLater", secret="s").headers()).status_code == 200


def test_credentials_only_replaces_the_well_known_key(make: Any, signer: Any, refused: Any) -> None:
    own = [{"id": "LTAI5tOwn", "secret": "own"}]
    api = make(runs=[], credentials=own, credentials_only=True, auth="verify")
    assert api.ask(headers=signer(key="LTAI5tOwn", secret="own").headers()).status_code == 200
    assert refused(api.ask(headers=signer().headers()))[1] == "InvalidAccessKeyId.NotFound"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("LTAI5tUnknown", 404, "InvalidAccessKeyId.NotFound"),
        ("LTAI5tOff", 400, "InvalidAccessKeyId.Inactive"),
        ("LTAI5tOld", 400, "InvalidSecurityToken.Expired"),
        ("LTAI5tDenied", 403, "NoPermission"),
    ],
)
def test_verify_looks_the_key_up(verify: Any, signer: Any, refused: Any, name: str, status: int, code: str) -> None:
    assert refused(verify.ask(headers=signer(key=name, secret="s").headers()))[:2] == (status, code)


@pytest.mark.parametrize("algorithm", ["ACS3-HMAC-SM3", "ACS3-RSA-SHA256"])
def test_other_algorithms_are_recognised_and_refused(verify: Any, signer: Any, refused: Any, algorithm: str) -> None:
    headers = signer().headers()
    headers["Authorization"] = headers["Authorization"].replace("ACS3-HMAC-SHA256", algorithm)
    assert refused(verify.ask(headers=headers))[1] == "IncompleteSignature"
    assert f"{algorithm} is a real algorithm of the SDKs, not emulated here: use ACS3-HMAC-SHA256" in verify.why


@pytest.mark.parametrize("field", ["SignedHeaders", "Signature"])
def test_a_field_of_authorization_that_is_missing(verify: Any, signer: Any, refused: Any, field: str) -> None:
    headers = signer().headers()
    kept = [part for part in headers["Authorization"].split(",") if not part.startswith(f"{field}=")]
    assert refused(verify.ask(headers={**headers, "Authorization": ",".join(kept)}))[1] == "IncompleteSignature"
    assert verify.why == f"Authorization has no {field}"


MUST = ("x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version")


@pytest.mark.parametrize("name", ["host", *MUST])
def test_a_header_that_must_be_signed_and_is_not(verify: Any, signer: Any, refused: Any, name: str) -> None:
    headers = signer(drop=(name,)).headers()
    assert refused(verify.ask(headers=headers)) == (
        400,
        "IncompleteSignature",
        "The request signature does not conform to the platform's standards.",
    )
    assert verify.why == f"SignedHeaders lacks {name}"


@pytest.mark.parametrize("name", MUST)
def test_a_signed_header_that_does_not_arrive(verify: Any, signer: Any, refused: Any, name: str) -> None:
    headers = signer().headers()
    del headers[name]
    assert refused(verify.ask(headers=headers))[1] == "IncompleteSignature"
    assert verify.why == f"SignedHeaders names {name}, which the request does not carry"


# --- temporary keys and bearer tokens


def temporary(signer: Any, token: str | None) -> dict[str, str]:
    extra = {} if token is None else {"x-acs-security-token": token, "x-acs-accesskey-id": "STS.temporary"}
    headers: dict[str, str] = signer(key="STS.temporary", secret="s", extra=extra).headers()
    return headers


def test_a_temporary_key_passes_with_its_token(verify: Any, signer: Any) -> None:
    assert verify.ask(headers=temporary(signer, "sts-token")).status_code == 200


def test_a_temporary_key_without_its_token(verify: Any, signer: Any, refused: Any) -> None:
    assert refused(verify.ask(headers=temporary(signer, None))) == (
        400,
        "MissingSecurityToken",
        "SecurityToken is mandatory for this action.",
    )


def test_a_temporary_key_with_another_token(verify: Any, signer: Any, refused: Any) -> None:
    answer = verify.ask(headers=temporary(signer, "sts-tokem"))
    assert refused(answer)[:2] == (400, "InvalidSecurityToken.MismatchWithAccessKey")
    assert "sts-toke" not in verify.why


def test_a_permanent_key_with_a_token(verify: Any, signer: Any, refused: Any) -> None:
    headers = signer(extra={"x-acs-security-token": "sts-token"}).headers()
    assert refused(verify.ask(headers=headers))[1] == "InvalidSecurityToken.MismatchWithAccessKey"
    assert "came with a permanent key" in verify.why


def test_a_bearer_token_is_looked_up(verify: Any, refused: Any) -> None:
    assert verify.ask(headers=BEARER).status_code == 200
    assert verify.last.credential == "my-bearer"
    assert refused(verify.ask(headers=bearer("bearer-off-token")))[1] == "InvalidAccessKeyId.Inactive"
    assert refused(verify.ask(headers=bearer("bearer-denied-token")))[1] == "NoPermission"


@pytest.mark.parametrize("token", ["unknown", "sts-token", "s", "my-bearer", "\u00fc"])
def test_an_unknown_bearer_token_is_refused_and_not_kept(verify: Any, refused: Any, token: str) -> None:
    assert refused(verify.ask(headers=bearer(token))) == (
        400,
        "InvalidSecurityToken.Malformed",
        "Specified SecurityToken is malformed.",
    )
    assert verify.last.credential.startswith("bearer ")


# --- order


def test_the_checks_come_in_the_order_of_the_gateway(make: Any, signer: Any, refused: Any) -> None:
    """Route, version, form, key, date, signature, nonce, fault, permission, parameters; mended one by one."""
    faults = [{"when": {"vendor": "alibaba-pai", "call": 1}, "refuse": "throttled"}]
    api = make(
        rest={"faults": faults},
        runs=[],
        auth="verify",
        credentials=[{"id": "LTAI5tDenied", "secret": "s", "allow": False}, {"id": "LTAI5tGood", "secret": "s"}],
    )
    bad = "/api/v1/runs?PageSize=zero"
    flaws = {"x-acs-version": "2020-01-01", "x-acs-date": "today", "x-acs-signature-nonce": "once"}
    seen = [refused(api.ask("/api/v1/rums", {}))[1]]

    def ask(target: str = bad, drop: tuple[str, ...] = (), **who: str) -> None:
        headers = signer(extra=dict(flaws), drop=drop, **who).headers(target)
        seen.append(refused(api.ask(target, headers))[1])

    ask(drop=("x-acs-action",), key="LTAI5tNobody", secret="wrong")
    flaws["x-acs-version"] = "2021-02-04"
    ask(drop=("x-acs-action",), key="LTAI5tNobody", secret="wrong")
    ask(key="LTAI5tNobody", secret="wrong")
    ask(key="LTAI5tDenied", secret="wrong")
    del flaws["x-acs-date"]
    ask(key="LTAI5tDenied", secret="wrong")
    ask(key="LTAI5tDenied", secret="s")
    ask(key="LTAI5tDenied", secret="s")
    del flaws["x-acs-signature-nonce"]
    ask(key="LTAI5tDenied", secret="s")
    ask(key="LTAI5tGood", secret="s")
    assert seen == [
        "InvalidApi.NotFound",
        "InvalidVersion",
        "IncompleteSignature",
        "InvalidAccessKeyId.NotFound",
        "InvalidTimeStamp.Format",
        "SignatureDoesNotMatch",
        "Throttling.User",
        "SignatureNonceUsed",
        "NoPermission",
        "InvalidParameter",
    ]


@pytest.mark.parametrize("asked", ["2021-02-04", None])
def test_the_version_is_taken_when_it_is_right_or_absent(api: Any, asked: str | None) -> None:
    headers = {**SIGNED, **({"x-acs-version": asked} if asked else {})}
    assert api.ask(headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "found"),
    [(SIGNED, "LTAI5tAnyone"), (BEARER, "bearer-token"), (LEGACY, "LTAI5tLocalruns00000001"), ({}, "")],
)
def test_the_presented_id_is_read_for_the_namespace(headers: dict[str, str], found: str) -> None:
    from localruns.engine.message import Request
    from localruns.vendors.alibaba_pai.access import identify

    lower = tuple((name.lower(), value) for name, value in headers.items())
    assert identify(Request("GET", "/api/v1/runs", "/api/v1/runs", headers=lower)) == found
