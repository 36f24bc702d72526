"""The control API: the journal, resets, scenarios, and who may ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

import localruns
from localruns.engine.emulator import Emulator, Options
from localruns.paths import cache_dir
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.pagers import HEADERS

SECRETS = {
    "Authorization": "Bearer super-secret-token-1",
    "x-acs-security-token": "super-secret-token-2",
    "x-ncp-apigw-api-key": "super-secret-token-3",
    "Cookie": "session=super-secret-token-4",
}


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    return make_app("quickstart")


@pytest.fixture
def client(app: App) -> Client:
    return app.test_client()


def ask(client: Client, count: int = 1, vendor: str = "alibaba-pai", path: str = "/api/v1/runs") -> None:
    for _ in range(count):
        client.get(path, headers=HEADERS[vendor]).close()


def journal(client: Client, query: str = "") -> Any:
    return client.get(f"/__admin/requests{query}").json


def assert_problem(answer: TestResponse, status: int, *words: str) -> None:
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert [word for word in words if word not in answer.json["detail"]] == []


def test_health_is_ready_and_names_the_scenario(client: Client) -> None:
    assert client.get("/__admin/health").json == {"status": "ready", "scenario": "quickstart"}


def test_version_is_that_of_the_package(client: Client) -> None:
    assert client.get("/__admin/version").json == {"version": localruns.__version__}


def test_scenarios_lists_the_built_in_ones_with_what_they_are_about(client: Client) -> None:
    found = {item["name"]: item for item in client.get("/__admin/scenarios").json["scenarios"]}
    assert {"quickstart", "empty"} <= set(found)
    assert found["quickstart"]["vendors"] == list(all_vendors())
    assert all(item["about"] and Path(item["path"]).is_file() for item in found.values())


def test_every_request_is_in_the_journal_in_order(client: Client) -> None:
    ask(client, 2)
    ask(client, path="/nowhere")
    shown = journal(client)
    assert [entry["id"] for entry in shown["requests"]] == [1, 2, 3]
    assert [entry["status"] for entry in shown["requests"]] == [200, 200, 404]
    assert (shown["namespace"], shown["count"], shown["evicted"]) == ("default", 3, 0)
    assert all(entry["sent"] for entry in shown["requests"])


def test_calls_of_the_control_api_are_not_in_the_journal(client: Client) -> None:
    client.get("/__admin/health")
    client.get("/")
    assert journal(client)["count"] == 0


def test_an_entry_tells_what_was_asked_answered_and_why(client: Client) -> None:
    client.get("/api/v1/runs?PageSize=5&PageNumber=2&Name=", headers=HEADERS["alibaba-pai"]).close()
    client.get("/api/v1/run").close()
    listed, missed = journal(client)["requests"]
    assert listed["asked"].startswith("page 2 of runs, 5 a page")
    assert listed["answered"].startswith("200, rows 6-10 of 25")
    assert len(listed["row_keys"]) == 5
    assert listed["at"].startswith("2026-01-15T09:00:0")
    assert listed["at"].endswith("Z")
    assert missed["near_miss"].startswith("close to ListRuns")
    assert missed["near_miss"] in missed["why"]


def test_no_secret_is_shown_in_the_journal(client: Client) -> None:
    for path in ("/api/v1/runs", "/nsml/v1/projects/runs", "/api/v2/x", "/20260430/x", "/nope"):
        client.get(f"{path}?token=super-secret-token-5&api_key=super-secret-token-6", headers=SECRETS).close()
    for target in ("", "/unmatched", "/1", "/5"):
        text = client.get(f"/__admin/requests{target}").text
        assert "super-secret" not in text
        assert "(not kept)" in text


@pytest.mark.parametrize("auth", ["present", "verify"])
def test_the_credential_of_a_bearer_token_does_not_reveal_it(make_app: Callable[..., App], auth: str) -> None:
    client = make_app("quickstart", auth=auth).test_client()
    path = all_vendors()["palantir-foundry"].endpoints[0].path.replace("{modelStudioRid}", "ri.models.main.x.y")
    client.get(f"{path}?preview=true", headers={"Authorization": "Bearer localruns-token"}).close()
    client.get(f"{path}?preview=true", headers={"Authorization": "Bearer abcdefghijklmnop"}).close()
    client.get("/api/v1/runs", headers={"x-acs-bearer-token": "abcdefghijklmnop", "x-acs-signature-type": "BEARERTOKEN",
                                        "Authorization": ""}).close()  # fmt: skip
    text = client.get("/__admin/requests").text
    assert "abcdefgh" not in text
    assert '"localruns-token"' not in text


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("?vendor=alibaba-pai", [1, 2, 4]),
        ("?vendor=naver-nsml", [3]),
        ("?status=404", [4, 5]),
        ("?status=404&vendor=alibaba-pai", [4]),
        ("?status=599", []),
        ("?walk=1", [1]),
        ("?walk=2&vendor=alibaba-pai", [2]),
        ("?walk=3", [3]),
        ("?walk=9", []),
        ("?since=3", [4, 5]),
        ("?since=99", []),
        ("?limit=2", [4, 5]),
        ("?limit=0", []),
        ("?limit=100000", [1, 2, 3, 4, 5]),
        ("?limit=1&vendor=alibaba-pai&since=1&status=200", [2]),
        ("?namespace=default&limit=1", [5]),
    ],
)
def test_the_journal_is_filtered(client: Client, query: str, ids: list[int]) -> None:
    ask(client, 2)
    ask(client, vendor="naver-nsml", path="/nsml/v1/projects/runs")
    ask(client, path="/api/v1/nope")
    ask(client, path="/nope")
    found = journal(client, query)["requests"]
    assert [entry["id"] for entry in found] == ids
    assert all(entry["walk"] == {1: 1, 2: 2, 3: 3}.get(entry["id"]) for entry in found)
    if "limit" not in query:
        told = {"namespace": "default", "count": len(ids), "evicted": 0, "complete": True}
        assert client.get(f"/__admin/requests/count{query}").json == told


@pytest.mark.parametrize("call", ["", "/count", "/unmatched"])
@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("status=abc", "status", "'abc'"),
        ("status=", "status", "''"),
        ("status=-1", "status", "'-1'"),
        ("status=%C2%B2", "status", "'²'"),
        ("walk=x", "walk", "'x'"),
        ("since=2026-01-01", "since", "'2026-01-01'"),
        ("since=99999999999", "since", "'99999999999'"),
        ("vendor=alibaba", "vendor", "'alibaba'"),
        ("stauts=404", "stauts", "'404'"),
        ("vendor=" + "x" * 5_000, "vendor", "xxx..."),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(client: Client, call: str, query: str, field: str, value: str) -> None:
    assert_problem(client.get(f"/__admin/requests{call}?{query}"), 400, f"{field} is ", value, ", expected ")


def test_a_limit_that_cannot_be_used_is_named(client: Client) -> None:
    for bad in ("x", "-1", "1.5", "", "%00"):
        assert_problem(client.get(f"/__admin/requests?limit={bad}"), 400, "limit is ", "a whole number")


def test_one_request_is_shown_by_its_id(client: Client) -> None:
    ask(client, 2)
    assert client.get("/__admin/requests/2").json == journal(client)["requests"][1]
    assert_problem(client.get("/__admin/requests/3"), 404, "no request 3")
    assert_problem(client.get("/__admin/requests/two"), 400, "id is 'two'")


def test_unmatched_lists_what_met_no_endpoint(client: Client) -> None:
    for path in ("/api/v1/runs", "/api/v1/run", "/api/v1/runs/run-1", "/apiv1/runs", "/favicon.ico"):
        ask(client, path=path)
    shown = client.get("/__admin/requests/unmatched").json["requests"]
    assert [(entry["id"], entry["status"]) for entry in shown] == [(2, 404), (3, 501), (4, 404), (5, 404)]
    assert shown[2]["near_miss"].startswith("close to ListRuns")
    assert [entry["id"] for entry in client.get("/__admin/requests/unmatched?limit=1").json["requests"]] == [5]


def test_deleting_the_requests_empties_the_journal(client: Client) -> None:
    ask(client, 3)
    assert client.delete("/__admin/requests").json == {"namespace": "default", "forgotten": 3}
    assert journal(client)["count"] == 0
    assert client.delete("/__admin/requests").json["forgotten"] == 0


def test_a_reset_takes_a_namespace_back_to_the_start(client: Client) -> None:
    first = client.get("/api/v1/nope").json["RequestId"]
    assert client.get("/api/v1/nope").json["RequestId"] != first
    assert client.post("/__admin/reset", data=b"\xff{").json == {"namespace": "default", "scenario": "quickstart"}
    assert journal(client)["count"] == 0
    assert client.get("/api/v1/nope").json["RequestId"] == first


def test_a_namespace_is_selected_by_query_path_or_header(app: App, client: Client) -> None:
    app.emulator.open_space("other", "empty")
    for target, headers in (
        ("/__admin/health?namespace=other", {}),
        ("/ns/other/__admin/health", {}),
        ("/__admin/health", {"X-Localruns-Namespace": "other"}),
        ("/__admin/health?namespace=other", {"X-Localruns-Namespace": "nobody"}),
    ):
        assert client.get(target, headers=headers).json["scenario"] == "empty"
    ask(client, path="/ns/other/api/v1/runs")
    assert journal(client)["count"] == 0
    assert journal(client, "?namespace=other")["count"] == 1
    for call in ("requests", "requests/count", "requests/1", "requests/unmatched", "health"):
        assert_problem(client.get(f"/__admin/{call}?namespace=nobody"), 404, "'nobody'", "default, other")


def test_a_namespace_is_switched_to_another_scenario(client: Client) -> None:
    ask(client)
    answer = client.put("/__admin/scenario", json={"name": "empty"})
    assert answer.json == {"namespace": "default", "scenario": "empty"}
    assert journal(client)["count"] == 0
    assert client.get("/api/v1/runs", headers=HEADERS["alibaba-pai"]).json["Runs"] == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "the body"),
        (b"null", "the body"),
        (b"{}", ""),
        (b'{"name": 5}', "name"),
        (b'{"name": null}', "name"),
        (b'{"name": "quikstart"}', "did you mean 'quickstart'"),
        (b'{"name": "/no/such.yaml"}', "/no/such.yaml"),
        (json.dumps({"name": "a\0b"}).encode(), "scenario"),
        (json.dumps({"name": "a" * 5_000 + ".yaml"}).encode(), "aaaa"),
    ],
)
def test_a_scenario_that_cannot_be_loaded_changes_nothing(client: Client, body: bytes, word: str) -> None:
    ask(client)
    answer = client.put("/__admin/scenario", data=body)
    assert answer.status_code in (400, 422)
    assert_problem(answer, answer.status_code, word)
    assert len(answer.data) < 2_000
    assert client.get("/__admin/health").json["scenario"] == "quickstart"
    assert journal(client)["count"] == 1


def test_a_defect_of_ours_is_a_problem_and_never_a_page(app: App, client: Client, caplog: Any) -> None:
    app.emulator.library = None  # type: ignore[assignment]
    assert_problem(client.get("/__admin/scenarios"), 500, "AttributeError")
    assert "defect in the control API" in caplog.text


@pytest.fixture
def guarded() -> Client:
    options = Options(cache=cache_dir(), admin_token="s3cr3t-é")
    return App(Emulator(all_vendors(), "quickstart", options)).test_client()


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer ", "Bearer wrong", "s3cr3t-é", "Basic s3cr3t-é",
                                   "Bearer s3cr3t-é2", "Bearer \xff"])  # fmt: skip
def test_with_a_token_the_control_api_is_closed_to_others(guarded: Client, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    for method, call in (("GET", "health"), ("GET", "requests"), ("POST", "reset"), ("PUT", "scenario")):
        answer = guarded.open(f"/__admin/{call}", method=method, headers=headers)
        assert_problem(answer, 401, "Authorization: Bearer TOKEN")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_token_opens_the_control_api_and_vendors_need_none(guarded: Client) -> None:
    for scheme in ("Bearer", "bearer"):
        assert guarded.get("/__admin/health", headers={"Authorization": f"{scheme} s3cr3t-é"}).status_code == 200
    assert guarded.get("/api/v1/runs", headers=HEADERS["alibaba-pai"]).status_code == 200
    assert guarded.get("/").status_code == 200
