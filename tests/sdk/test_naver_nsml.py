"""The real `ncloud-vserver` SDK and `requests`, in the mode verify, against a live server on loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from localruns import yamlio
from localruns.engine.emulator import Emulator, Options
from localruns.paths import cache_dir
from localruns.surfaces.http import App
from localruns.vendors.naver_nsml import VENDOR
from localruns.vendors.naver_nsml.client import HELP
from tests.clients.naver import SIGNATURES, SIGNED_AT, SIGNED_WITH

pytestmark = [
    pytest.mark.sdk,
    # The SDK is generated code of 2018: invalid escapes, deprecated calls of urllib3, pools that are never closed.
    pytest.mark.filterwarnings("ignore"),
]

KEYS = HELP.keys(VENDOR.credentials())
PATHS = pytest.mark.parametrize("prefix", ["", "/ns/default"])


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args: Any) -> None:
        pass


@contextmanager
def serving(app: App) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[str, App]]]:
    """`live(settings={...}, faults=[...])` starts a server with 25 runs; returns its URL and application."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as servers:

        def start(faults: Any = (), **part: Any) -> tuple[str, App]:
            vendors = {VENDOR.id: {"auth": "verify", "runs": [{"generate": 25}], **part}}
            path = tmp_path / "scenario.yaml"
            path.write_text(yamlio.dump({"scenario": "sdk", "vendors": vendors, "faults": list(faults)}), "utf-8")
            app = App(Emulator({VENDOR.id: VENDOR}, str(path), Options(cache=cache_dir())))
            return servers.enter_context(serving(app)), app

        yield start


def sdk_client(url: str, *, rename: bool = True) -> Any:
    from ncloud_vserver import ApiClient, Configuration

    class Renaming(ApiClient):
        def update_params_for_auth(self, method: Any, path: Any, headers: Any, *rest: Any) -> None:
            super().update_params_for_auth(method, path, headers, *rest)
            headers["x-ncp-apigw-signature-v2"] = headers.pop("x-ncp-apigw-signature-v1")

    configuration = Configuration()
    configuration.host = HELP.base(url)
    configuration.access_key, configuration.secret_key = KEYS["access_key"], KEYS["secret_key"]
    return (Renaming if rename else ApiClient)(configuration)


def call(client: Any, *query: tuple[str, Any], api_key: str = KEYS["api_key"]) -> dict[str, Any]:
    body: dict[str, Any] = client.call_api(
        "/projects/runs",
        "GET",
        query_params=list(query),
        header_params={"x-ncp-apigw-api-key": api_key},
        auth_settings=["x-ncp-iam"],
        response_type="object",
        _return_http_data_only=True,
    )
    return body


@PATHS
def test_the_snippet_runs_as_it_stands(live, tmp_path, prefix):
    url, app = live()
    program = tmp_path / "snippet.py"
    program.write_text(HELP.snippet(url + prefix, KEYS, {}), "utf-8")
    environment = {**os.environ, **HELP.environment(url, KEYS, {})}
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, env=environment, timeout=50)

    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [int(name) for _, name, _ in lines] == list(range(25, 0, -1))
    assert [entry.cut.offset for entry in app.emulator.spaces["default"].journal] == [0, 10, 20]


@PATHS
def test_the_sdk_signs_what_is_verified(live, prefix):
    client = sdk_client(live()[0] + prefix)

    assert len(call(client)["runList"]) == 10
    body = call(client, ("page", "3"), ("pageSize", "10"))
    assert (len(body["runList"]), body["totalCount"]) == (5, 25)


def test_the_sdk_as_it_is_needs_the_v1_switch(live):
    from ncloud_vserver.rest import ApiException

    with pytest.raises(ApiException) as refused:
        call(sdk_client(live()[0], rename=False))
    assert refused.value.status == 401
    assert "Authentication information are missing." in refused.value.body
    assert call(sdk_client(live(settings={"accept_signature_v1": True})[0], rename=False))["totalCount"] == 25


