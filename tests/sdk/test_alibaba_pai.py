"""The real Alibaba Cloud SDK, sync and async, against a live server."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from localruns.engine.emulator import Emulator, Options
from localruns.surfaces.http import App
from localruns.vendors.alibaba_pai import VENDOR

pytest.importorskip("alibabacloud_aiworkspace20210204")

from alibabacloud_aiworkspace20210204.client import Client
from alibabacloud_aiworkspace20210204.models import ListRunsRequest
from alibabacloud_tea_openapi import exceptions
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.policy.retry import RetryCondition, RetryOptions
from darabonba.runtime import RuntimeOptions
from Tea.exceptions import TeaException

pytestmark = pytest.mark.sdk

KEY, SECRET = "LTAI5tLocalruns00000001", "localruns-alibaba-secret"
ASK: dict[str, Callable[[Client, ListRunsRequest, dict[str, str]], Any]] = {
    "sync": lambda client, request, headers: client.list_runs_with_options(request, headers, RuntimeOptions()),
    "async": lambda client, request, headers: asyncio.run(
        client.list_runs_with_options_async(request, headers, RuntimeOptions())
    ),
}


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args: Any) -> None:
        """Say nothing."""


class Live:
    """A server on loopback with the scenario it was last given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.app: Any = None
        self._server = make_server("127.0.0.1", 0, lambda *call: self.app(*call), threaded=True, request_handler=Quiet)
        self.netloc = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def load(self, faults: Any = (), **part: Any) -> None:
        """Serve a scenario with this content for the vendor."""
        part = {"runs": [{"generate": 25}], "auth": "verify", **part}
        text = json.dumps({"scenario": "sdk", "faults": list(faults), "vendors": {"alibaba-pai": part}})
        path = self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.yaml"
        path.write_text(text, encoding="utf-8")
        self.app = App(Emulator({VENDOR.id: VENDOR}, str(path), Options(cache=self._folder / "cache")))

    @property
    def journal(self) -> list[Any]:
        return [*self.app.emulator.space("default").journal]

    @property
    def why(self) -> str:
        """The journal's reason for the last answer."""
        entries = self.app.test_client().get("/__admin/requests").get_json()["requests"]
        return str(entries[-1]["why"])

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    live = Live(tmp_path_factory.mktemp("alibaba-sdk"))
    yield live
    live.close()


@pytest.fixture
def live(server: Live, monkeypatch: pytest.MonkeyPatch) -> Live:
    # The SDK sends even loopback calls to a proxy of the environment.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    server.load()
    return server


def client_of(live: Live, path: str = "", **config: Any) -> Client:
    plain = {"access_key_id": KEY, "access_key_secret": SECRET}
    keys = {} if "bearer_token" in config else plain
    return Client(Config(endpoint=f"{live.netloc}{path}", protocol="http", **{**keys, **config}))


