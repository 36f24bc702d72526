"""Why a signature does not match, in the words of the journal."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest


def test_a_wrong_secret_is_refused_with_the_string_to_sign(verifying: Any, signer: Any, refused: Any) -> None:
    answer = verifying.ask("/api/v1/runs?Name=a%20b", signer(secret="wrong").headers("/api/v1/runs?Name=a%20b"))
    status, code, message = refused(answer)
    assert (status, code) == (400, "SignatureDoesNotMatch")
    assert message.startswith(
        "Specified signature is not matched with our calculation. server string to sign is:ACS3-HMAC-SHA256\n"
    )
    digest = message.rpartition("\n")[2]
    why = verifying.why
    assert digest in why
    assert "GET\\n/api/v1/runs\\nName=a%20b\\nhost:127.0.0.1:8420\\nx-acs-action:ListRuns\\n" in why
    assert "no other reading of the request fits: either the client's secret differs" in why
    assert "header host, header x-acs-action" in why
    assert signer().secret not in why
    assert signer().headers()["Authorization"].rpartition("=")[2] not in why


@pytest.mark.parametrize(
    ("target", "sent", "words"),
    [
        ("/api/v1/runs", "/api/v1/runs?Verbose=true", "signed it without the parameter 'Verbose'"),
        ("/api/v1/runs?Name=a", "/api/v1/runs?Name=a&PageSize=3", "signed it without the parameter 'PageSize'"),
        ("/api/v1/runs", "/api/v1/runs?Name=a&PageSize=3", "signed it without any parameter"),
        ("/api/v1/runs?Verbose=true", "/api/v1/runs?Verbose=True", "signed it with true and false in lower case"),
        ("/api/v1/runs?Verbose=True", "/api/v1/runs?Verbose=TRUE", "signed it with True and False capitalised"),
        ("/api/v1/runs?Name=a%2Bb", "/api/v1/runs?Name=a+b", "a bare plus is a space"),
        ("/api/v1/runs?Name=a&Labels=", "/api/v1/runs?Name=a&Labels=&SourceId=", "without the parameter 'SourceId'"),
        ("/api/v1/runs?Name=a", "/api/v1/runs?Name=a&SourceId=&Labels=", "without the parameters that are empty"),
        ("/api/v1/runs?Name=a&Name=b", "/api/v1/runs?Name=b&Name=a", "repeated parameters sorted by their values"),
        ("/api/v1/runs?Name=a", "/api/v1/runs?Name=b", "no other reading of the request fits"),
    ],
)
def test_a_query_changed_after_signing_is_found(
    verifying: Any, signer: Any, refused: Any, target: str, sent: str, words: str
) -> None:
    assert refused(verifying.ask(sent, signer().headers(target)))[1] == "SignatureDoesNotMatch"
    assert words in verifying.why


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        ("localhost:8420", "127.0.0.1:8420"),
        ("127.0.0.1", "127.0.0.1:8420"),
        ("aiworkspace.cn-hangzhou.aliyuncs.com", "127.0.0.1:8420"),
        ("http://127.0.0.1:8420", "127.0.0.1:8420"),
    ],
)
def test_a_rewritten_host_is_found(verifying: Any, signer: Any, refused: Any, signed: str, sent: str) -> None:
    headers = {**signer().headers(host=signed), "host": sent}
    assert refused(verifying.ask(headers=headers))[1] == "SignatureDoesNotMatch"
    assert f"the header host differs: the client signed {signed!r}, the request carries {sent!r}" in verifying.why


def test_a_changed_body_is_found(verifying: Any, signer: Any, refused: Any) -> None:
    headers = signer().headers(body=b"{}")
    assert refused(verifying.ask(headers=headers, body=b"{ }"))[1] == "SignatureDoesNotMatch"
    assert "the body differs: x-acs-content-sha256 is '44136fa355b3678a" in verifying.why


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "POST"}, "the method differs: the client signed 'POST'"),
        ({"target": "/api/v1/runs/"}, "the path differs: the client signed it with a slash at its end"),
    ],
)
def test_another_method_or_path_is_found(
    verifying: Any, signer: Any, refused: Any, change: dict[str, str], words: str
) -> None:
    assert refused(verifying.ask(headers=signer().headers(**change)))[1] == "SignatureDoesNotMatch"
    assert words in verifying.why


def test_a_changed_header_is_refused_and_among_the_suspects(verifying: Any, signer: Any, refused: Any) -> None:
    headers = {**signer(extra={"user-agent": "one"}).headers(), "user-agent": "two"}
    assert refused(verifying.ask(headers=headers))[1] == "SignatureDoesNotMatch"
    assert "header user-agent" in verifying.why


def test_a_header_named_but_not_signed_is_found(verifying: Any, signer: Any, refused: Any) -> None:
    headers = signer().headers()
    headers["Authorization"] = headers["Authorization"].replace("SignedHeaders=", "SignedHeaders=accept;")
    headers["accept"] = "application/json"
    assert refused(verifying.ask(headers=headers))[1] == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("localruns-alibaba-secret&", "'&' behind it"),
        ("localruns-alibaba-secret\n", "a line break behind it"),
        ("other", "signed with the secret of LTAI5tOther"),
    ],
)
def test_a_slip_around_the_secret_is_found(make: Any, signer: Any, refused: Any, secret: str, words: str) -> None:
    api = make(runs=[], auth="verify", credentials=[{"id": "LTAI5tOther", "secret": "other"}])
    assert refused(api.ask(headers=signer(secret=secret).headers()))[1] == "SignatureDoesNotMatch"
    assert words in api.why


def test_upper_case_hex_is_refused_and_named(verifying: Any, signer: Any, refused: Any) -> None:
    headers = signer().headers()
    head, _, signature = headers["Authorization"].rpartition("=")
    answer = verifying.ask(headers={**headers, "Authorization": f"{head}={signature.upper()}"})
    assert refused(answer)[1] == "SignatureDoesNotMatch"
    assert "upper-case hex" in verifying.why


def test_a_signature_that_is_no_ascii_is_refused(verifying: Any, signer: Any, refused: Any) -> None:
    headers = signer().headers()
    headers["Authorization"] = headers["Authorization"].rpartition("=")[0] + "=\u00fc\u00ff"
    assert refused(verifying.ask(headers=headers))[1] == "SignatureDoesNotMatch"


def test_a_credential_without_a_secret_signs_nothing(make: Any, signer: Any, refused: Any) -> None:
    api = make(runs=[], auth="verify", credentials=[{"id": "no-secret"}])
    assert refused(api.ask(headers=signer(key="no-secret", secret="").headers()))[1] == "SignatureDoesNotMatch"
    assert "the scenario gives no-secret no secret" in api.why


@pytest.mark.parametrize("part", ["query", "headers"])
def test_a_huge_request_costs_no_search(verifying: Any, signer: Any, refused: Any, part: str) -> None:
    target = "/api/v1/runs?" + "&".join(f"x{n}={quote('é')}" for n in range(4000 if part == "query" else 1))
    headers = signer(secret="wrong").headers(target)
    if part == "headers":
        headers["Authorization"] = headers["Authorization"].replace("SignedHeaders=", "SignedHeaders=" + "host;" * 9000)
    assert refused(verifying.ask(target, headers))[1] == "SignatureDoesNotMatch"
    assert "too many to search" in verifying.why
    assert len(verifying.why) < 6000


def test_a_security_token_stays_out_of_the_journal(make: Any, signer: Any, refused: Any) -> None:
    api = make(runs=[], auth="verify", credentials=[{"id": "STS.x", "secret": "s", "token": "very-private"}])
    headers = signer(key="STS.x", secret="wrong", extra={"x-acs-security-token": "very-private"}).headers()
    assert refused(api.ask(headers=headers))[1] == "SignatureDoesNotMatch"
    journal = api.app.test_client().get("/__admin/requests").text
    assert "very-private" not in journal
    assert "x-acs-security-token:(not kept)" in journal
