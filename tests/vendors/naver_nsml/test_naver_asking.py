"""`page` and `pageSize`, the other parameters, the media types, the paths."""

from __future__ import annotations

import pytest

from localruns.vendors.naver_nsml import VENDOR
from localruns.vendors.naver_nsml.media import takes_json

RUNS = "/nsml/v1/projects/runs"


def error(response):
    body = response.get_json()["error"]
    return response.status_code, body["errorCode"], body["details"]


def first(response):
    """(name of the first row, number of rows)"""
    runs = response.get_json()["runList"]
    return (runs[0]["runName"] if runs else None), len(runs)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ("25", 10)),
        ("?", ("25", 10)),
        ("?page=1", ("25", 10)),
        ("?page=2", ("15", 10)),
        ("?page=3", ("5", 5)),
        ("?page=4", (None, 0)),
        ("?page=2147483647", (None, 0)),
        ("?page=2147483647&pageSize=2147483647", (None, 0)),
        ("?pageSize=3", ("25", 3)),
        ("?page=2&pageSize=20", ("5", 5)),
        ("?pageSize=2147483647", ("25", 25)),
        ("?page=0", ("25", 10)),
        ("?page=-0", ("25", 10)),
        ("?page=%2B2", ("15", 10)),
        ("?pageSize=%2B3", ("25", 3)),
        ("?page=%32", ("15", 10)),
        ("?page=002", ("15", 10)),
        ("?page=", ("25", 10)),
        ("?page=&page=3", ("25", 10)),
        ("?pageSize=&page=2", ("15", 10)),
        ("?page=2&page=3", ("15", 10)),
        ("?page=2&page=abc", ("15", 10)),
        ("?pagesize=1&PAGE=2&x=%20", ("25", 10)),
        ("?x=%EF%BF%BD", ("25", 10)),
        ("?page", ("25", 10)),
    ],
)
def test_what_a_page_holds(site, query, expected):
    response = site(25).get(RUNS + query)

    assert response.status_code == 200
    assert first(response) == expected
    assert response.get_json()["totalCount"] == 25


@pytest.mark.parametrize("name", ["page", "pageSize"])
@pytest.mark.parametrize(
    "value", ["abc", "1.5", "0x1", "%201", "1%20", "-1", "+1", "2147483648", "9" * 60, "%D9%A1", "1,2", "%00", "1e1"]
)
def test_what_is_no_page_number_is_refused_by_the_service(site, name, value):
    status, code, details = error(site().get(f"{RUNS}?{name}={value}"))

    assert (status, code) == (400, "400")
    least = 0 if name == "page" else 1
    assert details.startswith(f"{name} must be an integer of at least {least}")


def test_the_refusal_names_the_documented_words(site):
    body = site().get(f"{RUNS}?pageSize=abc").get_json()

    details = "pageSize must be an integer of at least 1"
    assert body == {"error": {"errorCode": "400", "message": "Bad Request", "details": details}}


def test_a_page_size_of_nothing_is_refused(site):
    assert error(site().get(f"{RUNS}?pageSize=0"))[:2] == (400, "400")


def test_page_zero_may_be_refused(site):
    started = site(settings={"page_zero": "reject"})

    assert error(started.get(f"{RUNS}?page=0")) == (400, "400", "page must be an integer of at least 1")
    assert started.get(f"{RUNS}?page=").status_code == 200


def test_sizes_follow_the_settings(site):
    started = site(25, settings={"default_page_size": 4, "max_page_size": 6})

    assert first(started.get()) == ("25", 4)
    assert first(started.get(f"{RUNS}?pageSize=100")) == ("25", 6)
    assert first(started.get(f"{RUNS}?pageSize=100&page=2")) == ("19", 6)


def test_an_empty_list_is_no_error(site):
    assert site([]).get().get_json() == {"runList": [], "totalCount": 0}


def test_parameters_that_are_ignored_stand_in_the_journal(site):
    started = site()
    started.get(f"{RUNS}?pagesize=1&page=1")

    assert started.last.notes == ["pagesize is ignored, did you mean 'pageSize'?"]


@pytest.mark.parametrize("query", ["?page=%FF", "?%C3%28=1"])
def test_a_query_that_is_not_utf8_is_refused_by_the_gateway_before_credentials(site, query):
    response = site().get(RUNS + query, headers={})

    assert error(response)[:2] == (400, "100")
    assert response.get_json()["error"]["message"] == "Bad Request Exception"


def test_raw_bytes_in_a_query_are_read_as_utf8(site):
    started = site()

    def raw(query):
        return started.client.get(RUNS, headers=started.present, environ_overrides={"REQUEST_URI": RUNS + query})

    assert error(raw("?x=\xff"))[:2] == (400, "100")
    assert raw("?x=\xc3\xa9").status_code == 200


