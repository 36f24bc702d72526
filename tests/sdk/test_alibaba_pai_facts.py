"""What the real SDK puts on the wire, and what it makes of the answers: facts that this vendor's emulation rests on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any

import pytest

from localruns.testing import LocalRuns

pytest.importorskip("alibabacloud_aiworkspace20210204")

from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client
from alibabacloud_credentials.client import Client as Credentials
from alibabacloud_tea_openapi import exceptions
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import UnretryableException
from darabonba.policy.retry import RetryCondition, RetryOptions
from darabonba.runtime import RuntimeOptions
from Tea.exceptions import TeaException

from tests.vendors.alibaba_pai.test_canonical import COMMON, VECTORS

pytestmark = pytest.mark.sdk

VECTOR = {"id": "LTAI5tMockAccessKeyId01", "secret": "mockAccessKeySecret0123456789ab"}
FIXED = {name: COMMON[name] for name in ("x-acs-date", "x-acs-signature-nonce", "user-agent")}
V2 = {
    "name": "训练 run~1*",
    "labels": "is_evaluation:true,LLM_evaluation:true",
    "verbose": True,
    "order_by": "GmtCreateTime DESC,Name ASC",
    "page_number": 1,
    "page_size": 10,
}
SENT = {
    "sync": "Labels=is_evaluation%3Atrue%2CLLM_evaluation%3Atrue&Name=%E8%AE%AD%E7%BB%83+run~1%2A"
    "&OrderBy=GmtCreateTime+DESC%2CName+ASC&PageNumber=1&PageSize=10&Verbose=True",
    "async": "Labels=is_evaluation:true,LLM_evaluation:true&Name=%E8%AE%AD%E7%BB%83+run~1*"
    "&OrderBy=GmtCreateTime+DESC,Name+ASC&PageNumber=1&PageSize=10&Verbose=True",
}
Ask = Callable[..., Any]


def _sync(client: Client, headers: dict[str, str] | None = None, runtime: Any = None, **asked: Any) -> Any:
    return client.list_runs_with_options(models.ListRunsRequest(**asked), headers or {}, runtime or RuntimeOptions())


def _async(client: Client, headers: dict[str, str] | None = None, runtime: Any = None, **asked: Any) -> Any:
    request = models.ListRunsRequest(**asked)
    return asyncio.run(client.list_runs_with_options_async(request, headers or {}, runtime or RuntimeOptions()))


ASK: dict[str, Ask] = {"sync": _sync, "async": _async}
BOTH = pytest.mark.parametrize("how", ASK)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalRuns]:
    part = {
        "auth": "verify",
        "settings": {"signature_skew_s": 3153600000},
        "credentials": [VECTOR],
        "runs": [{"generate": 3}],
    }
    with LocalRuns({"scenario": "facts", "vendors": {"alibaba-pai": part}}) as emu:
        yield emu


@pytest.fixture
def emu(server: LocalRuns, monkeypatch: pytest.MonkeyPatch) -> LocalRuns:
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    server.reset()
    return server


def client_of(emu: LocalRuns, **config: Any) -> Client:
    keys = {} if "credential" in config else emu.credentials("alibaba-pai")
    return Client(Config(**{"endpoint": emu.url_for("alibaba-pai"), "protocol": "http", **keys, **config}))


@BOTH
@pytest.mark.parametrize(("vector", "asked"), [("V1", {}), ("V2", V2)])
def test_the_sdk_signs_the_published_vectors(emu: LocalRuns, how: str, vector: str, asked: dict[str, Any]) -> None:
    """A forward proxy lets the SDK sign for the vectors' host while it speaks to ours."""
    keys = {"access_key_id": VECTOR["id"], "access_key_secret": VECTOR["secret"]}
    proxy = f"http://{emu.url_for('alibaba-pai')}"
    client = client_of(emu, endpoint="127.0.0.1:18080", http_proxy=proxy, **keys)

    assert ASK[how](client, FIXED, **asked).status_code == 200

    request = [*emu.app.emulator.space("default").journal][-1].request
    sent = dict(request.headers)
    assert sent["authorization"].endswith(f",Signature={VECTORS[vector][5]}")
    assert {name: sent[name] for name in COMMON} == COMMON


@BOTH
def test_how_a_query_is_spelled_and_what_comes_unsigned(emu: LocalRuns, how: str) -> None:
    assert ASK[how](client_of(emu), name="", **{key: V2[key] for key in V2 if key != "name"}).status_code == 200
    assert emu.requests()[-1]["target"].startswith("/api/v1/runs?Labels=")
    assert "&Name=&" in emu.requests()[-1]["target"]
    ASK[how](client_of(emu), **V2)
    request = emu.requests()[-1]
    assert request["target"] == f"/api/v1/runs?{SENT[how]}"
    sent = dict(request["headers"])
    unsigned = (sent.get("content-length"), sent.get("content-type"))
    assert unsigned == ((None, None) if how == "sync" else ("0", "application/octet-stream"))


@BOTH
def test_the_headers_of_an_answer_reach_the_caller_in_lower_case(emu: LocalRuns, how: str) -> None:
    answer = ASK[how](client_of(emu))
    assert {
        "access-control-allow-origin",
        "access-control-expose-headers",
        "content-length",
        "content-type",
        "date",
        "x-acs-request-id",
        "x-acs-trace-id",
    } == set(answer.headers)
    assert answer.body.request_id == answer.headers["x-acs-request-id"]


