"""Chaos profiles: drawn from the seed alone, written out as faults like any others, kept by freezing."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localruns import schemas, yamlio
from localruns.engine.faults.chaos import CALLS, PROFILES, WINDOW, expand, summary
from localruns.engine.faults.pages import CATALOGUE, why_not
from localruns.engine.faults.rules import breaches
from localruns.engine.rows.freezing import frozen
from localruns.engine.scenario import Scenario, interpret
from localruns.engine.source import Source
from localruns.errors import ConfigError
from localruns.vendors import IDS, all_vendors
from tests.docs_tables import DOCS

FAULT = schemas.validator("scenario.schema.json#/properties/faults/items")
EACH_PROFILE = pytest.mark.parametrize("profile", PROFILES)
seeds = st.integers(0, 2**63 - 1)


def text(faults: Any, *vendors: str, seed: int = 1) -> str:
    held = {vendor: {"runs": [{"generate": 3}]} for vendor in vendors or IDS}
    return yamlio.dump({"scenario": "by-chance", "seed": seed, "vendors": held, "faults": faults})


def read(written: str, seed: int | None = None) -> Scenario:
    return interpret(Source(written, "test.yaml"), all_vendors(), seed)


def drawn(profile: str, seed: int, *vendors: str, **order: Any) -> list[dict[str, Any]]:
    held = [vendor for name, vendor in all_vendors().items() if name in (vendors or IDS)]
    return expand({"profile": profile, "seed": seed, **order}, held, 0)


def test_schema_and_documentation_know_the_profiles() -> None:
    order = schemas.raw("scenario.schema.json")["$defs"]["chaos"]["properties"]
    assert order["profile"]["enum"] == list(PROFILES)
    assert order["calls"]["default"] == CALLS
    page = (DOCS / "faults.md").read_text("utf-8")
    assert [name for name in re.findall(r"(?m)^\| `([a-z-]+)` \|", page) if name in PROFILES] == list(PROFILES)
    assert f"window of {WINDOW} calls" in page


@EACH_PROFILE
@given(seed=seeds)
def test_every_fault_that_is_drawn_is_one_that_a_scenario_may_hold(profile: str, seed: int) -> None:
    for fault in drawn(profile, seed, calls=40):
        assert FAULT.is_valid(fault), fault
        assert not list(breaches(fault, all_vendors(), IDS)), fault


@EACH_PROFILE
def test_all_kinds_of_a_profile_come_and_about_as_often_as_it_says(profile: str) -> None:
    calls = 2000
    faults = [fault for fault in drawn(profile, 5, "oracle-aidp", calls=calls) if "page_fault" not in fault]
    assert len(faults) == pytest.approx(PROFILES[profile].chance * calls, rel=0.1)
    kinds = Counter(fault.get("refuse") or next(iter(fault["wire"])) for fault in faults)
    made = PROFILES[profile].kinds
    assert len(kinds) >= len({str(make) for _, make in made}) - 4  # several latencies and resets are one name
    assert not [fault for fault in faults if "stall_after_bytes" in fault.get("wire", {})]


@EACH_PROFILE
@given(seed=seeds, calls=st.integers(1, 60))
def test_a_call_is_struck_alike_however_long_the_schedule_and_whatever_else_is_struck(
    profile: str, seed: int, calls: int
) -> None:
    def by_call(faults: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [fault for fault in faults if "call" in fault["when"]]

    longer = by_call(drawn(profile, seed, "naver-nsml", calls=80))
    assert by_call(drawn(profile, seed, "naver-nsml", calls=calls)) == [
        fault for fault in longer if fault["when"]["call"] <= calls
    ]
    everywhere = by_call(drawn(profile, seed, calls=80))
    assert [fault for fault in everywhere if fault["when"]["vendor"] == "naver-nsml"] == longer


def test_seed_profile_and_vendor_each_matter() -> None:
    def calls(profile: str, seed: int, vendor: str) -> list[int]:
        return [fault["when"].get("call", 0) for fault in drawn(profile, seed, vendor)]

    found = [calls("torture", 1, "naver-nsml"), calls("torture", 2, "naver-nsml"), calls("torture", 1, "oracle-aidp")]
    found.append(calls("flaky-network", 1, "naver-nsml"))
    assert len({tuple(each) for each in found}) == len(found)


@pytest.mark.parametrize("vendor", IDS)
def test_page_faults_take_turns_among_those_that_the_vendor_can_express(vendor: str) -> None:
    faults = [fault for fault in drawn("torture", 3, vendor, calls=2000) if "page_fault" in fault]
    windows = [fault["when"]["calls"] for fault in faults]
    assert all(last - first == WINDOW - 1 for first, last in windows)
    assert len({first for first, _ in windows}) == len(windows)
    expressible = {name for name in CATALOGUE if not why_not(all_vendors()[vendor], name)}
    assert {fault["page_fault"] for fault in faults} == expressible


def test_at_run_time_calls_are_counted_from_now_on() -> None:
    vendor = [all_vendors()["naver-nsml"]]
    early = expand({"profile": "torture"}, vendor, 4)
    late = expand({"profile": "torture"}, vendor, 4, {"naver-nsml": 1000})
    for one, other in zip(early, late, strict=True):
        when = other["when"]
        if "call" in when:
            when["call"] -= 1000
        else:
            when["calls"] = [call - 1000 for call in when["calls"]]
        assert one == other


def test_a_scenario_is_drawn_from_its_own_seed_unless_the_profile_has_one() -> None:
    free, bound = text({"profile": "overloaded"}, seed=9), text({"profile": "overloaded", "seed": 9}, seed=4)
    assert read(free).faults == read(bound).faults == read(bound, seed=5).faults
    assert read(free).faults != read(free, seed=5).faults
    assert read(free, seed=5).chaos == {"profile": "overloaded", "seed": 5, "calls": 200}


def test_only_the_vendors_that_are_named_are_struck() -> None:
    scenario = read(text({"profile": "torture", "vendors": ["naver-nsml"]}))
    assert {fault["when"]["vendor"] for fault in scenario.faults} == {"naver-nsml"}
    assert {fault["when"]["vendor"] for fault in read(text({"profile": "torture"})).faults} == set(IDS)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"profile": "flaky-netwrok"}, "faults.profile: found 'flaky-netwrok', did you mean 'flaky-network'?"),
        ({"profile": "torture", "sead": 1}, "faults.sead: found unknown key 'sead', did you mean 'seed'?"),
        ({"seed": 1}, "faults: found no 'profile'"),
        (
            {"profile": "torture", "vendors": ["naver-nsml"]},
            "faults.vendors[0]: found 'naver-nsml', which this",
        ),
        ({"profile": "torture", "calls": 0}, "faults.calls: found 0, expected 1 or more"),
        ("torture", "faults: found 'torture', expected a list or a mapping"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_with_its_line(faults: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text(faults, "alibaba-pai"))
    assert len(caught.value.problems) == 1
    assert words in caught.value.problems[0]
    assert caught.value.problems[0].startswith("test.yaml:")


@EACH_PROFILE
def test_freezing_writes_every_fault_out(profile: str) -> None:
    source = Source(text({"profile": profile, "calls": 50}), "test.yaml")
    scenario = interpret(source, all_vendors())
    written = "".join(piece for piece, _ in frozen(source, scenario, all_vendors()))
    again = read(written)
    assert again.faults == scenario.faults
    assert isinstance(Source(written, "test.yaml").content["faults"], list)
    assert not again.chaos


def test_the_summary_counts_what_is_armed() -> None:
    scenario = read(text({"profile": "flaky-auth", "calls": 30}, "naver-nsml", "oracle-aidp", seed=2))
    counts = Counter(fault["when"]["vendor"] for fault in scenario.faults)
    for vendor, count in counts.items():
        assert f"{count} faults for {vendor}" in summary(scenario)
    assert summary(scenario).startswith("chaos flaky-auth, seed 2: ")
    assert summary(read(text([]))) == ""
