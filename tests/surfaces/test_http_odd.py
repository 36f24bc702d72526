"""What no sensible client sends: too long, not text, or anything at all."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localruns.surfaces.http import App
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
from tests.clients.pagers import HEADERS, SEARCH

HUGE = 10 * 1024 * 1024


@pytest.fixture(params=["live", "wsgi"])
def ask(request: pytest.FixtureRequest, make_app: Callable[..., App], live: Callable[..., str]) -> Ask:
    app = make_app("quickstart")
    return over_the_wire(live(app)) if request.param == "live" else in_process(app)


@pytest.fixture
def wire(make_app: Callable[..., App], live: Callable[..., str]) -> Ask:
    return over_the_wire(live(make_app("quickstart")))


@pytest.mark.parametrize("vendor", LISTS)
def test_huge_urls_headers_and_bodies_are_refused_in_the_vendors_shape(wire: Ask, vendor: str) -> None:
    method, target = LISTS[vendor]
    for answer in (
        wire(method, f"{target}{'&' if '?' in target else '?'}x={'a' * HUGE}"),
        wire(method, target, {"X-Long": "a" * HUGE}),
        wire("POST", target, body=b"a" * HUGE),
    ):
        assert answer.status in (413, 414, 431)
        assert_vendor_shape(vendor, answer)


@pytest.mark.parametrize("target", ["/", "/nope", "/__admin/requests"])
def test_huge_urls_headers_and_bodies_are_problems_elsewhere(wire: Ask, target: str) -> None:
    assert_problem(wire("GET", f"{target}?{'a' * HUGE}"), 414)
    assert_problem(wire("GET", target, {"X-Long": "a" * HUGE}), 431)
    assert_problem(wire("POST", target, body=b"a" * HUGE), 413)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b'{"a": 1e999}', b"\0" * 9])
@pytest.mark.parametrize("kind", ["application/json", "text/html", "\xff", "application/x-www-form-urlencoded"])
def test_a_body_that_is_no_request_is_the_clients_fault(make_app: Callable[..., App], body: bytes, kind: str) -> None:
    ask = in_process(make_app("quickstart"))
    for target in (SEARCH, "/multipass/api/oauth2/token"):
        answer = ask("POST", target, {**HEADERS["oracle-aidp"], "Content-Type": kind}, body)
        assert answer.status < 500
        assert answer.kind == "application/json"


@pytest.mark.parametrize("vendor", LISTS)
@pytest.mark.parametrize("query", ["%ff=%fe", "Name=%ff", "a=%", "%00=%00", "&&==&", ";", "x=%0d%0aSet-Cookie:%20a=b"])
def test_queries_that_are_no_text_never_break_an_answer(ask: Ask, vendor: str, query: str) -> None:
    method, target = LISTS[vendor]
    answer = ask(method, f"{target.partition('?')[0]}?{query}", HEADERS[vendor], BODIES.get(vendor, b""))
    assert answer.status < 500
    assert "set-cookie" not in answer.headers
    if answer.status != 200:
        assert_vendor_shape(vendor, answer)


_METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW", "get", "CONNECT", ""])
_TEXT = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30)
_PATHS = st.sampled_from([prefix for prefixes in PREFIXES.values() for prefix in prefixes] + [
    target.partition("?")[0] for _, target in LISTS.values()
] + ["/multipass/api/oauth2/token"])  # fmt: skip
_FIELDS = st.sampled_from(["Authorization", "Prefer", "Content-Type", "x-acs-date", "x-ncp-apigw-timestamp", "Host"])
_NAMES = st.sampled_from(["PageToken", "MaxResults", "PageSize", "page", "pageSize", "preview", "pageToken", "x", ""])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=_METHODS,
    path=st.tuples(_PATHS, st.one_of(st.just(""), _TEXT)).map("".join),
    query=st.lists(st.tuples(_NAMES, _TEXT).map("=".join), max_size=3).map("&".join),
    headers=st.dictionaries(_FIELDS, st.one_of(_TEXT, st.sampled_from(["Bearer x", "code=429", "code="])), max_size=4),
    body=st.one_of(st.binary(max_size=50), st.dictionaries(_TEXT, _TEXT).map(lambda x: json.dumps(x).encode())),
    good=st.booleans(),
)
def test_anything_on_a_vendors_prefix_gets_json_and_a_status_of_its_table(
    fuzzed: App, method: str, path: str, query: str, headers: dict[str, str], body: bytes, good: bool
) -> None:
    path = path.replace("?", "")
    vendor = fuzzed.emulator.router.vendor_of(path)
    assert vendor is not None
    given_headers = {**(HEADERS[vendor.id] if good else {}), **headers}
    answer = in_process(fuzzed)(method, f"{path}?{query}" if query else path, given_headers, body)
    entry = list(fuzzed.emulator.space("default").journal)[-1]
    assert not entry.defect
    assert answer.status in {200, 501, *(row.status for row in vendor.errors.rows)}
    if answer.body:
        assert answer.kind in ("application/json", "application/problem+json")
        json.loads(answer.body)
    else:
        assert method == "HEAD" or entry.reply.content is None


@pytest.fixture(scope="module")
def fuzzed() -> App:
    from localruns.engine.emulator import Emulator, Options
    from localruns.paths import cache_dir
    from localruns.vendors import all_vendors

    return App(Emulator(all_vendors(), "quickstart", Options(cache=cache_dir())))
