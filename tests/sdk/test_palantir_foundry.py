"""The real `foundry-platform-sdk`, sync and async, against a live server on loopback."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from localruns.vendors.palantir_foundry import STUDIO, VENDOR
from localruns.vendors.palantir_foundry.client import HELP
from tests.sdk.foundry_clients import (
    CONFIDENTIAL,
    KEYS,
    ask,
    auth,
    entries,
    foundry_sdk,
    gathered,
    keys_of,
    program,
    sync,
)

models_errors = pytest.importorskip("foundry_sdk.v2.models.errors")

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """An OAuth client, its refreshing thread stopped at the end."""
    made = foundry_sdk.ConfidentialClientAuth(**request.param, should_refresh=True)
    yield made
    made._stop_refresh_event.set()


AS_CLIENT = pytest.mark.parametrize(
    "client", [CONFIDENTIAL, {**CONFIDENTIAL, "scopes": ["api:models-read"]}], indirect=True
)


@pytest.mark.parametrize("size", [1, 7, 1000, None])
@pytest.mark.parametrize("prefix", ["", "/ns/default"])
def test_a_sync_walk_gives_every_run(foundry: Any, size: int | None, prefix: str) -> None:
    url, app = foundry(auth="verify")
    runs = list(sync(url + prefix).list(STUDIO, page_size=size, preview=True))
    assert len(runs) == 25
    assert [run.build_rid for run in runs] == keys_of(app)
    assert runs == sorted(runs, key=lambda run: run.started_time, reverse=True)


@pytest.mark.parametrize("size", [1, 7, 1000, None])
def test_an_async_walk_gives_every_run(foundry: Any, size: int | None) -> None:
    url, app = foundry(auth="verify")
    runs = asyncio.run(gathered(url, page_size=size))
    assert len(runs) == 25
    assert [run.build_rid for run in runs] == keys_of(app)


def test_the_first_page_is_there_at_once_and_filtered(foundry: Any) -> None:
    url, app = foundry()
    page = sync(url).list(STUDIO, config_version=3, page_size=2, preview=True)
    assert [run.config_version for run in page.data] == [3, 3]
    assert page.next_page_token.startswith("v1.")
    assert len(entries(app)) == 1


def test_raw_and_streaming_responses_work(foundry: Any) -> None:
    url, _ = foundry()
    raw = sync(url).with_raw_response.list(STUDIO, page_size=3, preview=True)
    assert (raw.status_code, len(raw.json()["data"]), len(raw.decode().data)) == (200, 3, 3)
    with sync(url).with_streaming_response.list(STUDIO, page_size=3, preview=True) as streamed:
        assert len(json.loads(b"".join(streamed.iter_bytes()))["data"]) == 3


def test_default_parameters_switch_preview_on(foundry: Any) -> None:
    url, _ = foundry()
    runs = sync(url, default_params={"preview": "true", "other": "x"})
    assert len(list(runs.list(STUDIO))) == 25
    assert len(list(runs.list(STUDIO, preview=True))) == 25


def test_attribution_and_trace_headers_are_let_through(foundry: Any) -> None:
    url, app = foundry()
    attribution, trace = foundry_sdk.ATTRIBUTION_VAR, foundry_sdk.TRACE_ID_VAR
    marks = attribution.set([STUDIO, "ri.a..b.c"]), trace.set("0123456789abcdef")
    try:
        assert len(list(sync(url).list(STUDIO, preview=True))) == 25
    finally:
        attribution.reset(marks[0])
        trace.reset(marks[1])
    entry = next(iter(entries(app)))
    assert entry.request.header("attribution") == f"{STUDIO}, ri.a..b.c"


UNKNOWN = "ri.models.main.model-studio.unknown"


@pytest.mark.parametrize("way", ["sync", "async"])
def test_not_found_is_typed(foundry: Any, way: str) -> None:
    url, _ = foundry()
    with pytest.raises(models_errors.ModelStudioNotFound) as caught:
        ask(url, way, UNKNOWN)
    assert caught.value.parameters == {"studioRid": UNKNOWN}
    with pytest.raises(models_errors.ModelStudioConfigVersionNotFound) as caught:
        ask(url, way, config_version=9)
    assert caught.value.parameters == {"studioRid": STUDIO, "configVersion": 9}


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize(
    ("args", "name", "parameters"),
    [
        ({"preview": None}, "ApiFeaturePreviewUsageOnly", {}),
        ({"preview": False}, "ApiFeaturePreviewUsageOnly", {}),
        ({"page_size": 0}, "InvalidPageSize", {"pageSize": 0}),
        ({"page_token": ""}, "InvalidPageToken", {"pageToken": ""}),
        ({"page_token": "v1.a b+c%"}, "InvalidPageToken", {"pageToken": "v1.a b+c%"}),
    ],
)
def test_bad_requests_name_themselves(
    foundry: Any, way: str, args: dict[str, Any], name: str, parameters: dict[str, Any]
) -> None:
    url, _ = foundry()
    with pytest.raises(foundry_sdk.BadRequestError) as caught:
        ask(url, way, **args)
    assert (caught.value.name, caught.value.parameters) == (name, parameters)


@pytest.mark.parametrize(
    ("token", "error", "name"),
    [
        ("nobody", "UnauthorizedError", "Default:Unauthorized"),
        ("old", "UnauthorizedError", "Default:Unauthorized"),
        ("Bearer x", "UnauthorizedError", "Conjure:MalformedCredentials"),
        ("narrow", "PermissionDeniedError", "ApiUsageDenied"),
        ("outside", "PermissionDeniedError", "Default:PermissionDenied"),
    ],
)
def test_tokens_are_verified(foundry: Any, token: str, error: str, name: str) -> None:
    marked = [
        {"id": "old", "token": "old", "expires": "2026-01-01T00:00:00Z"},
        {"id": "narrow", "token": "narrow", "scopes": []},
        {"id": "outside", "token": "outside", "allow": False},
    ]
    url, app = foundry(auth="verify", credentials=marked)
    with pytest.raises(getattr(foundry_sdk, error)) as caught:
        sync(url, auth(token)).list(STUDIO, preview=True)
    assert caught.value.name == name
    assert len(entries(app)) == 1


@pytest.mark.parametrize(
    ("refuse", "error", "requests"),
    [
        ("server_error", "InternalServerError", 1),
        ("Default:Timeout", "InternalServerError", 1),
        ("Default:Conflict", "ConflictError", 1),
        ("Default:RequestEntityTooLarge", "RequestEntityTooLargeError", 1),
        ("Conjure:UnprocessableEntity", "UnprocessableEntityError", 1),
        ("EndpointNotFound", "ApiNotFoundError", 1),
        ("throttled", "RateLimitError", 16),
        ("unavailable", "ServiceUnavailable", 16),
        ("TooManyRequests:DoNotRetry", "RateLimitError", 1),
        ("ServiceUnavailable:DoNotRetry", "ServiceUnavailable", 1),
    ],
)
def test_refusals_are_met_as_the_sdk_meets_the_platforms(foundry: Any, refuse: str, error: str, requests: int) -> None:
    url, app = foundry(faults=[{"when": {"vendor": "palantir-foundry"}, "refuse": refuse}])
    with pytest.raises(getattr(foundry_sdk, error)):
        sync(url).list(STUDIO, preview=True)
    assert len(entries(app)) == requests


def test_a_throttled_page_in_the_middle_is_retried(foundry: Any) -> None:
    fault = {"when": {"vendor": "palantir-foundry", "page": 3}, "refuse": "throttled", "times": 2, "retry_after_s": 1}
    url, app = foundry(faults=[fault])
    assert len(list(sync(url).list(STUDIO, page_size=5, preview=True))) == 25
    statuses = [entry.reply.status for entry in entries(app) if entry.reply]
    assert statuses == [200, 200, 429, 429, 200, 200, 200]


@AS_CLIENT
def test_a_client_gets_a_token_walks_and_signs_out(foundry: Any, client: Any) -> None:
    url, app = foundry(auth="verify")
    runs = sync(url, client)
    assert len(list(runs.list(STUDIO, page_size=10, preview=True))) == 25
    given = client.get_token().access_token
    client.sign_out()
    with pytest.raises(foundry_sdk.UnauthorizedError):
        sync(url, auth(given)).list(STUDIO, preview=True)
    assert len(list(runs.list(STUDIO, preview=True))) == 25
    endpoints = [entry.endpoint for entry in entries(app)]
    assert endpoints[0] == "GetToken"
    assert endpoints[4:] == ["RevokeToken", "ListModelStudioRuns", "GetToken", "ListModelStudioRuns"]


@AS_CLIENT
def test_an_async_client_gets_a_token_and_walks(foundry: Any, client: Any) -> None:
    url, _ = foundry(auth="verify")
    assert len(asyncio.run(gathered(url, client, page_size=10))) == 25


def test_a_refused_client_fails(foundry: Any) -> None:
    url, app = foundry(auth="verify")
    wrong = foundry_sdk.ConfidentialClientAuth(client_id="x", client_secret="y", should_refresh=False)
    with pytest.raises(foundry_sdk.SDKInternalError):
        sync(url, wrong).list(STUDIO, preview=True)
    statuses = {entry.reply.status for entry in entries(app) if entry.reply}
    assert statuses == {401}


def test_a_short_lived_token_is_fetched_for_each_request(foundry: Any) -> None:
    url, app = foundry(auth="verify", settings={"access_token_ttl_s": 60})
    client = foundry_sdk.ConfidentialClientAuth(**CONFIDENTIAL, should_refresh=False)
    assert len(list(sync(url, client).list(STUDIO, page_size=10, preview=True))) == 25
    endpoints = [entry.endpoint for entry in entries(app)]
    assert endpoints == ["GetToken", "ListModelStudioRuns"] * 3


@pytest.mark.parametrize("prefix", ["", "/ns/default"])
def test_the_snippet_runs_as_it_stands(foundry: Any, prefix: str) -> None:
    url, app = foundry(auth="verify")
    done = program(HELP.snippet(url + prefix, KEYS, VENDOR.resources))
    assert done.returncode == 0, done.stderr
    assert len(keys_of(app)) == 2 * 25  # with a token, then as an OAuth2 client


def test_the_environment_points_unchanged_code_here(foundry: Any) -> None:
    url, _ = foundry(auth="verify")
    text = (
        "from foundry_sdk import ConfidentialClientAuth, FoundryClient\n"
        f"auth = ConfidentialClientAuth(**{CONFIDENTIAL}, should_refresh=False)\n"
        "for client in (FoundryClient(), FoundryClient(auth=auth)):\n"
        f"    print(len(list(client.models.ModelStudio.Run.list('{STUDIO}', preview=True))))\n"
    )
    done = program(text, **HELP.environment(url, KEYS, {}))
    assert (done.returncode, done.stdout.split()) == (0, ["25", "25"]), done.stderr


def test_the_curl_line_is_a_complete_request(foundry: Any) -> None:
    url, _ = foundry(auth="verify")
    done = subprocess.run(
        ["sh", "-c", HELP.curl(url, KEYS, VENDOR.resources)], capture_output=True, text=True, timeout=20, check=False
    )
    if done.returncode == 127:
        pytest.skip("there is no curl")
    assert done.stdout.startswith('{"data":[')
