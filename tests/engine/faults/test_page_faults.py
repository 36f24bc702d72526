"""What each page fault puts on the wire, vendor by vendor and page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from localruns.engine.faults.pages import CATALOGUE, why_not
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.pagers import PAGERS, Page, Pager

STYLE = {("alibaba-pai", "token"): "integer", ("alibaba-pai", "page"): "number", ("oracle-aidp", "token"): "text",
         ("naver-nsml", "page"): "number", ("palantir-foundry", "token"): "text"}  # fmt: skip
TIME = {
    "alibaba-pai": {"GmtCreateTime": "2026-01-14T08:00:00.000Z"},
    "oracle-aidp": {"info": {"start_time": 1768377600000}},
    "naver-nsml": {"createTime": "2026-01-14 17:00:00"},
    "palantir-foundry": {"startedTime": "2026-01-14T08:00:00.000Z"},
}
Start = Callable[..., Client]


def able(entry: str) -> pytest.MarkDecorator:
    """A test for each way of paging that can express the entry."""
    pagers = [p for p in PAGERS if not why_not(all_vendors()[p.vendor], entry, (STYLE[p.vendor, p.style],))]
    return pytest.mark.parametrize("pager", [pytest.param(p, id=f"{p.vendor}-{p.style}") for p in pagers])


@pytest.fixture
def start(make_app: Callable[..., App]) -> Start:
    """`start(pager, entry, **when)`: 45 runs with one page fault."""

    def make(pager: Pager, entry: str, rows: Any = None, times: int | None = None, **when: Any) -> Client:
        fault = {"when": {"vendor": pager.vendor, **when}, "page_fault": entry, **({"times": times} if times else {})}
        part = {"runs": rows or [{"generate": 45}]}
        return make_app(
            {"scenario": "one", "seed": 4, "vendors": {pager.vendor: part}, "faults": [fault]}
        ).test_client()

    return make


def walk(client: Client, pager: Pager, count: int = 30, size: int = 10) -> Iterator[Page]:
    """At most so many pages."""
    for page, _ in zip(pager.walk(client, size), range(count), strict=False):
        yield page


def keys(pager: Pager, page: Page) -> list[str]:
    return [pager.key(row) for row in page.rows]


def flat(pager: Pager, pages: Iterable[Page]) -> list[str]:
    return [key for page in pages for key in keys(pager, page)]


def sizes(client: Client, pager: Pager, size: int = 10) -> list[int]:
    return [len(page.rows) for page in walk(client, pager, size=size)]


def status(client: Client, pager: Pager, token: Any = None, size: int = 10, **more: Any) -> int:
    answer = pager.ask(client, size, token, more)
    answer.get_data()
    return answer.status_code


def truth(client: Client, pager: Pager) -> list[str]:
    """All keys in order, past any fault."""
    space = client.application.emulator.space("default")
    order = space.store.order(next(walk.query for walk in space.walks), 0)
    known = space.store.keys(pager.vendor, order)
    return [known[number] for number in order]


@able("repeat_token")
def test_repeat_token_answers_with_the_token_it_was_asked_with_for_ever(start: Start, pager: Pager) -> None:
    client = start(pager, "repeat_token")
    for _ in range(2):
        pages = list(walk(client, pager, 9))
        assert len({page.next for page in pages[1:]}) == 1
        assert {tuple(keys(pager, page)) for page in pages[2:]} == {tuple(truth(client, pager)[20:30])}


@able("fresh_token_same_rows")
def test_fresh_token_same_rows_never_gives_a_token_twice(start: Start, pager: Pager) -> None:
    client = start(pager, "fresh_token_same_rows")
    pages = list(walk(client, pager, 20))
    assert len({page.next for page in pages}) == 20
    assert {tuple(keys(pager, page)) for page in pages[2:]} == {tuple(truth(client, pager)[20:30])}


@able("always_next")
@pytest.mark.parametrize("size", [10, 15])
def test_always_next_leads_to_the_last_page_for_ever(start: Start, pager: Pager, size: int) -> None:
    client = start(pager, "always_next")
    pages = list(walk(client, pager, 20, size))
    assert len({page.next for page in pages}) == 20
    last = -(-45 // size)
    assert flat(pager, pages[:last]) == truth(client, pager)
    assert {tuple(keys(pager, page)) for page in pages[last:]} == {tuple(keys(pager, pages[last - 1]))}


@pytest.mark.parametrize(("entry", "at"), [("empty_page_with_token", 3), ("empty_first_page", 1)])
@able("empty_page_with_token")
def test_a_page_is_empty_once_per_walk(start: Start, pager: Pager, entry: str, at: int) -> None:
    if why_not(all_vendors()[pager.vendor], entry):
        pytest.skip("its first page cannot carry a token that leads to it")
    client = start(pager, entry)
    for _ in range(2):
        pages = list(walk(client, pager))
        assert [len(page.rows) for page in pages] == [*[10] * (at - 1), 0, *[10] * (5 - at), 5]
        assert flat(pager, pages) == truth(client, pager)
        led_here = pages[at - 2].next if at > 1 else None
        # An offset has only one way to say where it leads.
        assert (pages[at - 1].next == led_here) == (pager.vendor == "alibaba-pai")


@able("empty_first_page")
def test_a_client_that_stopped_at_an_empty_first_page_begins_a_new_walk(start: Start, pager: Pager) -> None:
    assert [len(pager.page(client, 10).rows) for client in [start(pager, "empty_first_page")] * 3] == [0, 0, 0]


@able("short_page")
@pytest.mark.parametrize("size", [10, 7])
def test_short_page_holds_half_and_goes_on_after_it(start: Start, pager: Pager, size: int) -> None:
    client = start(pager, "short_page")
    pages = list(walk(client, pager, size=size))
    assert [len(page.rows) for page in pages[:4]] == [size, size, size // 2, size]
    assert flat(pager, pages) == truth(client, pager)


@able("exact_boundary_token")
def test_exact_boundary_token_leads_to_an_empty_last_page(start: Start, pager: Pager) -> None:
    assert sizes(start(pager, "exact_boundary_token"), pager, 15) == [15, 15, 15, 0]
    assert sizes(start(pager, "exact_boundary_token"), pager, 10) == [10, 10, 10, 10, 5]


@able("empty_string_token")
def test_empty_string_token_stands_on_the_last_page_only(start: Start, pager: Pager) -> None:
    client = start(pager, "empty_string_token")
    pages = list(walk(client, pager))
    assert [page.body.get("next_page_token") == "" for page in pages] == [False] * 4 + [True]
    answer = pager.ask(client, 10, pages[3].next, {})
    assert "opc-next-page" not in answer.headers


@able("token_expired")
def test_token_expired_refuses_the_token_of_page_2_once(start: Start, pager: Pager) -> None:
    client = start(pager, "token_expired")
    second = pager.page(client, 10).next
    third = pager.page(client, 10, second).next
    assert [status(client, pager, third) for _ in range(3)] == [400, 200, 200]
    assert sizes(client, pager) == [10, 10, 10, 10, 5]
    (entry,) = [item for item in client.application.emulator.space("default").journal if item.refusal]
    table = all_vendors()[pager.vendor].errors
    assert entry.refusal.code == (table.page_token or table.kinds["bad_request"])


@able("token_expired")
def test_a_walk_that_starts_again_after_an_expired_token_goes_through(start: Start, pager: Pager) -> None:
    client = start(pager, "token_expired")
    second = pager.page(client, 10).next
    assert status(client, pager, pager.page(client, 10, second).next) == 400
    assert sizes(client, pager) == [10, 10, 10, 10, 5]
    walks = client.get("/__admin/walks").json["walks"]
    assert [(item["complete"], item["ambiguous"]) for item in walks] == [(False, False), (True, False)]


@able("token_bound_to_filter")
def test_a_bound_token_is_refused_with_another_filter_or_size(start: Start, pager: Pager) -> None:
    client = start(pager, "token_bound_to_filter")
    first = pager.page(client, 10)
    narrow = pager.narrow(first.rows[0])
    assert status(client, pager, first.next, size=9) == 400
    assert status(client, pager, first.next, **narrow) == 400
    assert [status(client, pager, first.next) for _ in range(2)] == [200, 200]
    assert sizes(client, pager) == [10, 10, 10, 10, 5]


@able("token_truncated")
def test_long_tokens_are_refused_when_anything_of_them_is_changed(start: Start, pager: Pager) -> None:
    client = start(pager, "token_truncated")
    token = pager.page(client, 10).next
    assert (len(token), token[-2:]) == (1500, "==")
    assert token.startswith("v1.") == (pager.vendor == "palantir-foundry")
    core = token.rindex(".")
    cuts = [token[:at] for at in (1, 255, 1024, 1498, 1499, core, core + 1, core + 3)]
    changed = [
        f"{token[:at]}{'b' if token[at] != 'b' else 'c'}{token[at + 1 :]}" for at in (5, core - 1, core + 9, 1497)
    ]
    for text in [*cuts, *changed, token + "=", token + "a", token.replace(".", "-")]:
        assert status(client, pager, text) == 400, text
    assert status(client, pager, token) == 200
    assert sizes(client, pager) == [10, 10, 10, 10, 5]


@able("page_size_clamp")
def test_ten_rows_are_served_whatever_is_asked(start: Start, pager: Pager) -> None:
    client = start(pager, "page_size_clamp")
    for size in (4, 10, 30):
        tokens = [None, *(page.next for page in list(walk(client, pager, 4, size)))]
        pages = [pager.page(client, size, n if pager.style == "page" else tokens[n - 1]) for n in range(1, 6)]
        assert [len(page.rows) for page in pages] == [10, 10, 10, 10, 5]


@able("page_size_drift")
def test_sizes_drift_and_are_never_above_the_asked(start: Start, pager: Pager) -> None:
    client = start(pager, "page_size_drift")
    for size, expected in ((10, [10, 7, 3, 10, 7, 3, 5]), (50, [10, 7, 3, 10, 7, 3, 5]), (5, [5, 5, 3] * 3 + [5, 1])):
        assert sizes(client, pager, size) == expected
        pages = list(walk(client, pager, size=size))
        assert flat(pager, pages) == truth(client, pager)


@able("dup_across_pages")
def test_page_3_begins_with_the_last_row_of_page_2(start: Start, pager: Pager) -> None:
    client = start(pager, "dup_across_pages")
    tokens: list[Any] = [None]
    pages = []
    for number in range(1, 6):
        pages.append(pager.page(client, 10, number if pager.style == "page" else tokens[-1]))
        tokens.append(pages[-1].next)
    listed = flat(pager, pages)
    known = truth(client, pager)
    assert listed == known[:20] + known[19:]
    assert {page.body.get("TotalCount", page.body.get("totalCount")) for page in pages} <= {45, None}


@able("reorder_ties")
def test_rows_with_equal_sort_keys_swap_between_page_2_and_3(start: Start, pager: Pager) -> None:
    client = start(pager, "reorder_ties", rows=[{"generate": 45, "set": TIME[pager.vendor]}])
    listed = flat(pager, walk(client, pager))
    known = truth(client, pager)
    assert listed == [*known[:20], known[19], *known[21:]]


@able("reorder_ties")
def test_rows_with_different_sort_keys_stay_in_their_order(start: Start, pager: Pager) -> None:
    client = start(pager, "reorder_ties")
    assert flat(pager, walk(client, pager)) == truth(client, pager)


@able("total_stale")
@pytest.mark.parametrize("entry", ["total_stale", "total_absent"])
def test_totals_are_too_high_on_page_1_or_nowhere(start: Start, pager: Pager, entry: str) -> None:
    if why_not(all_vendors()[pager.vendor], entry):
        pytest.skip("its contract requires a total")
    client = start(pager, entry)
    tokens = [1, 2, 3] if pager.style == "page" else [None, 10, 20]
    bodies = [pager.ask(client, 10, token, {}).json for token in tokens]
    totals = [body.get("TotalCount", body.get("totalCount")) for body in bodies]
    assert totals == ([55, 45, 45] if entry == "total_stale" else [None] * 3)


def leads(client: Client, pager: Pager) -> tuple[Any, Any]:
    """What leads to pages 2 and 3."""
    if pager.style == "page":
        return 2, 3
    second = pager.page(client, 10).next
    return second, pager.page(client, 10, second).next


@able("error_mid_walk")
def test_page_3_fails_once_per_walk(start: Start, pager: Pager) -> None:
    client = start(pager, "error_mid_walk")
    for _ in range(2):
        if pager.style == "page":
            assert [status(client, pager, number) for number in (1, 2)] == [200, 200]
        third = leads(client, pager)[1]
        assert [status(client, pager, third), status(client, pager, third)] == [500, 200]


@able("auth_expiry_mid_walk")
def test_a_credential_is_refused_three_times_at_most(start: Start, pager: Pager) -> None:
    client = start(pager, "auth_expiry_mid_walk")
    if pager.style == "page":
        assert [status(client, pager, number) for number in (1, 2)] == [200, 200]
    third = leads(client, pager)[1]
    assert [status(client, pager, third) for _ in range(5)] == [401, 401, 401, 200, 200]


@able("short_page")
def test_a_fault_acts_at_the_page_and_as_often_as_the_scenario_says(start: Start, pager: Pager) -> None:
    client = start(pager, "short_page", times=1, page=2)
    assert sizes(client, pager) == [10, 5, 10, 10, 10]
    assert sizes(client, pager) == [10, 10, 10, 10, 5]
    (told,) = client.get("/__admin/faults").json["faults"]
    assert (told["fired"], told["used_up"]) == (1, True)


@pytest.mark.parametrize("entry", [name for name, fault in CATALOGUE.items() if "number" not in fault.paging])
def test_entries_that_need_tokens_leave_page_numbers_alone(start: Start, entry: str) -> None:
    if why_not(all_vendors()["alibaba-pai"], entry):
        pytest.skip("not for this vendor")
    pager = next(p for p in PAGERS if (p.vendor, p.style) == ("alibaba-pai", "page"))
    assert sizes(start(pager, entry), pager) == [10, 10, 10, 10, 5]
