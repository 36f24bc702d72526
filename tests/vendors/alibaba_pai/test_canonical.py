"""What a client signs: the published vectors, and all spellings of a query."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

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


def test_a_path_is_signed_as_it_is_sent() -> None:
    target, authorization = "/api/v1/runs/run-1/labels/a%2Fb", read("ACS3-HMAC-SHA256 Credential=k")
    assert authorization is not None
    assert [form.path for form in canonicals(Request("DELETE", target, target), authorization)] == [target]


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
