"""Near misses: what to change in a request that matched nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from localruns.engine.message import Request
from localruns.engine.routing import Router
from localruns.reports.near import near_miss, nearest
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.pagers import HEADERS, SEARCH, STUDIO


@pytest.fixture
def router() -> Router:
    return Router(all_vendors().values())


def miss(router: Router, method: str, path: str) -> str:
    return near_miss(router, Request(method, path, path))


def test_a_wrong_method_is_named_with_the_right_one(router: Router) -> None:
    assert miss(router, "PATCH", "/api/v1/runs") == "close to ListRuns: method PATCH, expected GET"


def test_one_wrong_segment_is_named(router: Router) -> None:
    assert miss(router, "GET", "/api/v1/run") == (
        "close to ListRuns: the path differs only in '/run', expected '/runs'"
    )


def test_method_and_path_may_both_be_wrong(router: Router) -> None:
    assert miss(router, "POST", "/api/v2/runs").endswith(
        ": method POST, expected GET; the path differs only in '/v2', expected '/v1'"
    )


def test_a_path_of_another_length_is_set_against_the_right_one(router: Router) -> None:
    told = miss(router, "GET", "/nsml/projects/runs")
    assert "the path is '/nsml/projects/runs', expected '/nsml/v1/projects/runs'" in told


def test_ids_in_a_path_are_no_difference(router: Router) -> None:
    told = miss(router, "POST", SEARCH.replace("localruns", "somebody-else").replace("search", "serch"))
    assert told.endswith("the path differs only in '/serch', expected '/search'")
    assert miss(router, "POST", SEARCH) == ""


def test_a_missing_id_is_a_difference(router: Router) -> None:
    told = miss(router, "GET", "/api/v2/models/modelStudios//runs")
    assert told.endswith("the path differs only in '/', expected '/{modelStudioRid}'")


@pytest.mark.parametrize("path", ["/", "", "/favicon.ico", "/ABCDEF", "/%ff%fe"])
def test_what_is_far_off_is_no_near_miss(router: Router, path: str) -> None:
    assert miss(router, "GET", path) == ""


def test_of_equally_like_paths_the_one_with_the_method_is_meant(router: Router) -> None:
    assert miss(router, "DELETE", "/multipass/api/oauth2/token").startswith("close to ")
    found = nearest(router, f"/api/v2/models/modelStudio/{STUDIO}/runs")
    assert found is not None
    assert found.path == "/api/v2/models/modelStudios/{modelStudioRid}/runs"


def test_no_vendor_means_no_near_miss() -> None:
    assert nearest(Router([]), "/api/v1/runs") is None
    assert miss(Router([]), "GET", "/api/v1/runs") == ""


@pytest.mark.parametrize("path", ["/" * 60_000, "/api" * 15_000, "/api/v1/runs" + "s" * 60_000,
                                  SEARCH.replace("localruns", "/abcdefghij" * 6_000), "/a" * 30_000])  # fmt: skip
def test_long_paths_are_compared_quickly_and_told_briefly(router: Router, path: str) -> None:
    started = time.process_time()
    assert len(miss(router, "GET", path)) < 700
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/api/v1/runs?pagesize=10", "pagesize is ignored, did you mean 'PageSize'?"),
        ("/api/v1/runs?MaxResults=10&zzz=1", "zzz is ignored"),
        ("/api/v1/runs?MaxResults=10", ""),
    ],
)
def test_a_parameter_that_is_not_read_is_told(make_app: Callable[..., App], target: str, words: str) -> None:
    client = make_app("quickstart").test_client()
    assert client.get(target, headers=HEADERS["alibaba-pai"]).status_code == 200
    assert client.get("/__admin/requests").json["requests"][-1]["why"] == words


def test_a_member_of_a_body_that_is_not_read_is_told(make_app: Callable[..., App]) -> None:
    client = make_app("quickstart").test_client()
    for body, words in (
        ({"experiment_id": ["1"]}, "experiment_id is ignored, did you mean 'experiment_ids'?"),
        ({"experiment_ids": ["1"]}, ""),
    ):
        client.post(SEARCH, json=body, headers=HEADERS["oracle-aidp"])
        assert client.get("/__admin/requests").json["requests"][-1]["why"] == words
