"""Mode verify: what passes, what is refused, in which order, and what the journal says of it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from localruns import clock
from localruns.engine.message import Request, parse_query
from localruns.vendors.alibaba_pai.canonical import canonicals, read

KEY, SECRET = "LTAI5tMockAccessKeyId01", "mockAccessKeySecret0123456789ab"
EMPTY = hashlib.sha256(b"").hexdigest()
V2 = (
    "Labels=is_evaluation%3Atrue%2CLLM_evaluation%3Atrue&Name=%E8%AE%AD%E7%BB%83+run~1%2A"
    "&OrderBy=GmtCreateTime+DESC%2CName+ASC&PageNumber=1&PageSize=10&Verbose=True"
)
V4 = (
    b'{"ExperimentId":"exp-1","Labels":[{"Key":"k","Value":"v"}],"Name":"r1",'
    b'"Params":[{"Key":"lr","Value":"0.1"}],"SourceType":"DLC"}'
)
COMMON = {
    "accept": "application/json",
    "host": "127.0.0.1:18080",
    "user-agent": "runs-emulator-vector/1.0",
    "x-acs-action": "ListRuns",
    "x-acs-content-sha256": EMPTY,
    "x-acs-credentials-provider": "static_ak",
    "x-acs-date": "2025-01-15T08:30:00Z",
    "x-acs-signature-nonce": "00112233445566778899aabbccddeeff",
    "x-acs-version": "2021-02-04",
}
STS = {
    "x-acs-credentials-provider": "static_sts",
    "x-acs-accesskey-id": KEY,
    "x-acs-security-token": "mock-sts-token",
}
POST = {
    "x-acs-action": "CreateRun",
    "content-type": "application/json; charset=utf-8",
    "x-acs-content-sha256": "76c8a0208dfb43aed72ff838951da2866558a91c2838b0194c171d08e609d9fd",
}
VECTORS: dict[str, tuple[str, str, dict[str, str], bytes, str, str]] = {
    "V1": (
        "GET",
        "/api/v1/runs",
        {},
        b"",
        "d72eeac3e575676591055443fa660223e71a02a21aa50136493fb92909b84a99",
        "45866b6f6e5b57d039654b1169fdabf5507301143529d79d09ec1025bdfff666",
    ),
    "V2": (
        "GET",
        f"/api/v1/runs?{V2}",
        {},
        b"",
        "c70cb858dd4dd90d4986c537ced27389d8d192ec5c85ef24198a36b93aea5b66",
        "e5b47af520c0d5328b3ab8eb58a83e73d7c6ca8f5e79abfeaf261478d90a4d4b",
    ),
    "V3": (
        "GET",
        "/api/v1/runs?WorkspaceId=145883",
        STS,
        b"",
        "e100ac388b21ae93f386bfe583da7cebbba403d00821ee60b78f23037f571c3c",
        "05e92e274e2e6a2391467aaf9ee19662165db37398d0b571605d714a625f835c",
    ),
    "V4": (
        "POST",
        "/api/v1/runs",
        POST,
        V4,
        "9f215d286864062bcb10eb7fbd5d81850d4e4c7819bc6b9495dd68ea554109b6",
        "1f9bd28fb1820b727d78fcacf463952e3125575703db407a7f86d6393bb79ae3",
    ),
}
#  The first as requests sends it, the second as aiohttp does, the third as Node does.
SPELLINGS = (
    V2,
    V2.replace("%3A", ":").replace("%2C", ",").replace("%2A", "*"),
    V2.replace("+", "%20").replace("%2A", "*"),
    "&".join(reversed(V2.split("&"))),
)


def vector(name: str) -> tuple[str, str, dict[str, str], bytes]:
    """(method, target, headers, body) of a published vector."""
    method, target, changes, body, _, signature = VECTORS[name]
    headers = {**COMMON, **changes}
    signed = ";".join(sorted(headers))
    headers["Authorization"] = f"ACS3-HMAC-SHA256 Credential={KEY},SignedHeaders={signed},Signature={signature}"
    return method, target, headers, body


@pytest.fixture
def vectors(make: Any) -> Any:
    """An emulator that takes the vectors' date, and knows their key, once plain and once temporary."""

    def start(token: str = "") -> Any:
        credential = {"id": KEY, "secret": SECRET, **({"token": token} if token else {})}
        return make(
            runs=[{"generate": 3}], auth="verify", settings={"signature_skew_s": 3153600000}, credentials=[credential]
        )

    return start


