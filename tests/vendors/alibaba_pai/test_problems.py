"""Every row of the error table: provoked where the platform would send it, injected for all."""

from __future__ import annotations

import re
from typing import Any

import pytest

from localruns.engine.vendor import Vendor
from localruns.vendors.alibaba_pai import VENDOR
from localruns.vendors.alibaba_pai.problems import TABLE

CODES = [(row.status, row.code) for row in TABLE.rows]


@pytest.mark.parametrize(("status", "code"), CODES)
def test_every_row_can_be_asked_for(api: Any, refused: Any, status: int, code: str) -> None:
    answer = api.ask(headers={"Prefer": f"code={status}; error={code}"})
    assert refused(answer)[:2] == (status, code)
    assert answer.get_json()["HostId"] == "aiworkspace.cn-hangzhou.aliyuncs.com"


# Wire strings as public logs and the gateway's tables print them; of one, what comes before the string to sign.
PRINTED = {
    "MissingAccessKeyId": "AccessKeyId is mandatory for this action.",
    "MissingSecurityToken": "SecurityToken is mandatory for this action.",
    "InvalidAccessKeyId.NotFound": "Specified access key is not found.",
    "InvalidAccessKeyId.Inactive": "Specified access key is disabled.",
    "SignatureDoesNotMatch": "Specified signature is not matched with our calculation. server string to sign is:",
    "InvalidTimeStamp.Format": "Specified time stamp or date value is not well formatted.",
    "InvalidTimeStamp.Expired": "Specified time stamp or date value is expired.",
    "SignatureNonceUsed": "Specified signature nonce was used already.",
    "InvalidApi.NotFound": "Specified api is not found, please check your url and method.",
    "Throttling.User": "Request was denied due to user flow control.",
}


@pytest.mark.parametrize("code", PRINTED)
def test_a_message_is_the_printed_one(api: Any, refused: Any, code: str) -> None:
    assert refused(api.ask(headers={"Prefer": f"error={code}"}))[1:] == (code, PRINTED[code])


def test_an_error_has_the_fields_of_the_gateway_and_a_link_with_its_own_id(api: Any) -> None:
    body = api.ask(headers={"Prefer": "error=SignatureDoesNotMatch"}).get_json()
    assert list(body) == ["RequestId", "HostId", "Code", "Message", "Recommend"]
    assert body["Recommend"] == (
        f"https://api.aliyun.com/troubleshoot?q=SignatureDoesNotMatch&product=AIWorkSpace&requestId={body['RequestId']}"
    )
    assert re.fullmatch("[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", body["RequestId"])


@pytest.mark.parametrize(("status", "code"), CODES)
def test_every_row_can_be_a_fault(make: Any, status: int, code: str) -> None:
    api = make(rest={"faults": [{"when": {"vendor": "alibaba-pai"}, "refuse": code, "times": 1}]}, runs=[])
    assert api.refused()[:2] == (status, code)
    assert api.page()["Runs"] == []


@pytest.mark.parametrize(("kind", "code"), TABLE.kinds.items())
def test_every_neutral_kind_can_be_a_fault(make: Any, kind: str, code: str) -> None:
    api = make(rest={"faults": [{"when": {"vendor": "alibaba-pai"}, "refuse": kind}]}, runs=[])
    assert api.refused()[1] == code


def test_every_error_has_words_on_when_it_comes() -> None:
    assert all(row.when and row.message for row in TABLE.rows)
    assert isinstance(VENDOR, Vendor)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/v1/run"),
        ("GET", "/api/v1/runs/"),
        ("HEAD", "/api/v1/runs"),
        ("PATCH", "/api/v1/runs"),
        ("GET", "/api/v1/"),
        ("GET", "/api/v1/%72uns"),
        ("POST", "/api/v1/runs/run-1/labels"),  # labels of a run change through UpdateRun, there is no such operation
    ],
)
def test_an_unknown_path_or_method(api: Any, method: str, target: str) -> None:
    answer = api.ask(target, method=method)
    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.get_json()["Code"] == "InvalidApi.NotFound"
        assert answer.get_json()["Message"] == "Specified api is not found, please check your url and method."


