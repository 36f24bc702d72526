"""A walk over rows that never changed is judged by their numbers, another by their keys: the verdicts are the same."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from localruns.reports.walks import _judge_one_version, _judge_versions

NUMBERS = st.lists(st.integers(1, 12), max_size=30)


def keys_of(numbers: Iterable[int]) -> dict[int, str]:
    return {number: f"run-{number:02}" for number in numbers}


@given(st.lists(st.integers(1, 10), unique=True, max_size=10), NUMBERS)
def test_numbers_and_keys_give_the_same_verdict(order: list[int], delivered: list[int]) -> None:
    by_number, by_key = (judge(delivered, [order], keys_of) for judge in (_judge_one_version, _judge_versions))
    assert [list(part) for part in by_number] == [list(part) for part in by_key]


def test_missed_and_doubled_rows_are_named_in_the_order_of_the_rows() -> None:
    found = _judge_one_version([5, 1, 5, 4, 1, 5], [[9, 5, 1, 7, 4]], keys_of)
    assert found == ([9, 5, 1, 7, 4], ["run-09", "run-07"], ["run-05", "run-01"], [])