@pytest.mark.parametrize("name", VECTORS)
def test_the_published_vectors_are_computed_to_the_letter(name: str) -> None:
    method, target, headers, body = vector(name)
    authorization = read(headers.pop("Authorization"))
    assert authorization is not None
    query = target.partition("?")[2]
    request = Request(
        method, target, target.partition("?")[0], "", query, parse_query(query)[0], tuple(headers.items()), body
    )

    (form,) = canonicals(request, authorization)

    assert form.digest == VECTORS[name][4]
    assert form.signature(SECRET) == VECTORS[name][5]


@pytest.mark.parametrize("name", ["V1", "V2", "V3"])
def test_the_published_vectors_pass_over_http(vectors: Any, name: str) -> None:
    method, target, headers, body = vector(name)
    answer = vectors("mock-sts-token" if name == "V3" else "").ask(target, headers, method, body)
    assert answer.status_code == 200, answer.text


def test_the_vector_of_a_neighbouring_operation_meets_that_it_is_not_emulated(vectors: Any) -> None:
    method, target, headers, body = vector("V4")
    answer = vectors().ask(target, headers, method, body)
    assert answer.status_code == 501
    assert "CreateRun" in answer.text


@pytest.mark.parametrize("query", SPELLINGS)
def test_every_spelling_of_a_query_verifies_alike(vectors: Any, query: str) -> None:
    _, _, headers, _ = vector("V2")
    assert vectors().ask(f"/api/v1/runs?{query}", headers).status_code == 200


def test_a_vector_is_stale_under_the_default_setting(make: Any, refused: Any) -> None:
    api = make(runs=[], auth="verify", credentials=[{"id": KEY, "secret": SECRET}])
    _, target, headers, _ = vector("V1")
    assert refused(api.ask(target, headers))[1] == "InvalidTimeStamp.Expired"
    assert "behind the wall time" in api.why


def test_unsigned_extras_on_a_get_are_no_concern(verifying: Any, signer: Any) -> None:
    headers = {**signer().headers(), "content-type": "application/octet-stream", "content-length": "0"}
    assert verifying.ask(headers=headers).status_code == 200


@pytest.mark.parametrize("query", ["Name=a%20b&Name=", "Name", "Name=%E8%AE%AD&X=%2B+~*'()!", "&&Name=a&", "?"])
def test_odd_queries_verify(verifying: Any, signer: Any, query: str) -> None:
    target = f"/api/v1/runs?{query}"
    assert verifying.ask(target, signer().headers(target)).status_code == 200


def test_bytes_that_are_no_text_are_signed_as_they_are_and_refused_as_a_parameter(
    verifying: Any, signer: Any, refused: Any
) -> None:
    answer = verifying.ask("/api/v1/runs?Name=%FF", signer().headers(signed_query="Name=%FF"))
    assert refused(answer) == (400, "InvalidParameter", "The specified parameter query string is not valid.")


# --- the mount prefix


@pytest.mark.parametrize(("signs_prefix", "word"), [(False, "without"), (True, "with")])
def test_a_prefix_may_be_signed_or_not_and_the_journal_says_which(
    verifying: Any, signer: Any, signs_prefix: bool, word: str
) -> None:
    target, host = "/ns/default/api/v1/runs?PageSize=2", "127.0.0.1:8420/ns/default"
    headers = signer().headers(target, host=host, prefix="" if signs_prefix else "/ns/default")

    assert verifying.ask(target, headers).status_code == 200
    path = "/ns/default/api/v1/runs" if signs_prefix else "/api/v1/runs"
    assert verifying.why == f"the signature holds for the path {path!r}, {word} the prefix '/ns/default'"


def test_a_host_header_with_a_scheme_is_taken_as_it_is(verifying: Any, signer: Any) -> None:
    assert verifying.ask(headers=signer().headers(host="http://127.0.0.1:8420")).status_code == 200


def test_slashes_before_the_path_are_signed_as_sent(verifying: Any, signer: Any) -> None:
    assert verifying.ask("//api/v1/runs", signer().headers("//api/v1/runs")).status_code == 200


# --- dates and nonces


def at(signer: Any, moment: datetime) -> dict[str, str]:
    headers: dict[str, str] = signer(extra={"x-acs-date": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}).headers()
    return headers


@pytest.mark.parametrize("offset_s", [-900, -899, 0, 899, 900])
def test_a_date_within_the_window_is_taken(
    verifying: Any, signer: Any, monkeypatch: pytest.MonkeyPatch, offset_s: int
) -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall_now", lambda: now)
    assert verifying.ask(headers=at(signer, now + timedelta(seconds=offset_s))).status_code == 200


