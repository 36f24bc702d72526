"""Draws depend on their parts only, and keep their promises about range and shape."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localruns.engine.draw import BASE62, LOWER, Draw, code_text, digest, uuid_text

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_the_bytes_never_change() -> None:
    """Pinned: scenario files in other people's repositories hang on these."""
    draw = Draw(7, "alibaba-pai", "base", 0)
    assert [draw.below(1000) for _ in range(3)] == [439, 101, 917]
    assert (draw.hex(12), draw.text(BASE62, 8), draw.uuid()) == (
        "eab28279ba1f",
        "sEsMmdIs",
        "e430dc63-faef-417a-9109-d30ee3c7dcfc",
    )


def test_the_same_parts_give_the_same_stream() -> None:
    one, two = Draw(1, "v", "b", 2), Draw(1, "v", "b", 2)
    assert [one.below(10**6) for _ in range(100)] == [two.below(10**6) for _ in range(100)]


@pytest.mark.parametrize(
    "other", [(2, "v", "b", 2), (1, "w", "b", 2), (1, "v", "c", 2), (1, "v", "b", 3), (1, "vb", 2)]
)
def test_any_other_part_gives_another_stream(other: tuple[str | int, ...]) -> None:
    assert Draw(1, "v", "b", 2).hex(64) != Draw(*other).hex(64)


def test_parts_are_kept_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("a", 1) != digest("a1")


@given(st.integers(1, 2**64), st.integers(0, 10**6))
def test_below_stays_below(limit: int, index: int) -> None:
    draw = Draw("x", index)
    assert all(0 <= draw.below(limit) < limit for _ in range(20))


def test_a_wide_limit_reaches_all_of_its_range() -> None:
    draw = Draw("wide")
    drawn = [draw.below(2**60) for _ in range(200)]
    assert len({number & 0xFFFF for number in drawn}) > 190
    assert max(drawn) > 2**59 > min(drawn)


def test_unit_is_at_least_zero_and_below_one() -> None:
    draw = Draw("unit")
    drawn = [draw.unit() for _ in range(2000)]
    assert 0 <= min(drawn) < 0.01
    assert 0.99 < max(drawn) < 1


def test_choices_are_even() -> None:
    draw = Draw("even")
    counts = Counter(draw.choice("abcd") for _ in range(8000))
    assert all(1800 < count < 2200 for count in counts.values())


@pytest.mark.parametrize("alphabet", [BASE62, LOWER, "0123456789"])
@pytest.mark.parametrize("length", [0, 1, 3, 16, 17, 1000])
def test_a_text_has_its_length_and_all_of_its_alphabet(alphabet: str, length: int) -> None:
    text = Draw("t", length).text(alphabet, length)
    assert len(text) == length
    assert set(text) <= set(alphabet)
    assert set(Draw("all").text(alphabet, 5000)) == set(alphabet)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 12, 32, 1000])
def test_hex_has_its_length(length: int) -> None:
    assert re.fullmatch(rf"[0-9a-f]{{{length}}}", Draw("h").hex(length))


def test_uuids_have_the_form_of_version_4_and_differ() -> None:
    draw = Draw("u")
    drawn = {draw.uuid() for _ in range(500)} | {uuid_text("u", i) for i in range(500)}
    assert len(drawn) == 1000
    assert all(UUID4.fullmatch(text) for text in drawn)


def test_ids_do_not_collide() -> None:
    assert len({code_text(BASE62, 16, 1, i) for i in range(50_000)}) == 50_000


def test_no_hash_seed_changes_a_draw() -> None:
    code = (
        "from localruns.engine.draw import *; d = Draw(1, 'v', 'b', 2); print(d.hex(40), d.unit(), uuid_text('a', 1))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(said) == 1
