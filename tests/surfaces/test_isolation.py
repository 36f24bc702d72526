"""Namespaces apart from each other: by path, by header, by credential; a thousand of them."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from localruns.surfaces.http import App
from tests.clients.pagers import HEADERS, PAGERS, SEARCH, Pager
from tests.clients.spaces import count, make, names, presenting

EACH_PAGER = pytest.mark.parametrize("pager", [pytest.param(p, id=f"{p.vendor}-{p.style}") for p in PAGERS])


@pytest.fixture
def client(make_app: Callable[..., App]) -> Client:
    return make_app("quickstart").test_client()


@EACH_PAGER
def test_a_namespace_is_reached_by_path_by_header_and_by_credential(client: Client, pager: Pager) -> None:
    keys = make(client, name="mine")["credentials"][pager.vendor]
    plain = client.open

    def through(change: Callable[[str, dict[str, Any]], str]) -> None:
        def opened(path: str, **options: Any) -> TestResponse:
            return plain(change(path, options), **options)

        client.open = opened  # type: ignore[method-assign]
        assert len(pager.rows(client, 10)) == 25
        client.open = plain  # type: ignore[method-assign]

    def header(path: str, options: dict[str, Any]) -> str:
        options["headers"] = {**options["headers"], "X-Localruns-Namespace": "mine"}
        return path

    def credential(path: str, options: dict[str, Any]) -> str:
        options["headers"] = presenting(pager.vendor, keys)
        return path

    for done, way in enumerate((lambda path, _: f"/ns/mine{path}", header, credential), 1):
        through(way)
        assert (count(client, "mine"), count(client, "default")) == (3 * done, 0)


def test_the_path_wins_over_the_header_and_the_header_over_the_credential(client: Client) -> None:
    keys = {name: make(client, name=name)["credentials"]["naver-nsml"] for name in ("a", "b", "c")}
    headers = presenting("naver-nsml", keys["c"])
    client.get("/ns/a/nsml/v1/projects/runs", headers={**headers, "X-Localruns-Namespace": "b"}).close()
    client.get("/nsml/v1/projects/runs", headers={**headers, "X-Localruns-Namespace": "b"}).close()
    client.get("/nsml/v1/projects/runs", headers=headers).close()
    client.get("/nsml/v1/projects/runs", headers=HEADERS["naver-nsml"]).close()
    assert [count(client, name) for name in ("a", "b", "c", "default")] == [1, 1, 1, 1]


@pytest.mark.parametrize("ending", ["11:22:33", "any:fingerprint"])
def test_an_oracle_key_id_belongs_to_its_user_with_any_fingerprint(client: Client, ending: str) -> None:
    keys = make(client, name="mine")["credentials"]["oracle-aidp"]
    key_id = f"{keys['tenancy']}/{keys['user']}/{ending}"
    fields = f'version="1",keyId="{key_id}",algorithm="rsa-sha256",headers="host",signature="AA=="'
    signed = {"Authorization": f"Signature {fields}"}
    client.post(SEARCH, data='{"experiment_ids": ["1"]}', headers=signed).close()
    assert count(client, "mine") == 1


def test_basic_credentials_and_oauth_tokens_belong_to_their_namespace(client: Client) -> None:
    keys = make(client, name="mine")["credentials"]["palantir-foundry"]
    form = {"grant_type": "client_credentials", "client_id": keys["client_id"], "client_secret": keys["client_secret"]}
    token = client.post("/multipass/api/oauth2/token", data=form).json["access_token"]
    assert count(client, "mine") == 1
    path = f"/api/v2/models/modelStudios/{'ri.models.main.model-studio.x'}/runs?preview=true"
    client.get(path, headers={"Authorization": f"Bearer {token}"}).close()
    assert count(client, "mine") == 2
    client.post(SEARCH, data="{}", auth=("ns-mine", "localruns-token-mine")).close()
    assert count(client, "mine") == 3
    assert count(client, "default") == 0


@EACH_PAGER
def test_a_page_token_of_another_namespace_is_refused(client: Client, pager: Pager) -> None:
    make(client, name="a")
    token = pager.page(client, 10).next
    if not isinstance(token, str):
        pytest.skip("this vendor pages by number")
    plain = client.open
    client.open = lambda path, **rest: plain(f"/ns/a{path}", **rest)  # type: ignore[method-assign]
    assert pager.ask(client, 10, token, {}).status_code == 400


def test_faults_counters_clocks_and_request_ids_are_apart(make_app: Callable[..., App]) -> None:
    fault = {"when": {"vendor": "alibaba-pai", "call": 2}, "refuse": "throttled"}
    vendors = {"alibaba-pai": {"runs": [{"generate": 3}]}}
    client = make_app({"scenario": "f", "vendors": vendors, "faults": [fault]}).test_client()
    for name in ("a", "b"):
        make(client, name=name)

    def ask(name: str) -> tuple[int, str]:
        answer = client.get(f"/ns/{name}/api/v1/runs", headers=HEADERS["alibaba-pai"])
        return answer.status_code, answer.headers["x-acs-request-id"]

    first = [ask("a") for _ in range(4)]
    assert [status for status, _ in first] == [200, 429, 200, 200]
    client.put("/__admin/clock?namespace=a", json={"action": "freeze", "at": "2030-01-01T00:00:00Z"})
    assert [ask("b") for _ in range(4)] == first
    assert client.get("/__admin/clock?namespace=b").json["now"].startswith("2026")
    client.post("/__admin/reset?namespace=a")
    assert [ask("a") for _ in range(4)] == first
    assert count(client, "b") == 4


def test_a_thousand_namespaces_live_in_one_server(client: Client) -> None:
    made = [make(client, name=f"test-{number}") for number in range(1_000)]
    for number, space in enumerate(made):
        keys = space["credentials"]["alibaba-pai"]
        for _ in range(number % 3):
            client.get("/api/v1/runs?MaxResults=1", headers=presenting("alibaba-pai", keys)).close()
    assert [count(client, space["name"]) for space in made] == [number % 3 for number in range(1_000)]
    assert count(client, "default") == 0
    assert len(names(client)) == 1_001


def test_a_namespace_is_small_and_leaves_nothing_behind(client: Client) -> None:
    def live_and_die(number: int) -> float:
        """Bytes that each of so many namespaces takes."""
        before = tracemalloc.get_traced_memory()[0]
        for each in range(number):
            make(client, name=f"test-{each}")
            client.get(f"/ns/test-{each}/api/v1/runs?MaxResults=1", headers=HEADERS["alibaba-pai"]).close()
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
        for each in range(number):
            client.delete(f"/__admin/namespaces/test-{each}").close()
        gc.collect()
        return taken / number

    tracemalloc.start()
    live_and_die(200)  # from here on, all that is kept of requests for the next ones is there
    before = tracemalloc.get_traced_memory()[0]
    each = live_and_die(200)
    left = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert names(client) == ["default"]
    assert each < 40_000
    assert left < 100_000
