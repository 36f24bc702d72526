"""Row templates: gaps, directives, pools; and a clear refusal of what cannot be drawn."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from localruns.engine.draw import Draw
from localruns.engine.rows.drawing import Drawing
from localruns.engine.rows.pools import pools_of
from localruns.engine.rows.template import Template, merged
from localruns.errors import ConfigError
from localruns.yamlio import key_path

POOLS = {"colours": ["red", "green"], "sizes": [1, 2.5]}


def template(**content: Any) -> Template:
    return Template(content, POOLS, lambda path, words: f"t.yaml: {key_path(path)}: {words}", {"zone": "Asia/Seoul"})


def draw(count: int = 1, **content: Any) -> list[dict[str, Any]]:
    return template(**content).rows([drawing(index) for index in range(count)])


def drawing(index: int) -> Drawing:
    return Drawing(index, Draw(1, "v", "b", index).base)


def values(content: Any, count: int = 300) -> list[Any]:
    return [row.get("x", "absent") for row in draw(count, x=content)]


def test_text_without_gaps_is_itself() -> None:
    text = '100% {"a": 1} {} {a b} %s'
    assert values(text, 1) == [text]


def test_gaps_stand_where_they_are_written() -> None:
    assert values("50% run-{n:04}-{n}%", 2) == ["50% run-0001-1%", "50% run-0002-2%"]
    (text,) = values("{hex:3}/{base62:4}/{lower:5}/{digits:6}/{pool:colours}/{uuid}/{UUID}", 1)
    lengths = [len(part) for part in text.split("/")]
    assert lengths[:4] == [3, 4, 5, 6]
    assert lengths[5:] == [36, 36]
    assert text[-36:] == text[-36:].upper()


def test_a_gap_can_be_a_field_drawn_before() -> None:
    assert draw(a="{n}", b={"c": "{field:a}!", "d": "{field:b.c}?"}) == [{"a": "1", "b": {"c": "1!", "d": "1!?"}}]


def test_choices_follow_their_weights() -> None:
    found = values({"$choice": {"often": 9, "rarely": 1, "never": 0}}, 1000)
    assert set(found) == {"often", "rarely"}
    assert 850 < found.count("often") < 950


def test_a_choice_may_hold_templates_and_numbers() -> None:
    assert set(values({"$choice": ["n{n}", 5, None]}, 100)) >= {5, None, "n1"}


def test_integers_reach_both_ends() -> None:
    assert set(values({"$int": [-1, 2]})) == {-1, 0, 1, 2}
    assert set(values({"$int": [7, 7]})) == {7}
    assert len(set(values({"$int": [-(2**63), 2**63 - 1]}))) == 300


def test_numbers_lie_within_their_ends() -> None:
    found = values({"$number": [0.5, 1.5], "digits": 2})
    assert min(found) >= 0.5
    assert max(found) <= 1.5
    assert all(round(number, 2) == number for number in found)


def test_a_counter_counts_from_its_start() -> None:
    assert values({"$counter": 5}, 3) == [5, 6, 7]


def test_pools_give_their_values_as_they_are() -> None:
    assert set(values({"$pool": "sizes"})) == {1, 2.5}


def test_times_step_and_jitter() -> None:
    found = values({"$time": "epoch_ms", "from": "2026-01-01T00:00:00Z", "step_s": -10, "jitter_s": 5}, 100)
    start = 1767225600000
    assert all(0 <= found[i] - (start - 10_000 * i) <= 5_000 for i in range(100))
    half = {"$time": "iso_ms", "from": "2026-01-01T00:00:00Z", "step_s": 0.5}
    assert values(half, 2)[1] == "2026-01-01T00:00:00.500Z"


def test_a_later_time_is_later_by_what_is_asked() -> None:
    row = draw(
        a={"$time": "epoch_ms", "from": "2026-01-01T00:00:00Z"},
        b={"c": {"$time": "epoch_ms", "after": "a", "plus_s": [60, 61]}},
        d={"$time": "epoch_ms", "after": "b.c", "plus_s": [0, 0]},
    )[0]
    assert 60_000 <= row["b"]["c"] - row["a"] <= 61_000
    assert row["d"] == row["b"]["c"]


def test_a_time_may_follow_one_that_is_written() -> None:
    for written, zone, expected in (
        ("2026-01-01T00:00:00.000Z", "UTC", 1767225660000),
        ("2026-01-01 09:00:00", "Asia/Seoul", 1767225660000),
        ("2026-01-01 09:00:00", "$zone", 1767225660000),
        (1767225600000, "UTC", 1767225660000),
    ):
        after = {"$time": "epoch_ms", "after": "a", "plus_s": [60, 60], "zone": zone}
        assert draw(a=written, b=after)[0]["b"] == expected


def test_a_pattern_is_written_in_its_zone() -> None:
    time = {"$time": "%Y-%m-%d %H:%M", "from": "2026-01-01T00:00:00Z", "zone": "$zone"}
    assert values(time, 1) == ["2026-01-01 09:00"]


def test_some_keeps_the_first_few_and_at_least_as_many_as_asked() -> None:
    assert {tuple(value) for value in values({"$some": [1, 2, 3], "least": 1})} == {(1,), (1, 2), (1, 2, 3)}


def test_maybe_leaves_nothing_behind() -> None:
    assert set(values({"$maybe": 1, "chance": 0})) == {"absent"}
    assert set(values({"$maybe": 1, "chance": 1})) == {1}
    assert 100 < values({"$maybe": 1}).count(1) < 200
    assert draw(a={"b": {"c": {"$maybe": 1, "chance": 0}, "d": 2}}) == [{"a": {"b": {"d": 2}}}]
    assert draw(a=[{"$maybe": 1, "chance": 0}, 2]) == [{"a": [2]}]


def test_rows_share_no_mapping() -> None:
    made = template(a={"b": {"c": 1, "d": "{n}"}}, e=[{"f": 1}])
    one, two = made.rows([drawing(0), drawing(0)])
    assert one == two
    one["a"]["b"]["c"] = one["e"][0]["f"] = 2
    assert [two] == made.rows([drawing(0)])


def test_a_row_is_the_same_whichever_rows_are_drawn_with_it() -> None:
    made = template(
        a={"$choice": ["{hex:40}", {"$maybe": {"b": "{uuid}"}}, 5]},
        c={"$some": [{"$number": [0, 1]}, "{base62:3}", {"$maybe": "{UUID}"}], "least": 1},
        d={"e": {"$time": "epoch_ms", "from": "2026-01-01T00:00:00Z", "jitter_s": 9}, "f": {"$int": [0, 2**40]}},
        g={"$maybe": {"$time": "iso_ms", "after": "d.e", "plus_s": [0, 9]}},
    )
    alone = [row for index in range(60) for row in made.rows([drawing(index)])]
    assert made.rows([drawing(index) for index in range(60)]) == alone
    assert made.rows([drawing(index) for index in reversed(range(60))]) == alone[::-1]


@pytest.mark.parametrize(
    ("content", "where", "words"),
    [
        ({"$int": [5, 1]}, "x", "$int of [5, 1], expected the lower end first"),
        ({"$int": [1]}, "x", "$int of [1], expected [low, high]"),
        ({"$int": 5}, "x", "expected [low, high]"),
        ({"$int": [1.5, 2]}, "x", "expected two integers of 64 bits"),
        ({"$int": [0, 2**64]}, "x", "expected two integers of 64 bits"),
        ({"$number": ["a", 1]}, "x", "expected [low, high]"),
        ({"$number": [2, 1]}, "x", "expected the lower end first"),
        ({"$number": [-1e308, 1e308]}, "x", "expected a smaller span"),
        ({"$number": [0, 1], "digts": 2}, "x.digts", "'digts', did you mean 'digits'?"),
        ({"$choice": []}, "x", "$choice of []"),
        ({"$choice": "abc"}, "x", "$choice of 'abc'"),
        ({"$choice": {"a": 0}}, "x", "weights that are whole numbers and add up to 1"),
        ({"$choice": {"a": -1, "b": 5}}, "x", "weights that are whole numbers"),
        ({"$choice": {"a": 10**9}}, "x", "add up to 1 to 100,000"),
        ({"$choice": {"a": 1.5}}, "x", "weights that are whole numbers"),
        ({"$choices": ["a"]}, "x.$choices", "'$choices', did you mean '$choice'?, expected one of $pool"),
        ({"$pool": "colors"}, "x", "the pool 'colors', expected one of colours, sizes"),
        ({"$pool": ["a"]}, "x", "the pool ['a']"),
        ({"$counter": "a"}, "x", "$counter of 'a', expected the integer to start from"),
        ({"$copy": 5}, "x", "$copy of 5, expected the name of a field"),
        ({"$time": "iso_ms"}, "x", "unusable values ('from')"),
        ({"$time": "iso_ms", "from": "yesterday"}, "x", "yesterday"),
        ({"$time": "iso_ms", "from": "2026-01-01"}, "x", "no time zone"),
        ({"$time": "iso", "from": "2026-01-01T00:00:00Z"}, "x", "$time of 'iso', expected iso_ms, epoch_ms or"),
        ({"$time": "iso_ms", "after": "y"}, "x", "plus_s of None, expected [low, high]"),
        ({"$time": "iso_ms", "after": "y", "plus_s": [5, 1]}, "x", "expected the lower end first"),
        ({"$time": "iso_ms", "from": "2026-01-01T00:00:00Z", "jitter_s": -1}, "x", "jitter_s of -1, expected 0"),
        ({"$time": "%Y", "from": "2026-01-01T00:00:00Z", "zone": "Mars/Base"}, "x", "Mars/Base"),
        ({"$time": "%Y", "from": "2026-01-01T00:00:00Z", "zone": ""}, "x", "unusable values"),
        ({"$time": "%Y", "from": "2026-01-01T00:00:00Z", "zone": "$gone"}, "x", "gone"),
        ({"$some": [1], "least": 2}, "x", "$some with least: 2"),
        ({"$some": {"a": 1}}, "x", "expected a list"),
        ({"$maybe": 1, "chance": 2}, "x", "a chance of 2.0, expected a number from 0 to 1"),
        ("{nope}", "x", "the gap {nope}, expected {n}"),
        ("{hex}", "x", "the gap {hex}"),
        ("{hex:999999999}", "x", "N from 1 to 10,000"),
        ("{hex:²}", "x", "the gap {hex:²}"),
        ("{n:zz}", "x", "the gap {n:zz}"),
        ("{n:99999999}", "x", "the gap {n:99999999}"),
        ("{uuid:5}", "x", "the gap {uuid:5}"),
        ("{pool:gone}", "x", "the pool 'gone', expected one of colours, sizes"),
        ([{"a": {"$int": []}}], "x[0].a", "expected [low, high]"),
        ({"$some": [1, {"a": "{b}"}]}, "x.$some[1].a", "the gap {b}"),
    ],
)
def test_an_unusable_template_is_refused_when_it_is_read(content: Any, where: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        template(x=content)
    (found,) = caught.value.problems
    assert found.startswith(f"t.yaml: {where}: found ")
    assert words in found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{field:gone}", "the field 'gone', expected one that stands before it in the row (row 1 of the block)"),
        ("{field:a.b}", "the field 'a.b'"),
        ({"$copy": "z"}, "the field 'z'"),
        ({"$time": "iso_ms", "after": "z", "plus_s": [1, 2]}, "the field 'z'"),
        ({"$time": "iso_ms", "after": "a", "plus_s": [1, 2]}, "'after: a', which is 'text', expected a time"),
        ({"$time": "iso_ms", "from": "9999-12-31T00:00:00Z", "step_s": 1e15}, "(row 2 of the block)"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_its_row(content: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        draw(3, a="text", x=content)
    (found,) = caught.value.problems
    assert found.startswith("t.yaml: x: found ")
    assert words in found


def test_fields_merge_deep_and_directives_are_replaced_whole() -> None:
    base = {"a": {"b": 1, "c": {"d": 2}}, "e": {"$int": [1, 2]}, "f": {"g": 1}}
    over = {"a": {"c": {"x": 3}}, "e": {"y": 1}, "f": {"$copy": "a"}, "n": 1}
    expected = {"a": {"b": 1, "c": {"d": 2, "x": 3}}, "e": {"y": 1}, "f": {"$copy": "a"}, "n": 1}
    assert merged(base, over) == expected
    assert base["a"] == {"b": 1, "c": {"d": 2}}


def test_faker_is_drawn_once_and_the_same_for_the_same_seed() -> None:
    def pool(seed: int, name: str = "people") -> Any:
        return pools_of({name: {"faker": "name", "count": 20}}, seed, "v", lambda path, words: words)[name]

    assert len(pool(1)) == 20
    assert pool(1) == pool(1) != pool(2)
    assert pool(1) != pool(1, "others")


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ("nane", "found 'nane', did you mean 'name'?, expected a Faker provider"),
        ("seed_instance", "expected a Faker provider"),
        ("__class__", "expected a Faker provider"),
        ("enum", "cannot draw without arguments"),
    ],
)
def test_an_unusable_provider_is_refused(provider: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        pools_of({"p": {"faker": provider}}, 1, "v", lambda path, said: f"{'.'.join(path)}: {said}")
    (found,) = caught.value.problems
    assert found.startswith("p.faker: ")
    assert words in found


def test_no_hash_seed_changes_a_row_of_any_shipped_template() -> None:
    code = """
import hashlib, sqlite3
from localruns.engine.rows.building import build
from localruns.vendors import IDS, all_vendors
for vendor in IDS:
    text = f"scenario: x\\nvendors: {{{vendor}: {{runs: [{{generate: 30}}]}}}}\\n"
    connection = sqlite3.connect(":memory:")
    build(text, "x", all_vendors(), None, connection)
    print(vendor, hashlib.sha256("".join(map(str, connection.iterdump())).encode()).hexdigest())
"""
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"))
    }
    assert len(said) == 1
    assert said.pop().count("\n") == 4