@pytest.fixture(params=list(ASK))
def ask(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """`ask(client, **parameters)`: the body, sync and async."""

    def call(client: Client, headers: dict[str, str] | None = None, **parameters: Any) -> Any:
        return ASK[request.param](client, ListRunsRequest(**parameters), headers or {}).body

    return call


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_walk_by_token_gives_each_run_once(live: Live, ask: Any, size: int) -> None:
    client, token, names = client_of(live), 0, []
    while True:
        page = ask(client, page_token=token, max_results=size)
        names += [run.run_id for run in page.runs]
        token = page.next_page_token
        if not token:
            break
    assert len(set(names)) == len(names) == page.total_count == 25
    assert len(live.journal) == -(-25 // size)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_walk_by_number_gives_each_run_once(live: Live, ask: Any, size: int) -> None:
    client, names = client_of(live), []
    for number in range(1, 1 + -(-25 // size)):
        page = ask(client, page_number=number, page_size=size)
        assert page.next_page_token == 0
        names += [run.run_id for run in page.runs]
    assert len(set(names)) == len(names) == page.total_count == 25


def test_the_model_finds_every_field(live: Live, ask: Any) -> None:
    page = ask(client_of(live), verbose=True, labels="is_evaluation", order_by="GmtCreateTime DESC,Name ASC")
    run = page.runs[0]
    assert page.request_id == live.journal[-1].reply.content["requestId"]
    assert run.metrics[0].key == "loss"
    assert run.params[0].value
    assert run.labels[0].run_id == run.run_id
    assert {"RunId", "Name", "RequestId", "GmtModifiedTime", "OwnerId"} <= run.to_map().keys()


def test_without_verbose_the_model_shows_empty_lists(live: Live, ask: Any) -> None:
    run = ask(client_of(live)).runs[0]
    assert run.metrics in ([], None)
    assert run.labels in ([], None)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"name": "训练 run~1*", "labels": "is_evaluation:true,LLM_evaluation:true", "verbose": True},
        {"name": "", "order_by": "GmtCreateTime DESC,Name ASC", "source_id": "a/b?c&d=e+f%2F%"},
        {"gmt_create_time": "2021-01-30T20:51:33.028+08:00", "verbose": False},
    ],
)
def test_what_the_sdk_signs_is_verified(live: Live, ask: Any, parameters: dict[str, Any]) -> None:
    assert ask(client_of(live), **parameters).next_page_token in (0, 10)
    assert ask(client_of(live, user_agent="mine/1.0"), {"x-mine": "a  b "}, **parameters)


def test_under_a_prefix_the_sdk_signs_the_path_without_it(live: Live, ask: Any) -> None:
    assert ask(client_of(live, "/ns/default")).total_count == 25
    assert live.why == "the signature holds for the path '/api/v1/runs', without the prefix '/ns/default'"


def test_temporary_keys_and_bearer_tokens(live: Live, ask: Any) -> None:
    live.load(
        credentials=[{"id": "STS.x", "secret": "s", "token": "sts-token"}, {"id": "bearer", "token": "bearer-token"}]
    )
    temporary = {"access_key_id": "STS.x", "access_key_secret": "s"}
    assert ask(client_of(live, **temporary, security_token="sts-token")).total_count == 25
    assert ask(client_of(live, bearer_token="bearer-token")).total_count == 25
    assert code_of(ask, client_of(live, **temporary)) == "MissingSecurityToken"
    assert (
        code_of(ask, client_of(live, **temporary, security_token="x")) == "InvalidSecurityToken.MismatchWithAccessKey"
    )
    assert code_of(ask, client_of(live, bearer_token="x")) == "InvalidSecurityToken.Malformed"


def code_of(ask: Any, client: Client, headers: dict[str, str] | None = None, **parameters: Any) -> str:
    with pytest.raises(TeaException) as raised:
        ask(client, headers, **parameters)
    return str(raised.value.code)


def test_one_byte_of_the_secret_is_enough_to_be_refused(live: Live, ask: Any) -> None:
    assert code_of(ask, client_of(live, access_key_secret=SECRET[:-1] + "T")) == "SignatureDoesNotMatch"
    assert "either the client's secret differs from the scenario's" in live.why
    assert "GET\\n/api/v1/runs\\n" in live.why
    assert SECRET not in live.why


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"QUERY": "&PageSize=3"}, "the client signed it without the parameter 'PageSize'"),
        ({"HTTP_USER_AGENT": "proxy/1.0"}, "header user-agent"),
        ({"HTTP_X_ACS_DATE": None}, "header x-acs-date"),
        ({"HTTP_HOST": "localhost:{port}"}, "the header host differs: the client signed '127.0.0.1:"),
    ],
)
def test_what_a_proxy_changes_is_refused_and_named(live: Live, ask: Any, change: dict[str, Any], words: str) -> None:
    app = live.app

    def proxy(environ: Any, start_response: Any) -> Any:
        environ.pop("localruns.headers", None)  # our own server's list of headers; what follows changes WSGI's
        for name, value in change.items():
            if name == "QUERY":
                environ["QUERY_STRING"] += value
                environ["REQUEST_URI"] = environ["RAW_URI"] = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
            elif value is None:
                text = environ[name]
                environ[name] = f"{text[:-2]}{(int(text[-2]) + 1) % 10}Z"
            else:
                environ[name] = value.format(port=environ["SERVER_PORT"])
        return app(environ, start_response)

    live.app = proxy
    try:
        assert code_of(ask, client_of(live), name="x") == "SignatureDoesNotMatch"
    finally:
        live.app = app
    assert words in live.why