@pytest.mark.parametrize(("offset_s", "word"), [(-901, "behind"), (901, "ahead of")])
def test_a_date_outside_the_window_is_expired(
    verifying: Any, signer: Any, refused: Any, monkeypatch: pytest.MonkeyPatch, offset_s: int, word: str
) -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall_now", lambda: now)
    answer = verifying.ask(headers=at(signer, now + timedelta(seconds=offset_s)))
    assert refused(answer) == (
        400,
        "InvalidTimeStamp.Expired",
        "Specified time stamp or date value is expired.",
    )
    assert f"901 s {word} the wall time, signature_skew_s allows 900" in verifying.why


def test_the_window_is_a_setting_and_zero_refuses_every_date(make: Any, signer: Any, refused: Any) -> None:
    api = make(runs=[], auth="verify", settings={"signature_skew_s": 0})
    assert refused(api.ask(headers=signer().headers()))[1] == "InvalidTimeStamp.Expired"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-15T09:00:00",
        "2026-01-15T09:00:00.000Z",
        "2026-13-15T09:00:00Z",
        "Thu, 15 Jan 2026 09:00:00 GMT",
        "now",
    ],
)
def test_a_date_of_another_form_is_refused(verifying: Any, signer: Any, refused: Any, text: str) -> None:
    answer = verifying.ask(headers=signer(extra={"x-acs-date": text}).headers())
    assert refused(answer) == (
        400,
        "InvalidTimeStamp.Format",
        "Specified time stamp or date value is not well formatted.",
    )


def test_a_replay_is_refused_and_a_refused_request_uses_no_nonce_up(verifying: Any, signer: Any, refused: Any) -> None:
    wrong = signer(secret="wrong", extra={"x-acs-signature-nonce": "n1"})
    assert refused(verifying.ask(headers=wrong.headers()))[1] == "SignatureDoesNotMatch"
    headers = signer(extra={"x-acs-signature-nonce": "n1"}).headers()

    assert verifying.ask(headers=headers).status_code == 200
    assert refused(verifying.ask(headers=headers)) == (
        400,
        "SignatureNonceUsed",
        "Specified signature nonce was used already.",
    )
    assert "'n1' came before" in verifying.why


def test_a_nonce_belongs_to_its_key_and_is_forgotten_after_the_window(
    make: Any, signer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = make(runs=[], auth="verify", credentials=[{"id": "LTAI5tOther", "secret": "other"}])
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    statuses = []
    for later_s, key in ((0, {}), (0, {"key": "LTAI5tOther", "secret": "other"}), (899, {}), (901, {}), (902, {})):
        moment = now + timedelta(seconds=later_s)
        monkeypatch.setattr(clock, "wall_now", lambda moment=moment: moment)
        date = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        extra = {"x-acs-signature-nonce": "same", "x-acs-date": date}
        statuses.append(api.ask(headers=signer(**key, extra=extra).headers()).status_code)
    assert statuses == [200, 200, 400, 200, 400]
    assert len(api.app.emulator.space("default").states["alibaba-pai"].memory["nonces"]) == 1


def test_a_nonce_of_a_date_ahead_is_kept_until_that_date_is_stale(
    verifying: Any, signer: Any, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall_now", lambda: now)
    headers = at(signer, now + timedelta(seconds=900))
    assert verifying.ask(headers=headers).status_code == 200
    monkeypatch.setattr(clock, "wall_now", lambda: now + timedelta(seconds=1000))
    assert refused(verifying.ask(headers=headers))[1] == "SignatureNonceUsed"


def test_a_reset_forgets_the_nonces(verifying: Any, signer: Any) -> None:
    headers = signer().headers()
    assert verifying.ask(headers=headers).status_code == 200
    verifying.app.emulator.space("default").reset()
    assert verifying.ask(headers=headers).status_code == 200


# --- why a signature does not match


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


def test_a_huge_query_costs_no_search(verifying: Any, signer: Any, refused: Any) -> None:
    target = "/api/v1/runs?" + "&".join(f"x{n}={quote('é')}" for n in range(4000))
    assert refused(verifying.ask(target, signer(secret="wrong").headers(target)))[1] == "SignatureDoesNotMatch"
    assert len(verifying.why) < 6000


def test_a_security_token_stays_out_of_the_journal(make: Any, signer: Any, refused: Any) -> None:
    api = make(runs=[], auth="verify", credentials=[{"id": "STS.x", "secret": "s", "token": "very-private"}])
    headers = signer(key="STS.x", secret="wrong", extra={"x-acs-security-token": "very-private"}).headers()
    assert refused(api.ask(headers=headers))[1] == "SignatureDoesNotMatch"
    journal = api.app.test_client().get("/__admin/requests").text
    assert "very-private" not in journal
    assert "x-acs-security-token:(not kept)" in journal
