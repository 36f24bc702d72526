"""Paths: which vendor and endpoint they mean."""

from __future__ import annotations

import pytest

from localruns.engine.emulator import split_namespace
from localruns.engine.routing import Router
from localruns.vendors import all_vendors

ROUTER = Router(all_vendors().values())
SEARCH = "20260430/aiDataPlatforms/{}/workspaces/{}/mlops/api/2.0/mlflow/runs/search"


@pytest.mark.parametrize("vendor", list(all_vendors()))
def test_every_endpoint_is_found_at_its_path(vendor: str) -> None:
    for endpoint in all_vendors()[vendor].endpoints:
        path = endpoint.path.replace("{", "x-").replace("}", "")
        route = ROUTER.find(endpoint.method, path)
        assert route is not None
        assert (route.vendor.id, route.endpoint) == (vendor, endpoint)
        assert all(value == f"x-{name}" for name, value in route.params.items())
        other = ROUTER.find("BREW", path)
        assert other is not None
        assert other.endpoint is None
        assert endpoint.method in other.methods


@pytest.mark.parametrize("vendor", list(all_vendors()))
def test_every_neighbour_is_known_and_not_served(vendor: str) -> None:
    for neighbour in all_vendors()[vendor].neighbours:
        route = ROUTER.find(neighbour.method, neighbour.path.replace("{", "x-").replace("}", ""))
        assert route is not None
        assert route.endpoint is None
        assert route.neighbour is not None
        assert route.neighbour.method == neighbour.method


def test_parameters_are_decoded_and_an_encoded_slash_is_no_slash() -> None:
    route = ROUTER.find("POST", "/" + SEARCH.format("ocid1%2Fx", "a%20b%C3%BC"))
    assert route is not None
    assert dict(route.params) == {"aiDataPlatformId": "ocid1/x", "workspaceKey": "a bü"}


@pytest.mark.parametrize("prefix", ["/", "/api/"])
def test_both_prefixes_of_oracle_mean_the_same(prefix: str) -> None:
    route = ROUTER.find("POST", prefix + SEARCH.format("a", "b"))
    assert route is not None
    assert route.endpoint is not None
    assert route.endpoint.name == "runs/search"


@pytest.mark.parametrize("path", ["/api/v1/runs/", "/api/v1/RUNS", "/api/v1/", "/api/v1/runs%2f", "/api/v1/runs/a/b/c"])
def test_under_a_prefix_an_unknown_path_is_the_vendors_own(path: str) -> None:
    route = ROUTER.find("GET", path)
    assert route is not None
    assert (route.vendor.id, route.endpoint, route.methods) == ("alibaba-pai", None, [])


@pytest.mark.parametrize(
    "path", ["/", "", "/api", "/api/v1", "/api/v3/models", "/elsewhere", "/__admin/health", "/" + "x" * 70_000]
)
def test_elsewhere_is_nobodys(path: str) -> None:
    assert ROUTER.find("GET", path) is None


def test_an_empty_segment_is_no_parameter() -> None:
    route = ROUTER.find("POST", "/" + SEARCH.format("", "b"))
    assert route is not None
    assert route.endpoint is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/runs", (None, "/api/v1/runs")),
        ("/ns/a/api/v1/runs", ("a", "/api/v1/runs")),
        ("/ns/a//api/v1/runs", ("a", "/api/v1/runs")),
        ("/ns/a", ("a", "/")),
        ("/ns/a/", ("a", "/")),
        ("/ns//x", ("", "/x")),
        ("/nsml/v1/x", (None, "/nsml/v1/x")),
    ],
)
def test_a_namespace_is_split_off_the_path(path: str, expected: tuple[str | None, str]) -> None:
    assert split_namespace(path) == expected