def test_the_sdk_sees_the_refusals_of_the_service(live):
    from ncloud_vserver.rest import ApiException

    client = sdk_client(live()[0])
    for query, status in ((("pageSize", "0"), 400), (("page", "a b"), 401)):
        with pytest.raises(ApiException) as refused:
            call(client, query)
        assert refused.value.status == status
    with pytest.raises(ApiException) as refused:
        call(client, api_key="nobody's")
    assert "Invalid authentication information." in refused.value.body
    assert len(refused.value.headers["x-ncp-trace-id"]) == 26


def test_the_journal_explains_why_the_sdk_fails_on_special_characters(live):
    from ncloud_vserver.rest import ApiException

    url, app = live()
    with pytest.raises(ApiException):
        call(sdk_client(url), ("x", "a b"))
    refusal = next(iter(app.emulator.spaces["default"].journal)).refusal
    assert "signed was the query decoded" in refusal.detail


def test_the_sdk_repeats_a_throttled_call_with_the_same_signature(live):
    faults = [{"when": {"vendor": VENDOR.id, "call": 1}, "refuse": "throttled", "retry_after_s": 1}]
    url, app = live(faults)

    assert call(sdk_client(url))["totalCount"] == 25
    first, second = app.emulator.spaces["default"].journal
    name = "x-ncp-apigw-signature-v2"
    assert (first.reply.status, second.reply.status) == (429, 200)
    assert first.request.header(name) == second.request.header(name)


def test_the_sdk_makes_the_same_signature(live):
    from localruns.vendors.naver_nsml.signature import Signed, signature

    client = sdk_client("http://127.0.0.1:1/ns/a")
    theirs = client.make_signature("GET", "/projects/runs", [("page", "1"), ("pageSize", "2")], "1735689600000")
    target = "/ns/a/nsml/v1/projects/runs?page=1&pageSize=2"
    ours = signature(KEYS["secret_key"], Signed("GET", target, "1735689600000", KEYS["access_key"]))
    assert theirs.decode() == ours


@pytest.mark.parametrize(("target", "expected"), SIGNATURES.items())
def test_the_published_signatures_are_those_of_the_sdk(target, expected):
    client = sdk_client("http://127.0.0.1:1")
    client.configuration.access_key, client.configuration.secret_key = SIGNED_WITH
    path, _, query = target.removeprefix("/nsml/v1").partition("?")
    pairs = [tuple(item.split("=")) for item in query.split("&") if item]

    assert client.make_signature("GET", path, pairs, SIGNED_AT).decode() == expected


def test_the_sdk_takes_its_gateway_from_the_environment_and_appends_its_own_path(monkeypatch):
    from ncloud_vserver import Configuration

    ((name, value),) = HELP.environment("http://127.0.0.1:1/ns/a/", KEYS, {}).items()
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(Configuration, "_default", None)  # it is read once in a process

    assert Configuration().host == "http://127.0.0.1:1/ns/a/vserver/v2"


def test_what_the_sdk_refuses_never_arrives(live):
    url, app = live()
    bare = sdk_client(url)
    bare.configuration.host = url

    with pytest.raises(IndexError):
        call(bare)
    with pytest.raises(TypeError):
        call(sdk_client(url), ("page", 1))
    assert not list(app.emulator.spaces["default"].journal)


@PATHS
def test_requests_with_an_auth_of_its_own_is_verified(live, prefix):
    import requests

    class NcpV2(requests.auth.AuthBase):
        def __call__(self, request: Any) -> Any:
            timestamp = str(time.time_ns() // 1_000_000)
            text = f"{request.method} {request.path_url}\n{timestamp}\n{KEYS['access_key']}".encode()
            digest = hmac.new(KEYS["secret_key"].encode(), text, hashlib.sha256).digest()
            request.headers["x-ncp-apigw-timestamp"] = timestamp
            request.headers["x-ncp-iam-access-key"] = KEYS["access_key"]
            request.headers["x-ncp-apigw-signature-v2"] = base64.b64encode(digest).decode()
            request.headers["x-ncp-apigw-api-key"] = KEYS["api_key"]
            return request

    with requests.Session() as session:
        session.trust_env = False
        for query in ({}, {"page": 2, "pageSize": 7}, {"x": "a b/\u00e9+"}):
            base = HELP.base(live()[0] + prefix)
            response = session.get(base + "/projects/runs", params=query, auth=NcpV2())
            assert response.status_code == 200
            assert response.json()["totalCount"] == 25