@BOTH
def test_an_endpoint_with_a_scheme_is_sent_as_host_and_verified(emu: LocalRuns, how: str) -> None:
    endpoint = f"http://{emu.url_for('alibaba-pai')}"
    assert ASK[how](client_of(emu, endpoint=endpoint)).body.total_count == 3


def test_keys_of_the_environment_are_taken_by_the_credential_client(
    emu: LocalRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The package has read the environment when it was imported.
    from alibabacloud_credentials.utils import auth_util

    keys = emu.credentials("alibaba-pai")
    monkeypatch.setattr(auth_util, "environment_access_key_id", keys["access_key_id"])
    monkeypatch.setattr(auth_util, "environment_access_key_secret", keys["access_key_secret"])
    assert _sync(client_of(emu, credential=Credentials())).body.total_count == 3
    assert ["x-acs-credentials-provider", "default/env"] in emu.requests()[-1]["headers"]


def test_without_keys_or_over_https_nothing_is_asked(emu: LocalRuns) -> None:
    with pytest.raises(exceptions.ClientException) as raised:
        _sync(client_of(emu, access_key_id=None, access_key_secret=None))
    assert raised.value.code == "InvalidCredentials"
    with pytest.raises(UnretryableException, match="SSL"):
        _sync(client_of(emu, protocol=None))
    assert emu.requests() == []


@BOTH
def test_a_proxy_of_the_environment_gets_even_loopback_calls(
    emu: LocalRuns, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with pytest.raises(UnretryableException):
        ASK[how](client_of(emu))
    assert emu.requests() == []


@BOTH
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_retries_by_runtime_options_have_no_effect_on_errors(emu: LocalRuns, how: str, status: int) -> None:
    with pytest.raises(TeaException) as raised:
        ASK[how](client_of(emu), {"Prefer": f"code={status}"}, RuntimeOptions(autoretry=True, max_attempts=3))
    error: Any = raised.value
    assert len(emu.requests()) == 1
    assert error.data["statusCode"] == status
    assert error.message == f"code: {status}, {error.data['Message']} request id: {error.request_id}"


@BOTH
def test_each_retry_has_a_nonce_of_its_own_and_says_how_long_it_waited(emu: LocalRuns, how: str) -> None:
    emu.fault("alibaba-pai", refuse="throttled", retry_after_s=0.01)
    condition = RetryCondition({"maxAttempts": 3, "exception": ["ThrottlingException"]})
    options = RetryOptions({"retryable": True, "retryCondition": [condition]})
    with pytest.raises(exceptions.ThrottlingException):
        ASK[how](client_of(emu, retry_options=options))
    tries = [dict(request["headers"]) for request in emu.requests()]
    assert len({sent["x-acs-signature-nonce"] for sent in tries}) == 3
    assert [(sent.get("x-acs-retry-attempts"), sent.get("x-acs-retry-delay")) for sent in tries] == [
        (None, None),
        ("1", "10"),
        ("2", "10"),
    ]


@pytest.mark.parametrize(
    ("how", "wire"), [("sync", "invalid_json"), ("async", "invalid_json"), ("sync", "empty_reply")]
)
def test_a_broken_answer_hides_its_status(emu: LocalRuns, how: str, wire: str) -> None:
    emu.fault("alibaba-pai", refuse="server_error")
    emu.fault("alibaba-pai", wire={wire: True})
    with pytest.raises(UnretryableException) as raised:
        ASK[how](client_of(emu))
    assert getattr(raised.value, "status_code", None) is None
    assert getattr(raised.value, "code", None) is None
    assert len(emu.requests()) == 1


def test_the_async_client_repeats_an_unanswered_call_with_the_same_nonce(emu: LocalRuns) -> None:
    emu.fault("alibaba-pai", wire={"empty_reply": True})
    with pytest.raises(exceptions.ClientException) as raised:
        _async(client_of(emu))
    assert raised.value.code == "SignatureNonceUsed"
    assert len(emu.requests()) == 2


NEIGHBOURS = (
    *("get_run", "create_run", "update_run", "delete_run", "delete_run_label", "log_run_metrics", "list_run_metrics"),
    *("create_experiment", "list_experiment", "get_experiment", "update_experiment", "delete_experiment"),
    *("set_experiment_labels", "delete_experiment_label"),
    *("list_workspaces", "get_workspace", "get_default_workspace"),
)


@pytest.mark.parametrize("method", NEIGHBOURS)
def test_a_neighbouring_operation_is_named_in_the_data_of_its_exception(emu: LocalRuns, method: str) -> None:
    call = getattr(client_of(emu), method)
    request = getattr(models, "".join(word.title() for word in method.split("_")) + "Request", None)
    given = [request() if name == "request" and request else "a/b" for name in signature(call).parameters]
    with pytest.raises(exceptions.ServerException) as raised:
        call(*given)
    asked = dict(emu.requests()[-1]["headers"])["x-acs-action"]
    assert asked.lower() == method.replace("_", "")
    assert raised.value.status_code == 501
    assert raised.value.data["detail"] == f"Alibaba Cloud PAI: {asked} is a real operation, not emulated here"
