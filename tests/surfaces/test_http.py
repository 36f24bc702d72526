"""The application over a live server and under a plain WSGI client: whatever is asked, JSON comes back."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from localruns.surfaces.http import App, is_slow
from tests.clients.asking import (
    BODIES,
    LISTS,
    PREFIXES,
    Ask,
    assert_problem,
    assert_vendor_shape,
    in_process,
    over_the_wire,
)
from tests.clients.pagers import HEADERS, SEARCH, STUDIO

EACH_PREFIX = pytest.mark.parametrize(
    ("vendor", "prefix"), [(vendor, prefix) for vendor, prefixes in PREFIXES.items() for prefix in prefixes]
)


@pytest.fixture(params=["live", "wsgi"])
def ask(request: pytest.FixtureRequest, make_app: Callable[..., App], live: Callable[..., str]) -> Ask:
    app = make_app("quickstart")
    return over_the_wire(live(app)) if request.param == "live" else in_process(app)


@pytest.fixture
def wire(make_app: Callable[..., App], live: Callable[..., str]) -> Ask:
    return over_the_wire(live(make_app("quickstart")))


@EACH_PREFIX
@pytest.mark.parametrize("method", ["GET", "DELETE", "PROPFIND", "TRACE", "CONNECT"])
def test_an_unknown_path_under_a_vendors_prefix_is_refused_in_its_shape(
    ask: Ask, vendor: str, prefix: str, method: str
) -> None:
    answer = ask(method, f"{prefix}no/such/thing")
    assert answer.status == 404
    assert_vendor_shape(vendor, answer)


@pytest.mark.parametrize("vendor", LISTS)
def test_a_wrong_method_is_refused_in_the_vendors_shape(ask: Ask, vendor: str) -> None:
    answer = ask("PATCH", LISTS[vendor][1])
    assert answer.status in (404, 405)
    assert_vendor_shape(vendor, answer)


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("POST", "/api/v1/runs", "CreateRun"),
        ("GET", "/api/v1/runs/run-1", "GetRun"),
        ("POST", SEARCH.replace("runs/search", "experiments/create"), "experiments/create"),
        ("GET", "/nsml/v1/projects", "GetProjectList"),
        ("GET", f"/api/v2/models/modelStudios/{STUDIO}", "ModelStudio.get"),
    ],
)
def test_a_neighbouring_operation_is_named_as_not_emulated(ask: Ask, method: str, target: str, operation: str) -> None:
    problem = assert_problem(ask(method, target), 501)
    assert f"{operation} is a real operation" in problem["detail"]


@pytest.mark.parametrize("target", ["/apiv1/runs", "/v1/runs", "/api%2Fv1/runs", "/api/v1%2Fruns", "/%2fapi/v1/runs"])
def test_elsewhere_the_nearest_endpoint_is_named(ask: Ask, target: str) -> None:
    problem = assert_problem(ask("GET", target), 404)
    assert f"nothing is served at {target}; the nearest endpoint is GET /api/v1/runs" in problem["detail"]


def test_an_unknown_call_of_the_control_api_names_the_nearest_one(ask: Ask) -> None:
    assert "nearest call is /__admin/health" in assert_problem(ask("GET", "/__admin/helth"), 404)["detail"]
    assert_problem(ask("GET", "/__admin"), 404)
    assert_problem(ask("GET", "/__admin%2Fhealth"), 404)


@pytest.mark.parametrize("method", ["POST", "TRACE", "BREW"])
def test_a_wrong_method_on_our_own_paths_lists_the_right_ones(make_app: Callable[..., App], method: str) -> None:
    answer = in_process(make_app("quickstart"))(method, "/__admin/health")
    assert "expected one of: GET, HEAD, OPTIONS" in assert_problem(answer, 405)["detail"]
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("target", ["/", "/__admin/health", "/__admin/requests"])
def test_options_tells_the_methods_and_sends_no_body(ask: Ask, target: str) -> None:
    answer = ask("OPTIONS", target)
    assert (answer.status, answer.body) == (204, b"")
    assert "GET" in answer.headers["allow"]
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("target", ["/", "/__admin/health", "/api/v1/nope", "/nope", "/__admin/nope"])
def test_head_sends_what_get_would_without_the_body(ask: Ask, target: str) -> None:
    head, get = ask("HEAD", target), ask("GET", target)
    assert head.body == b""
    assert (head.line, head.kind) == (get.line, get.kind)
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize("method", ["BREW", "get", "GeT", "\x1b[31m"])
def test_a_method_that_is_none_is_refused_under_a_prefix_in_the_vendors_shape(wire: Ask, method: str) -> None:
    for vendor, prefixes in PREFIXES.items():
        answer = wire(method, f"{prefixes[0]}x")
        assert answer.status in (400, 404)
        assert_vendor_shape(vendor, answer)
    assert_problem(wire(method, "/"), 400)


@pytest.mark.parametrize("target", ["//api/v1/runs", "////api/v1/runs", "/ns/default/api/v1/runs",
                                    "//ns/default//api/v1/runs", "http://localhost/api/v1/runs", "/api/v1/runs?",
                                    "http://localhost//api/v1/runs?x=1", "/ns/defaul%74/api/v1/runs"])  # fmt: skip
def test_these_targets_all_mean_the_runs(ask: Ask, target: str) -> None:
    answer = ask("GET", target, HEADERS["alibaba-pai"])
    assert (answer.line, "Runs" in answer.json) == ("200 OK", True)


@pytest.mark.parametrize("target", ["/x://api/v1/runs", "/api/v1/runs/../runs", "/.%2e/api/v1/runs", "/ns", "*"])
def test_these_targets_do_not(ask: Ask, target: str) -> None:
    assert ask("OPTIONS" if target == "*" else "GET", target, HEADERS["alibaba-pai"]).status == 404


def test_the_raw_target_is_kept_with_a_bare_question_mark(make_app: Callable[..., App]) -> None:
    app = make_app("quickstart")
    ask = in_process(app)
    for target in ("/api/v1/runs?", "/api/v1/runs", "//api/v1/runs?Name=%20"):
        ask("GET", target)
    assert [entry.request.target for entry in app.emulator.space("default").journal] == [
        "/api/v1/runs?",
        "/api/v1/runs",
        "//api/v1/runs?Name=%20",
    ]


@pytest.mark.parametrize("rest", ["", "/", "/api/v1/runs", "/__admin/health", "/nope", "/nsml/x"])
@pytest.mark.parametrize("name", ["nope", "", "%ff", "d%C3%A9"])
def test_an_unknown_namespace_in_the_path_is_a_problem(ask: Ask, name: str, rest: str) -> None:
    answer = ask("GET", f"/ns/{name}{rest}")
    problem = assert_problem(answer, 404)
    assert "expected one of: default" in problem["detail"] or name + rest == ""


@pytest.mark.parametrize("target", ["/", "/api/v1/runs", "/__admin/health", "/nope"])
def test_an_unknown_namespace_in_the_header_is_a_problem(ask: Ask, target: str) -> None:
    for name in ("nope", "d\xe9f", "default, default"):
        assert assert_problem(ask("GET", target, {"X-Localruns-Namespace": name}), 404)["title"] == "unknown namespace"
    assert ask("GET", "/ns/default/__admin/health", {"X-Localruns-Namespace": "nope"}).status == 200


def test_a_namespace_may_have_a_name_that_must_be_quoted(make_app: Callable[..., App]) -> None:
    app = make_app("quickstart")
    app.emulator.open_space("my runs/é", "empty")
    ask = in_process(app)
    index = ask("GET", "/ns/my%20runs%2F%C3%A9/").json
    assert index["scenario"] == "empty"
    assert "http://localhost/ns/my%20runs%2F%C3%A9/api/v1/runs" in index["vendors"][0]["curl"]
    answer = ask("GET", "/ns/my%20runs%2F%C3%A9/api/v1/runs", HEADERS["alibaba-pai"])
    assert answer.json["Runs"] == []


def test_the_index_lists_vendors_paths_and_a_curl_line_each(ask: Ask) -> None:
    vendors = ask("GET", "/").json["vendors"]
    assert [item["vendor"] for item in vendors] == list(PREFIXES)
    for item in vendors:
        assert item["paths"]
        assert item["curl"].count("http://localhost/") == 1


@pytest.mark.parametrize("host", ["a b", "<script>", "x';rm -rf ~;'", "", "[::1]:80", "pai.localhost:1"])
def test_a_host_that_could_not_stand_in_a_command_line_is_not_repeated(ask: Ask, host: str) -> None:
    line = ask("GET", "/", {"Host": host}).json["vendors"][0]["curl"]
    assert (f"http://{host}/" in line) is (host in ("[::1]:80", "pai.localhost:1"))


@pytest.mark.parametrize("asked", ["code=abc", "code=418", "error=Nope", "code=200", "code=-1", "code=99999999999",
                                   "code=429; error=Nope", "code=\xb2\xb2\xb2", "CODE=418"])  # fmt: skip
@pytest.mark.parametrize("vendor", LISTS)
def test_an_error_outside_the_vendors_table_lists_the_table(ask: Ask, vendor: str, asked: str) -> None:
    method, target = LISTS[vendor]
    assert "expected one of: 400 " in assert_problem(ask(method, target, {"Prefer": asked}), 400)["detail"]


@pytest.mark.parametrize("asked", ["", "code=", "nonsense", ";;;=", "xcode=429", "respond-async, wait=10", "error="])
def test_a_preference_that_asks_for_no_error_is_ignored(ask: Ask, asked: str) -> None:
    for vendor, (method, target) in LISTS.items():
        answer = ask(method, target, {**HEADERS[vendor], "Prefer": asked}, BODIES.get(vendor, b""))
        assert answer.status == 200


@pytest.mark.parametrize("asked", ["code=429", 'code="429"', "CODE = 429", "return=minimal, code=429"])
def test_a_preferred_status_is_answered_before_credentials(ask: Ask, asked: str) -> None:
    for vendor, (method, target) in LISTS.items():
        answer = ask(method, target, {"Prefer": asked})
        assert answer.line == "429 Too Many Requests"
        assert_vendor_shape(vendor, answer)


def test_every_status_line_carries_a_reason_phrase(ask: Ask) -> None:
    for status in (400, 401, 403, 404, 429, 500, 503):
        answer = ask("GET", "/api/v1/runs", {"Prefer": f"code={status}"})
        assert answer.line == f"{status} {HTTPStatus(status).phrase}"


def test_an_entry_stands_in_the_journal_before_the_first_byte_and_is_complete_after_the_last(
    make_app: Callable[..., App],
) -> None:
    app = make_app("quickstart")
    journal = app.emulator.space("default").journal
    raw = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/api/v1/runs", "localruns.headers": [], "localruns.body": b""}
    chunks: Any = app(raw, lambda status, headers, exc_info=None: lambda data: None)
    (entry,) = journal
    assert (entry.reply.status, entry.sent) == (400, False)
    assert b"".join(chunks)
    assert entry.sent is False
    chunks.close()
    assert entry.sent is True


def test_without_a_server_that_closes_an_entry_is_complete_at_the_bodys_end(make_app: Callable[..., App]) -> None:
    app = make_app("quickstart")
    assert app.test_client().get("/api/v1/runs").data
    assert [entry.sent for entry in app.emulator.space("default").journal] == [True]


def test_only_what_takes_long_is_kept_off_the_event_loop() -> None:
    slow = [("GET", "/"), ("GET", "//"), ("PUT", "/ns/a/__admin/scenario"), ("GET", "/__admin/requests")]
    quick = [("GET", "/api/v1/runs"), ("POST", "/__admin/reset"), ("DELETE", "/__admin/requests"), ("GET", "/nope")]
    assert [is_slow({"REQUEST_METHOD": method, "PATH_INFO": path}) for method, path in slow + quick] == (
        [True] * len(slow) + [False] * len(quick)
    )
