"""Request forms, headers, existence and errors of runs/search, and the experiments it leans on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from localruns.surfaces.http import App
from tests.clients.pagers import PLATFORM, SEARCH

BASE = SEARCH.removesuffix("runs/search")
AUTH = {"Authorization": "Bearer any"}


@pytest.fixture
def client(make_app: Callable[..., App]) -> Client:
    experiments = ["1", {"id": "2", "name": "vision"}, {"id": "3", "name": "old", "lifecycle_stage": "deleted"}]
    return make_app(
        vendor="oracle-aidp",
        resources={"platforms": {PLATFORM: {"workspaces": {"default": {"experiments": experiments}, "bare": {}}}}},
        credentials=[{"id": "off", "token": "off", "disabled": True}, {"id": "no", "token": "no", "allow": False}],
    ).test_client()


def error(client: Client, **request: Any) -> tuple[int, str, str]:
    """(status, code, message) of a refusal; a JSON body of two keys."""
    options = {"path": SEARCH, "method": "POST", "headers": AUTH, "json": {}, **request}
    if "data" in options:
        options.pop("json")
    answer = client.open(**options)
    assert answer.content_type == "application/json"
    assert sorted(answer.json) == ["code", "message"]
    return answer.status_code, answer.json["code"], answer.json["message"]


def test_both_path_prefixes_are_served(client: Client) -> None:
    for prefix in ("", "/api"):
        assert client.post(prefix + SEARCH, json={"experiment_ids": ["1"]}, headers=AUTH).status_code == 200


@pytest.mark.parametrize(
    "more",
    [
        {"dh-user-principal": "someone"},
        {"opc-retry-token": "t", "if-match": "e"},
        {"opc-client-info": "Oracle-PythonSDK/2.189.0", "opc-client-retries": "true", "accept": "text/html"},
        {"Content-Type": "Application/JSON; charset=utf-8"},
    ],
)
def test_other_headers_change_nothing(client: Client, more: dict[str, str]) -> None:
    data = json.dumps({"experiment_ids": ["1", "1"], "what": "ever", "maxResults": 1})
    answer = client.post(SEARCH, data=data, headers={**AUTH, "Content-Type": "application/json", **more})
    assert len(answer.json["runs"]) == 25
    assert {name.lower() for name, _ in answer.headers} == {"content-type", "content-length", "opc-request-id"}


def test_a_slash_in_a_key_is_written_in_percent(make_app: Callable[..., App]) -> None:
    platforms = {PLATFORM: {"workspaces": {"ws/1 é": {"experiments": ["1"]}}}}
    client = make_app(vendor="oracle-aidp", resources={"platforms": platforms}).test_client()
    body = {"experiment_ids": ["1"]}
    whole = client.post(SEARCH.replace("default", "ws%2F1%20%C3%A9"), json=body, headers=AUTH)
    assert len(whole.json["runs"]) == 25
    assert error(client, path=SEARCH.replace("default", "ws/1%20%C3%A9"), json=body)[:2] == (404, "NotFound")


def test_absent_null_and_empty_members_are_defaults(client: Client) -> None:
    body = {"experiment_ids": ["1"], "filter": None, "order_by": None, "page_token": None, "run_view_type": None}
    answer = client.post(SEARCH, json=body, headers=AUTH)
    assert len(answer.json["runs"]) == 25
    assert list(answer.json) == ["runs"]
    assert client.post(SEARCH, json={}, headers=AUTH).json == {"runs": []}


def test_the_request_id_is_echoed_and_made_when_absent(client: Client) -> None:
    answer = client.post(SEARCH, json={}, headers={**AUTH, "opc-request-id": "demo-1_x"})
    assert answer.headers["opc-request-id"] == "demo-1_x"
    made = client.post(SEARCH, json={}, headers=AUTH).headers["opc-request-id"]
    assert len(made) == 32
    assert made == made.upper()
    bad = error(client, headers={**AUTH, "opc-request-id": "a b"})
    assert bad[:2] == (400, "InvalidParameter")


def test_the_next_page_stands_in_body_and_header_and_nowhere_on_the_last(client: Client) -> None:
    first = client.post(SEARCH, json={"experiment_ids": ["1"], "max_results": 20}, headers=AUTH)
    assert first.headers["opc-next-page"] == first.json["next_page_token"]
    body = {"experiment_ids": ["1"], "max_results": 20, "page_token": first.json["next_page_token"]}
    last = client.post(SEARCH, json=body, headers=AUTH)
    assert len(last.json["runs"]) == 5
    assert "opc-next-page" not in last.headers
    assert "next_page_token" not in last.json


def test_a_token_behind_the_last_run_leads_to_an_empty_last_page(client: Client) -> None:
    token = client.post(SEARCH, json={"experiment_ids": ["1"], "max_results": 20}, headers=AUTH).json["next_page_token"]
    body = {"experiment_ids": ["1"], "page_token": token, "filter": "metrics.nothing = 1"}
    answer = client.post(SEARCH, json=body, headers=AUTH)
    assert (answer.status_code, answer.json) == (200, {"runs": []})


def test_the_size_may_change_between_pages_by_default_and_not_when_bound(make_app: Callable[..., App]) -> None:
    for binding, expected in (("none", 200), ("query", 200), ("query_and_size", 400)):
        client = make_app(vendor="oracle-aidp", settings={"token_binding": binding}).test_client()
        token = client.post(SEARCH, json={"experiment_ids": ["1"], "max_results": 5}, headers=AUTH).json[
            "next_page_token"
        ]
        body = {"experiment_ids": ["1"], "max_results": 6, "page_token": token}
        assert client.post(SEARCH, json=body, headers=AUTH).status_code == expected
        body = {"experiment_ids": ["1"], "max_results": 5, "page_token": token, "filter": "metrics.rmse < 9"}
        assert client.post(SEARCH, json=body, headers=AUTH).status_code == (200 if binding == "none" else 400)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"max_results": 0}, "max_results is 0, expected an integer from 1 to 50000"),
        ({"max_results": True}, "max_results is True"),
        ({"max_results": 2.5}, "max_results is 2.5"),
        ({"max_results": "९"}, "max_results"),
        ({"experiment_ids": "1"}, "experiment_ids is '1', expected an array of strings"),
        ({"experiment_ids": [1]}, "expected an array of strings"),
        ({"filter": 5}, "filter is 5, expected a string"),
        ({"filter": "x" * 100_001}, "expected at most 100,000 characters"),
        ({"filter": "metrics.rmse < x"}, "at character 16"),
        ({"order_by": "start_time"}, "order_by is 'start_time', expected an array of strings"),
        ({"order_by": ["start_time UP"]}, "order_by"),
        ({"run_view_type": "active_only"}, "expected one of ACTIVE_ONLY, DELETED_ONLY, ALL"),
        ({"run_view_type": ["ALL"]}, "run_view_type"),
        ({"page_token": 7}, "page_token is 7"),
        ({"page_token": "eyJvZmZzZXQiOiAyfQ=="}, "page token refused"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(client: Client, body: dict[str, Any], words: str) -> None:
    status, code, message = error(client, json=body)
    assert (status, code) == (400, "InvalidParameter")
    assert words in message


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"", "application/json", "MissingParameter"),
        (b"{", "application/json", "CannotParseRequest"),
        (b"\xff\xfe", "application/json", "CannotParseRequest"),
        (b"[" * 100_000, "application/json", "CannotParseRequest"),
        (b'{"max_results": NaN}', "application/json", "CannotParseRequest"),
        (b"[]", "application/json; charset=utf-8", "InvalidParameter"),
        (b"null", "application/json", "InvalidParameter"),
        (b"{}", "text/plain", "InvalidParameter"),
        (b"{}", "", "InvalidParameter"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(client: Client, data: bytes, kind: str, code: str) -> None:
    assert error(client, data=data, content_type=kind)[:2] == (400, code)


def test_existence_is_told_to_the_authenticated_only(client: Client) -> None:
    other = SEARCH.replace("default", "nowhere")
    assert error(client, path=other)[:2] == (404, "NotAuthorizedOrNotFound")
    assert error(client, path=SEARCH.replace(PLATFORM, "ocid1.other"))[:2] == (404, "NotAuthorizedOrNotFound")
    assert error(client, path=other, headers={})[:2] == (401, "NotAuthenticated")


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ("path method", (404, "NotFound")),
        ("method credentials", (405, "MethodNotAllowed")),
        ("credentials workspace", (401, "NotAuthenticated")),
        ("workspace right", (404, "NotAuthorizedOrNotFound")),
        ("right id", (403, "NotAuthorized")),
        ("id type json", (400, "InvalidParameter")),
        ("type json", (400, "InvalidParameter")),
        ("json", (400, "CannotParseRequest")),
    ],
)
def test_checks_are_made_in_this_order(client: Client, wrong: str, expected: tuple[int, str]) -> None:
    headers = {**AUTH, "Content-Type": "application/json"}
    headers |= {"Authorization": "Bearer no"} if "right" in wrong else {}
    headers |= {"Authorization": ""} if "credentials" in wrong else {}
    headers |= {"opc-request-id": "a/b/c"} if "id" in wrong else {}
    headers |= {"Content-Type": "text/plain"} if "type" in wrong else {}
    path = BASE + "runs/nope" if "path" in wrong else SEARCH
    path = path.replace("default", "nowhere") if "workspace" in wrong else path
    method = "GET" if "method" in wrong else "POST"
    data = "{" if "json" in wrong else json.dumps({"max_results": 0})
    status, code, message = error(client, path=path, method=method, headers=headers, data=data)
    assert (status, code) == expected
    named = {"id": "opc-request-id", "type": "content-type", "json": "not JSON"}
    assert next((word for key, word in named.items() if key in wrong.split() and status == 400), "") in message


def test_a_workspace_without_experiments_is_empty(client: Client) -> None:
    answer = client.post(SEARCH.replace("default", "bare"), json={"experiment_ids": ["1"]}, headers=AUTH)
    assert answer.json == {"runs": []}


def test_strict_ocids_are_a_setting(make_app: Callable[..., App]) -> None:
    client = make_app(vendor="oracle-aidp", settings={"strict_ocid": True}).test_client()
    assert error(client, path=SEARCH.replace(PLATFORM, "lake"))[:2] == (400, "InvalidParameter")


def test_credentials_marked_in_the_scenario_are_refused(client: Client) -> None:
    assert error(client, headers={"Authorization": "Bearer off"})[:2] == (401, "NotAuthenticated")
    assert error(client, headers={"Authorization": "Bearer no"})[:2] == (403, "NotAuthorized")


def test_paths_and_methods_it_does_not_have(client: Client) -> None:
    assert error(client, path=BASE + "runs/nope")[:2] == (404, "NotFound")
    assert error(client, path="/20260430/x")[:2] == (404, "NotFound")
    assert error(client, method="GET")[:2] == (405, "MethodNotAllowed")
    registry = f"/20260430/aiDataPlatforms/{PLATFORM}/mlops/api/2.0/"
    for name in ("mlflow/registered-models/search", "mlflow/model-versions/get", "model-deployments/get"):
        answer = client.get(registry + name, headers=AUTH)
        assert (answer.status_code, answer.content_type) == (501, "application/problem+json")


def test_the_dialect_oracle_takes_only_what_the_page_documents(make_app: Callable[..., App]) -> None:
    client = make_app(vendor="oracle-aidp", settings={"dialect": "oracle"}).test_client()

    def status(text: str) -> int:
        return client.post(SEARCH, json={"experiment_ids": ["1"], "filter": text}, headers=AUTH).status_code

    assert status("metrics.rmse < 1 and params.model_class = 'LogisticRegression'") == 200
    assert status("attributes.run_name LIKE 'a%'") == 400


def test_metrics_at_the_edge_of_numbers_are_found_and_sent_in_their_form(make_app: Callable[..., App]) -> None:
    values = ["NaN", "Infinity", "-Infinity", 1.5]
    rows = [
        {
            "info": {"run_id": f"r{i}", "experiment_id": "1", "start_time": i},
            "data": {"metrics": [{"key": "m", "value": v}]},
        }
        for i, v in enumerate(values)
    ]
    client = make_app(vendor="oracle-aidp", runs=rows).test_client()

    def found(text: str, *order: str) -> list[Any]:
        body = {"experiment_ids": ["1"], "filter": text, "order_by": list(order)}
        runs = client.post(SEARCH, data=json.dumps(body), content_type="application/json", headers=AUTH).json["runs"]
        return [run["data"]["metrics"][0]["value"] for run in runs]

    assert found("", "metrics.m") == ["-Infinity", 1.5, "Infinity", "NaN"]
    assert found("", "metrics.m DESC") == ["Infinity", 1.5, "-Infinity", "NaN"]
    assert found("metrics.m > 1") == [1.5, "Infinity"]
    assert found("metrics.m != 1.5") == ["-Infinity", "Infinity", "NaN"]


def test_experiments_are_found_by_id_and_name(client: Client) -> None:
    def get(what: str) -> Any:
        return client.get(BASE + "experiments/" + what, headers=AUTH)

    assert get("get?experiment_id=2").json["experiment"]["name"] == "vision"
    assert get("get-by-name?experiment_name=vision").json["experiment"]["experiment_id"] == "2"
    assert get("get?experiment_id=3").json["experiment"]["lifecycle_stage"] == "deleted"
    assert get("get?experiment_id=9").status_code == 404
    assert get("get").json["code"] == "MissingParameter"


def test_experiments_are_listed_by_view(client: Client) -> None:
    def ids(body: dict[str, Any]) -> list[str]:
        answer = client.post(BASE + "experiments/search", json=body, headers=AUTH)
        return [item["experiment_id"] for item in answer.json["experiments"]]

    assert ids({}) == ["1", "2"]
    assert ids({"view_type": "ALL", "max_results": 2}) == ["1", "2"]
    assert ids({"view_type": "DELETED_ONLY"}) == ["3"]
    assert error(client, path=BASE + "experiments/search", json={"filter": "name = 'x'"})[0] == 400
    assert error(client, path=BASE + "experiments/search", json={"max_results": 0})[0] == 400