@pytest.mark.parametrize(
    ("accept", "accepted"),
    [
        ("application/json", True),
        ("APPLICATION/JSON;charset=utf-8", True),
        ("*/*", True),
        ("application/*", True),
        ("text/html, application/json;q=0.1", True),
        ("text/html,*/*;q=0.8", True),
        ("", True),
        ("text/html", False),
        ("application/xml", False),
        ("text/*", False),
        ("application/json;q=0", False),
        ("application/json; Q=0.000, */*", False),
        ("*/*;q=0", False),
        ("nonsense", False),
        (",", False),
    ],
)
def test_an_accept_header_that_excludes_json_is_refused(site, accept, accepted):
    started = site()
    response = started.get(headers={**started.present, "Accept": accept})

    assert response.status_code == (200 if accepted else 406)
    if not accepted:
        assert error(response)[1] == "406"
        assert response.get_json()["error"]["message"] == "Not Accepted"
        assert accept in started.detail


def test_the_closest_range_decides():
    assert takes_json("*/*;q=0, application/json")
    assert not takes_json("application/*;q=0, */*")


@pytest.mark.parametrize("given", [None, "", "text/plain"])
def test_a_content_type_is_asked_for_when_the_settings_say_so(site, given):
    headers = {} if given is None else {"Content-Type": given}
    strict, mild = site(settings={"content_type": "require"}), site()

    assert error(strict.get(headers={**strict.present, **headers})) == (
        400,
        "400",
        "Content-Type must be application/json",
    )
    assert mild.get(headers={**mild.present, **headers}).status_code == 200


def test_json_is_the_content_type_asked_for(site):
    strict = site(settings={"content_type": "require"})

    for given in ("application/json", "application/json; charset=UTF-8"):
        assert strict.get(headers={**strict.present, "Content-Type": given}).status_code == 200


def test_a_body_is_ignored(site):
    started = site()
    response = started.client.get(RUNS, data=b"{]", headers=started.present)

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nsml/v1/project"),
        ("GET", "/nsml/v1/projects/runs/"),
        ("GET", "/nsml/v1/projects%2Fruns"),
        ("GET", "/nsml/v2/projects/runs"),
        ("GET", "/nsml/"),
        ("GET", "/nsml/v1/projects/p1/runs"),
        ("GET", "/nsml/v1/./projects/runs"),
        ("GET", "/nsml/v1/Projects/runs"),
        ("PUT", "/nsml/v1/projects"),
        ("GET", "/nsml/v1/auth-keys"),
        ("POST", "/nsml/v1/projects/runs"),
        ("DELETE", "/nsml/v1/projects/runs"),
        ("PUT", "/nsml/v1/projects/runs"),
        ("OPTIONS", "/nsml/v1/projects/runs"),
    ],
)
def test_an_unknown_path_or_method_is_not_found_at_the_gateway(site, method, path):
    response = site().get(path, headers={}, method=method)

    assert response.get_json() == {
        "error": {"errorCode": "300", "message": "Not Found Exception", "details": "URL not found."}
    }
    assert response.status_code == 404
    assert len(response.headers["x-ncp-trace-id"]) == 26


def test_head_is_a_method_like_any_other(site):
    response = site().get(method="HEAD")

    assert (response.status_code, response.data) == (404, b"")


def test_the_neighbouring_operations_are_the_published_ones():
    project, run = "/projects/{projectId}", "/projects/{projectId}/runs/{runName}"
    published = {
        "GET": ["/projects", project, run, run + "/nodes", "/server-products", "/images/base", "/images/secret"],
        "POST": ["/projects", project + "/runs", "/images/secret", "/auth-keys"],
        "DELETE": [project],
    }

    assert {(neighbour.method, neighbour.path) for neighbour in VENDOR.neighbours} == {
        (method, "/nsml/v1" + path) for method, paths in published.items() for path in paths
    }


@pytest.mark.parametrize("neighbour", VENDOR.neighbours, ids=lambda neighbour: neighbour.name)
def test_a_neighbouring_operation_is_named(site, neighbour):
    path = neighbour.path.replace("{projectId}", "p1").replace("{runName}", "3")
    response = site().get(path, method=neighbour.method)

    assert response.status_code == 501
    assert response.content_type == "application/problem+json"
    assert neighbour.name in response.get_json()["detail"]


def test_runs_is_no_project(site):
    assert site().get("/nsml/v1/projects/runs").status_code == 200
    assert site().get("/nsml/v1/projects/runz").status_code == 501