@pytest.mark.parametrize("neighbour", VENDOR.neighbours, ids=lambda neighbour: neighbour.name)
def test_a_neighbouring_operation_is_named(api: Any, neighbour: Any) -> None:
    path = neighbour.path.replace("{RunId}", "run-1").replace("{Key}", "a%2Fb").replace("{ExperimentId}", "exp-1")
    answer = api.ask(path.replace("{WorkspaceId}", "145883"), method=neighbour.method)
    assert answer.status_code == 501
    assert neighbour.name in answer.get_json()["detail"]


def test_another_version_is_refused_in_every_mode(make: Any, refused: Any) -> None:
    for auth in ("off", "present", "verify"):
        answer = make(runs=[], auth=auth).ask(headers={"x-acs-version": "2020-01-01"})
        assert refused(answer) == (400, "InvalidVersion", "Specified parameter Version is not valid.")


@pytest.mark.parametrize(("wait_s", "header"), [(None, "1000"), (2, "2000"), (0.3, "300"), (0.0001, "1"), (0, None)])
def test_throttling_carries_the_wait_in_milliseconds(make: Any, wait_s: float | None, header: str | None) -> None:
    wait = {} if wait_s is None else {"retry_after_s": wait_s}
    api = make(rest={"faults": [{"when": {"vendor": "alibaba-pai"}, "refuse": "throttled", **wait}]}, runs=[])
    answer = api.ask()
    assert answer.status_code == 429
    assert answer.get_json()["Code"].startswith("Throttling")
    assert answer.headers.get("x-acs-retry-after") == header


def test_another_error_carries_a_wait_only_when_the_fault_says_so(make: Any) -> None:
    fault = {"when": {"vendor": "alibaba-pai", "call": 1}, "refuse": "unavailable", "retry_after_s": 1.5}
    api = make(rest={"faults": [fault, {"when": {"vendor": "alibaba-pai"}, "refuse": "unavailable"}]}, runs=[])
    assert api.ask().headers["x-acs-retry-after"] == "1500"
    assert "x-acs-retry-after" not in api.ask().headers


def test_the_status_of_throttling_and_the_host_are_settings(make: Any) -> None:
    faults = {"faults": [{"when": {"vendor": "alibaba-pai"}, "refuse": "Throttling.Api"}]}
    api = make(rest=faults, runs=[], settings={"throttled_status": 400, "host_id": "aiworkspace.example"})
    answer = api.ask()
    assert (answer.status_code, answer.get_json()["HostId"]) == (400, "aiworkspace.example")


def test_a_fault_at_a_page_strikes_both_ways_of_paging(make: Any) -> None:
    fault = {"when": {"vendor": "alibaba-pai", "page": 3}, "refuse": "throttled"}
    api = make(rest={"faults": [fault]}, runs=[{"generate": 30}])
    assert api.refused(PageNumber=3, PageSize=5)[1] == "Throttling.User"
    assert api.refused(PageToken=10, MaxResults=5)[1] == "Throttling.User"
    assert len(api.ids(PageToken=5, MaxResults=5)) == 5


def test_a_bad_parameter_counts_as_a_call_because_faults_come_first(make: Any) -> None:
    fault = {"when": {"vendor": "alibaba-pai", "call": 2}, "refuse": "server_error"}
    api = make(rest={"faults": [fault]}, runs=[])
    assert [api.refused(PageSize="x")[0], api.refused(PageSize="x")[0], api.refused(PageSize="x")[0]] == [400, 500, 400]


def test_a_rate_limit_says_how_long_to_wait_in_whole_milliseconds(make: Any) -> None:
    api = make(rest={"rate_limit": {"alibaba-pai": {"calls": 1, "per_s": 3}}}, runs=[])
    api.app.emulator.space("default").clock.freeze()
    assert api.page()["Runs"] == []
    answer = api.ask()
    assert (answer.get_json()["Code"], answer.headers["x-acs-retry-after"]) == ("Throttling.User", "3000")


def test_the_quota_comes_before_faults_and_permission(make: Any) -> None:
    fault = {"when": {"vendor": "alibaba-pai", "call": 2}, "refuse": "server_error"}
    denied = [{"id": "LTAI5tLocalruns00000001", "secret": "s", "allow": False}]
    limit = {"alibaba-pai": {"calls": 1, "per_s": 3}}
    api = make(rest={"faults": [fault], "rate_limit": limit}, runs=[], credentials=denied, credentials_only=True)
    api.app.emulator.space("default").clock.freeze()
    assert [api.refused()[1], api.refused()[1]] == ["NoPermission", "Throttling.User"]