def test_other_algorithms_of_the_sdk_are_named(live: Live) -> None:
    with pytest.raises(TeaException, match="does not conform"):
        client_of(live, signature_algorithm="ACS3-HMAC-SM3").list_runs(ListRunsRequest())
    assert "ACS3-HMAC-SM3 is a real algorithm of the SDKs" in live.why
    with pytest.raises(TeaException, match="does not conform"):
        client_of(live, signature_algorithm="v2").list_runs(ListRunsRequest())
    assert "version 2, HMAC-SHA1" in live.why


def test_a_nonce_and_a_date_of_the_caller_are_checked(live: Live, ask: Any) -> None:
    assert ask(client_of(live), {"x-acs-signature-nonce": "n"})
    assert code_of(ask, client_of(live), {"x-acs-signature-nonce": "n"}) == "SignatureNonceUsed"
    assert code_of(ask, client_of(live), {"x-acs-date": "2025-01-15T08:30:00Z"}) == "InvalidTimeStamp.Expired"
    assert code_of(ask, client_of(live), {"x-acs-date": "now"}) == "InvalidTimeStamp.Format"


# --- exceptions


@pytest.mark.parametrize(
    ("refuse", "wait", "expected", "status"),
    [
        ("bad_request", {}, exceptions.ClientException, 400),
        ("unauthorized", {}, exceptions.ClientException, 401),
        ("forbidden", {}, exceptions.ClientException, 403),
        ("not_found", {}, exceptions.ClientException, 404),
        ("throttled", {}, exceptions.ThrottlingException, 429),
        ("throttled", {"retry_after_s": 0}, exceptions.ClientException, 429),
        ("server_error", {}, exceptions.ServerException, 500),
        ("unavailable", {}, exceptions.ServerException, 503),
        ("unavailable", {"retry_after_s": 0.3}, exceptions.ThrottlingException, 503),
    ],
)
def test_a_refusal_is_raised_as_the_sdk_sorts_it(
    live: Live, ask: Any, refuse: str, wait: dict[str, float], expected: type[Exception], status: int
) -> None:
    live.load(faults=[{"when": {"vendor": "alibaba-pai"}, "refuse": refuse, **wait}])
    with pytest.raises(expected) as raised:
        ask(client_of(live))
    error: Any = raised.value
    assert type(error) is expected
    assert (error.status_code, error.code) == (status, VENDOR.errors.kinds[refuse])
    assert error.request_id == live.journal[-1].reply.content["RequestId"]
    assert len(live.journal) == 1
    if expected is exceptions.ThrottlingException:
        assert error.retry_after == (300 if status == 503 else 1000)
    if status == 403:
        assert error.access_denied_detail["AuthAction"] == "paiexperiment:ListRuns"


def test_parameters_are_checked_by_the_server_only(live: Live, ask: Any) -> None:
    assert code_of(ask, client_of(live), page_number="abc") == "InvalidParameter"
    assert code_of(ask, client_of(live), max_results=-1) == "InvalidParameter"
    assert code_of(ask, client_of(live), verbose="maybe") == "InvalidParameter"


def test_a_retry_by_config_comes_through_with_a_fresh_signature(live: Live, ask: Any) -> None:
    fault = {"when": {"vendor": "alibaba-pai"}, "refuse": "throttled", "retry_after_s": 0.01, "times": 2}
    live.load(faults=[fault])
    condition = RetryCondition({"maxAttempts": 3, "exception": ["ThrottlingException"]})
    options = RetryOptions({"retryable": True, "retryCondition": [condition]})
    client = client_of(live, retry_options=options)

    assert ask(client).total_count == 25

    assert [entry.reply.status for entry in live.journal] == [429, 429, 200]
    assert live.journal[-1].request.header("x-acs-retry-attempts") == "2"
