"""Namespaces over the control API: made, shown, refused, deleted, ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from urllib.request import Request, urlopen

import pytest
from werkzeug.test import Client, TestResponse

from localruns import clock
from localruns.engine.store import Store
from localruns.surfaces.edge import Edge
from localruns.surfaces.http import App, is_slow, refuser
from localruns.vendors import all_vendors
from tests.clients.pagers import HEADERS
from tests.clients.spaces import count, make, names, presenting

KEYS = {
    "alibaba-pai": {"access_key_id", "access_key_secret"},
    "oracle-aidp": {"tenancy", "user", "fingerprint", "key_content", "region", "bearer_token"},
    "naver-nsml": {"access_key", "secret_key", "api_key"},
    "palantir-foundry": {"token", "client_id", "client_secret"},
}


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    return make_app("quickstart")


@pytest.fixture
def client(app: App) -> Client:
    return app.test_client()


def assert_problem(answer: TestResponse, status: int, *words: str) -> None:
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert [word for word in words if word not in answer.json["detail"]] == []


def test_a_namespace_is_made_with_its_url_and_credentials(client: Client) -> None:
    made = make(client, name="mine", scenario="empty", ttl_s=60)
    assert made["name"] == "mine"
    assert made["url"] == "http://localhost/ns/mine"
    assert {vendor: set(keys) for vendor, keys in made["credentials"].items()} == KEYS
    assert made["credentials"]["oracle-aidp"]["user"] == "ocid1.user.oc1..ns-mine"
    assert all(all(keys.values()) for keys in made["credentials"].values())
    assert client.get("/ns/mine/__admin/health").json["scenario"] == "empty"


def test_the_url_is_that_of_the_host_the_request_came_to(client: Client) -> None:
    made = client.post("/__admin/namespaces", json={"name": "a"}, headers={"Host": "runs.test:81"}).json
    assert made["url"] == "http://runs.test:81/ns/a"


def test_everything_may_be_left_out(client: Client) -> None:
    assert [client.post("/__admin/namespaces").json["name"], make(client)["name"]] == ["ns-1", "ns-2"]
    assert client.get("/__admin/health?namespace=ns-2").json["scenario"] == "quickstart"


def test_credentials_differ_between_namespaces_and_are_the_same_in_any_server(make_app: Callable[..., App]) -> None:
    one, other = (make_app("quickstart").test_client() for _ in range(2))
    first, again = make(one, name="a")["credentials"], make(other, name="a")["credentials"]
    assert first == again
    second = make(one, name="b")["credentials"]
    for vendor, keys in first.items():
        shared = {"tenancy", "fingerprint", "key_content", "region"} if vendor == "oracle-aidp" else set()
        assert {name for name, value in keys.items() if value == second[vendor][name]} == shared


def test_namespaces_are_listed_shown_and_deleted(client: Client) -> None:
    made = make(client, name="a", ttl_s=60)
    client.get("/ns/a/nope").close()
    default, own = client.get("/__admin/namespaces").json["namespaces"]
    assert default == {"name": "default", "url": "http://localhost", "scenario": "quickstart", "expires": None,
                       "requests": 0}  # fmt: skip
    assert (own["name"], own["url"], own["requests"]) == ("a", made["url"], 1)
    assert datetime.fromisoformat(own["expires"]) > datetime.now(UTC)
    assert client.get("/__admin/namespaces/a").json == {**own, **made}
    assert client.delete("/__admin/namespaces/a").json == {"name": "a", "deleted": True}
    assert names(client) == ["default"]
    for answer in (client.delete("/__admin/namespaces/a"), client.get("/__admin/namespaces/a"), client.get("/ns/a/")):
        assert_problem(answer, 404, "'a'", "default")
    assert_problem(client.delete("/__admin/namespaces/default"), 409, "cannot be deleted")


def test_the_default_namespace_shows_the_well_known_credentials(client: Client) -> None:
    held = client.get("/__admin/namespaces/default").json["credentials"]
    assert held["naver-nsml"]["access_key"] == "LOCALRUNSACCESSKEY01"
    assert held["palantir-foundry"]["token"] == "localruns-token"


def test_a_vendor_that_the_scenario_does_not_hold_has_no_credentials(make_app: Callable[..., App]) -> None:
    assert set(make(make_app(vendor="naver-nsml").test_client())["credentials"]) == {"naver-nsml"}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "not JSON"),
        (b"[]", 400, "the body: found []"),
        (b'{"name": 5}', 400, "name: found 5, expected text"),
        (b'{"name": ""}', 400, "name: found ''"),
        (b'{"name": "a/b"}', 400, "name: found 'a/b'"),
        (b'{"name": ".."}', 400, "name: found '..'"),
        (b'{"name": "a\\n"}', 400, "name: "),
        (b'{"name": "-a"}', 400, "name: found '-a'"),
        (b'{"name": "\\u00e4"}', 400, "name: found"),
        (json.dumps({"name": "a" * 101}).encode(), 400, "name: found"),
        (b'{"name": "default"}', 409, "name: there is a namespace 'default' already"),
        (b'{"name": "taken"}', 409, "name: there is a namespace 'taken' already"),
        (b'{"nmae": "a"}', 400, "did you mean 'name'"),
        (b'{"ttl_s": 0}', 400, "ttl_s: found 0"),
        (b'{"ttl_s": -1}', 400, "ttl_s: found -1"),
        (b'{"ttl_s": "5"}', 400, "ttl_s: found '5'"),
        (b'{"ttl_s": 1e300}', 400, "ttl_s: found 1e+300"),
        (b'{"ttl_s": true}', 400, "ttl_s: found True"),
        (b'{"journal_entries": 0}', 400, "journal_entries: found 0"),
        (b'{"journal_entries": 1.5}', 400, "journal_entries: found 1.5"),
        (b'{"journal_entries": 10000000}', 400, "journal_entries: found 10000000, expected 5000 or less"),
        (b'{"journal_bytes": 1000000000}', 400, "journal_bytes: found 1000000000"),
        (b'{"scenario": 5}', 400, "scenario: found 5"),
        (b'{"scenario": "quikstart"}', 400, "did you mean 'quickstart'"),
        (b'{"scenario": {"nmae": "empty"}}', 400, "did you mean 'name'"),
        (b'{"scenario": {}}', 400, "name: found neither"),
        (b'{"scenario": {"name": "empty", "text": "x"}}', 400, "name: found it beside text"),
        (b'{"scenario": {"text": "scenario: [", "label": "mine"}}', 422, "mine:2: not valid YAML"),
        (b'"' + b"x" * 5_000_000 + b'"', 413, "5,000,002 bytes, expected at most 4,194,304"),
    ],
)  # fmt: skip
def test_a_namespace_that_cannot_be_made_is_refused_by_field(
    client: Client, body: bytes, status: int, words: str
) -> None:
    make(client, name="taken")
    assert_problem(client.post("/__admin/namespaces", data=body), status, words)
    assert names(client) == ["default", "taken"]


def test_a_query_parameter_that_no_call_knows_is_named(client: Client) -> None:
    for method, call in (("POST", "namespaces"), ("GET", "namespaces"), ("DELETE", "namespaces/default"),
                         ("PUT", "scenario"), ("GET", "clock"), ("PUT", "clock"), ("POST", "reset")):  # fmt: skip
        assert_problem(
            client.open(f"/__admin/{call}?nmaespace=a", method=method), 400, "nmaespace is 'a'", "'namespace'"
        )


def test_a_scenario_may_be_given_as_text_and_each_of_its_problems_is_a_line(client: Client) -> None:
    text = "scenario: inline\nvendors: {naver-nsml: {runs: [{generate: 2}]}}\n"
    make(client, name="a", scenario={"text": text})
    assert client.get("/__admin/health?namespace=a").json["scenario"] == "inline"
    bad = {"text": "scenario: inline\nsed: 5\nvendors: {naver-nsml: {rnus: []}}\n", "label": "test.py"}
    for answer in (
        client.post("/__admin/namespaces", json={"scenario": bad}),
        client.put("/__admin/scenario?namespace=a", json=bad),
    ):
        assert_problem(answer, 422, "did you mean 'seed'", "did you mean 'runs'")
        assert [line.split(":", 2)[0] for line in answer.json["detail"].splitlines()] == ["test.py", "test.py"]
    assert client.get("/__admin/health?namespace=a").json["scenario"] == "inline"
    assert names(client) == ["default", "a"]


def test_a_namespace_ends_with_its_time_to_live(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall_now", lambda: now)
    keys = make(client, name="short", ttl_s=0.5)["credentials"]["alibaba-pai"]
    now += timedelta(seconds=0.4)
    assert client.get("/ns/short/").status_code == 200
    now += timedelta(seconds=0.1)
    assert names(client) == ["default"]
    assert_problem(client.get("/ns/short/api/v1/runs"), 404, "'short' expired")
    assert_problem(client.get("/api/v1/runs", headers={"X-Localruns-Namespace": "short"}), 404, "'short'")
    assert client.get("/api/v1/runs", headers=presenting("alibaba-pai", keys)).status_code == 200
    assert count(client, "default") == 1


def test_a_journal_may_be_smaller_than_the_servers(client: Client) -> None:
    make(client, name="a", journal_entries=2)
    for _ in range(5):
        client.get("/ns/a/api/v1/runs", headers=HEADERS["alibaba-pai"]).close()
    shown = client.get("/ns/a/__admin/requests").json
    assert (len(shown["requests"]), shown["evicted"], shown["complete"]) == (2, 3, False)


@pytest.mark.parametrize("vendor", all_vendors())
def test_the_index_of_a_namespace_shows_its_own_credentials(client: Client, vendor: str) -> None:
    keys = make(client, name="mine")["credentials"][vendor]
    (line,) = [item["curl"] for item in client.get("/ns/mine/").json["vendors"] if item["vendor"] == vendor]
    own = {"access_key_id", "access_key", "token", "bearer_token"} & set(keys)
    assert all(keys[name] in line for name in own)


def test_while_a_scenario_is_compiled_others_are_answered_and_the_old_one_is_served(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_, started, go_on = app.emulator.shelf.named, Event(), Event()

    def slowly(name: str) -> Store:
        started.set()
        assert go_on.wait(20)
        return compile_(name)

    monkeypatch.setattr(app.emulator.shelf, "named", slowly)
    with Edge(app, refuser(app.emulator), slow=is_slow) as edge, ThreadPoolExecutor(1) as pool:

        def ask(method: str, path: str, body: bytes | None = None) -> Any:
            request = Request(edge.url + path, body, HEADERS["alibaba-pai"], method=method)
            with urlopen(request, timeout=20) as answer:
                return json.load(answer)

        switching = pool.submit(ask, "PUT", "/__admin/scenario", b'{"name": "empty"}')
        assert started.wait(20)
        assert len(ask("GET", "/api/v1/runs")["Runs"]) == 10
        assert ask("GET", "/__admin/health")["scenario"] == "quickstart"
        go_on.set()
        assert switching.result(20) == {"namespace": "default", "scenario": "empty"}
        assert ask("GET", "/api/v1/runs")["Runs"] == []
