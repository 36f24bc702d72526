"""Two ways of paging, and what happens when a client mixes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

TIES = [{"RunId": f"run-tie-{name}", "Name": "same", "GmtCreateTime": "2026-01-14T12:00:00.000Z"} for name in "cadb"]
COUNT = 37 + len(TIES)


@pytest.fixture
def api(make: Any) -> Any:
    return make(runs=[{"generate": 37}, *TIES])


def by_token(api: Any, size: int, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Pages until the token is 0."""
    token = 0
    while True:
        page = api.page(MaxResults=size, PageToken=token, **query)
        assert page["TotalCount"] == COUNT
        yield page["Runs"]
        token = page["NextPageToken"]
        if token == 0:
            return


def by_number(api: Any, size: int, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Pages until one is not full."""
    number = 1
    while True:
        page = api.page(PageSize=size, PageNumber=number, **query)
        assert (page["TotalCount"], page["NextPageToken"]) == (COUNT, 0)
        yield page["Runs"]
        if len(page["Runs"]) < size:
            return
        number += 1


ORDERS = {
    "": lambda run: (-millis(run), run["RunId"]),
    "GmtCreateTime": lambda run: (millis(run), run["RunId"]),
    "Name ASC,GmtCreateTime DESC": lambda run: (run["Name"], -millis(run), run["RunId"]),
}


def millis(run: dict[str, Any]) -> int:
    return int("".join(char for char in run["GmtCreateTime"] if char.isdigit()))


@pytest.mark.parametrize("walk", [by_token, by_number])
@pytest.mark.parametrize("size", [1, 7, 41, 1000])
@pytest.mark.parametrize("order", ORDERS)
def test_a_walk_gives_each_row_once_in_the_documented_order(api: Any, walk: Any, size: int, order: str) -> None:
    runs = [run for page in walk(api, size, OrderBy=order) for run in page]
    assert len({run["RunId"] for run in runs}) == len(runs) == COUNT
    assert runs == sorted(runs, key=ORDERS[order])


def test_both_ways_give_the_same_pages(api: Any) -> None:
    numbered = [page for page in by_number(api, 10) if page]
    assert [*by_token(api, 10)] == numbered


@pytest.mark.parametrize(
    ("query", "first", "count", "token"),
    [
        ({}, 0, 10, 10),
        ({"PageToken": 0}, 0, 10, 10),
        ({"PageToken": ""}, 0, 10, 10),
        ({"PageToken": 5}, 5, 10, 15),
        ({"MaxResults": 3}, 0, 3, 3),
        ({"PageToken": 40}, 40, 1, 0),
        ({"PageToken": 38, "MaxResults": 3}, 38, 3, 0),
        ({"PageToken": 41}, 41, 0, 0),
        ({"PageToken": 2**63 - 1, "MaxResults": 2**63 - 1}, 41, 0, 0),
        ({"PageNumber": 1}, 0, 10, 0),
        ({"PageNumber": 2}, 10, 10, 0),
        ({"PageSize": 4}, 0, 4, 0),
        ({"PageNumber": 3, "PageSize": 4}, 8, 4, 0),
        ({"PageNumber": 5}, 40, 1, 0),
        ({"PageNumber": 6}, 41, 0, 0),
        ({"PageNumber": 2**63 - 1, "PageSize": 2**63 - 1}, 41, 0, 0),
        # mixed: PageNumber wins; PageSize alone pages by number, beside a token it is the size
        ({"PageSize": 4, "PageToken": 0}, 0, 4, 4),
        ({"PageSize": 4, "PageToken": 4}, 4, 4, 8),
        ({"PageSize": 4, "MaxResults": 3}, 0, 3, 3),
        ({"PageSize": 4, "MaxResults": 3, "PageToken": 3}, 3, 3, 6),
        ({"PageNumber": 2, "PageSize": 4, "PageToken": 0}, 4, 4, 0),
        ({"PageNumber": 2, "PageSize": 4, "PageToken": 20}, 4, 4, 0),
        ({"PageNumber": 2, "PageSize": 4, "MaxResults": 3}, 4, 4, 0),
        ({"PageNumber": 2, "MaxResults": 3}, 10, 10, 0),
    ],
)
def test_where_a_page_begins_and_what_token_it_carries(
    api: Any, query: dict[str, Any], first: int, count: int, token: int
) -> None:
    every = api.ids(MaxResults=1000)
    page = api.page(**query)
    assert [run["RunId"] for run in page["Runs"]] == every[first : first + count]
    assert (len(page["Runs"]), page["NextPageToken"], page["TotalCount"]) == (count, token, COUNT)


def test_mixed_paging_may_be_refused(make: Any) -> None:
    api = make(runs=TIES, settings={"mixed_paging": "reject"})
    assert api.refused(PageNumber=1, PageToken=1)[1:] == (
        "InvalidParameter",
        "The specified parameter PageToken is not valid.",
    )
    assert len(api.ids(PageNumber=1, PageToken=0)) == len(TIES)


def test_sizes_are_settings_and_a_larger_one_is_cut_without_a_word(make: Any) -> None:
    api = make(runs=[{"generate": 30}], settings={"default_page_size": 4, "max_page_size": 6})
    assert len(api.ids()) == 4
    assert len(api.ids(MaxResults=100)) == 6
    assert api.ids(PageNumber=2, PageSize=100) == api.ids(PageToken=6, MaxResults=6)
    assert len(make(runs=[{"generate": 1001}]).ids(MaxResults=5000)) == 1000


def test_a_default_above_the_maximum_is_cut_too(make: Any) -> None:
    assert len(make(runs=[{"generate": 30}], settings={"max_page_size": 3}).ids()) == 3


def test_nothing_to_list(make: Any) -> None:
    page = make(runs=[]).page()
    assert (page["Runs"], page["NextPageToken"], page["TotalCount"]) == ([], 0, 0)


@pytest.mark.parametrize(
    ("setting", "by_token_has", "by_number_has"),
    [("always", True, True), ("page_mode", False, True), ("never", False, False)],
)
def test_total_count_is_a_setting(make: Any, setting: str, by_token_has: bool, by_number_has: bool) -> None:
    api = make(runs=TIES, settings={"total_count": setting})
    assert ("TotalCount" in api.page(MaxResults=2)) == by_token_has
    assert ("TotalCount" in api.page(PageNumber=1)) == by_number_has


def test_total_count_counts_what_matches(api: Any) -> None:
    assert api.page(Name="same", MaxResults=1)["TotalCount"] == len(TIES)
