"""A scenario that cannot be used is refused with file, line, key path, what was found and what was expected."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable

import pytest

from localruns.clock import from_epoch_ms
from localruns.engine.rows.building import build
from localruns.engine.scenario import Scenario, default_settings, interpret
from localruns.engine.source import Source
from localruns.errors import ConfigError
from localruns.vendors import IDS, all_vendors

Refused = Callable[[str], list[str]]

ROW = (
    "{RunId: run-t7, Name: n, WorkspaceId: 145883, ExperimentId: exp-1,"
    " GmtCreateTime: 2026-01-01T00:00:00.000Z, GmtModifiedTime: 2026-01-01T00:00:00.000Z}"
)
HEAD = f"scenario: x\nvendors:\n  alibaba-pai:\n    runs:\n      - {ROW}\n"
CASES: list[tuple[str, str, int, str, str]] = [
    # what is wrong, text, line, key path, words
    ("key", HEAD + "sed: 5\n", 6, "sed", "found unknown key 'sed', did you mean 'seed'?"),
    ("type", HEAD + "seed: five\n", 6, "seed", "found 'five', expected an integer"),
    ("no vendors", "about: hm\nscenario: x\n", 1, "(top level)", "found no 'vendors'"),
    ("no name", "vendors: {alibaba-pai: {}}\n", 1, "(top level)", "found no 'scenario'"),
    ("list", "- a\n", 1, "(top level)", "expected a mapping"),
    ("vendor", "scenario: x\nvendors:\n  alibabba-pai: {}\n", 3, "vendors.alibabba-pai", "did you mean 'alibaba-pai'?"),
    (
        "enum",
        "scenario: x\nvendors:\n  alibaba-pai:\n    auth: maybe\n",
        4,
        "vendors.alibaba-pai.auth",
        "found 'maybe'",
    ),
    (
        "clock",
        HEAD + "clock: yesterday\n",
        6,
        "clock",
        "found 'yesterday', expected a time such as 2026-01-15T09:00:00Z",
    ),
    ("clock zone", HEAD + "clock: 2026-01-15T09:00:00\n", 6, "clock", "expected a time such as"),
    ("clock range", HEAD + "clock: 0001-01-01T00:00:00+14:00\n", 6, "clock", "expected a time such as"),
    (
        "refusal",
        HEAD + "faults:\n  - {when: {vendor: alibaba-pai},\n     refuse: throtled}\n",
        8,
        "faults[0].refuse",
        "found 'throtled', did you mean 'throttled'?, expected one of: bad_request",
    ),
    (
        "a code of another vendor",
        HEAD + "faults:\n  - {when: {vendor: alibaba-pai}, refuse: NotAuthenticated}\n",
        7,
        "faults[0].refuse",
        "found 'NotAuthenticated'",
    ),
    (
        "a fault of a vendor without data",
        HEAD + "faults:\n  - {when: {vendor: oracle-aidp}, refuse: throttled}\n",
        7,
        "faults[0].when.vendor",
        "found 'oracle-aidp', which has no data here, expected one of: alibaba-pai",
    ),
    (
        "an unknown vendor in a fault",
        HEAD + "faults:\n  - {when: {vendor: alibaba}, refuse: throttled}\n",
        7,
        "faults[0].when.vendor",
        "found 'alibaba', did you mean 'alibaba-pai'?",
    ),
    (
        "an operation",
        HEAD + "faults:\n  - {when: {vendor: alibaba-pai, operation: ListRun}, refuse: throttled}\n",
        7,
        "faults[0].when.operation",
        "found 'ListRun', did you mean 'ListRuns'?",
    ),
    (
        "calls turned around",
        HEAD + "faults:\n  - {when: {vendor: alibaba-pai, calls: [5, 1]}, refuse: throttled}\n",
        7,
        "faults[0].when",
        "calls [5, 1], expected the first call's number before the last's",
    ),
    (
        "at behind after",
        HEAD + "timeline:\n  - {vendor: alibaba-pai, after: {page: 1}}\n  - {vendor: alibaba-pai,\n"
        "     at: 2026-01-16T00:00:00Z}\n",
        9,
        "timeline[1].at",
        "found a time behind an event that waits for a page, expected times first",
    ),
    (
        "a bad time",
        HEAD + "timeline:\n  - {vendor: alibaba-pai, at: soon}\n",
        7,
        "timeline[0].at",
        "found 'soon', expected a time such as",
    ),
    (
        "an event of a vendor without data",
        HEAD + "timeline:\n  - {vendor: oracle-aidp, after: {page: 1}}\n",
        7,
        "timeline[0].vendor",
        "which this scenario holds no data for",
    ),
    (
        "an event without a trigger",
        HEAD + "timeline:\n  - {vendor: alibaba-pai, delete: [run-t7]}\n",
        7,
        "timeline[0]",
        "found",
    ),
    (
        "an unknown key in an inserted block",
        HEAD + "timeline:\n  - vendor: alibaba-pai\n    after: {page: 1}\n    insert: [{generate: 1, sett: {}}]\n",
        9,
        "timeline[0].insert[0].sett",
        "found unknown key 'sett', did you mean 'set'?",
    ),
    (
        "an inserted block of no number",
        HEAD + "timeline:\n  - {vendor: alibaba-pai, after: {page: 1}, insert: [{generate: many}]}\n",
        7,
        "timeline[0].insert[0].generate",
        "found 'many', expected an integer",
    ),
    (
        "an expiry that is no time",
        "scenario: x\nvendors:\n  alibaba-pai:\n    credentials:\n      - id: a\n        expires: soon\n",
        6,
        "vendors.alibaba-pai.credentials[0].expires",
        "found 'soon', expected a time such as",
    ),
    (
        "a setting",
        "scenario: x\nvendors:\n  alibaba-pai:\n    settings:\n      max_page_size: 0\n",
        5,
        "vendors.alibaba-pai.settings.max_page_size",
        "found 0, expected 1 or more",
    ),
    (
        "a fingerprint of other rows",
        HEAD + "fingerprint: {rows: abc}\n",
        6,
        "fingerprint.rows",
        "expected abc (Faker unknown): use that release of Faker",
    ),
]


@pytest.mark.parametrize(("text", "line", "path", "words"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_a_mistake_is_told_with_its_place(refused: Refused, text: str, line: int, path: str, words: str) -> None:
    found = refused(text)
    assert any(said.startswith(f"s.yaml:{line}: {path}: ") and words in said for said in found), found


def test_all_problems_are_told_in_the_order_of_the_file(refused: Refused) -> None:
    blocks = "".join(f"      - generate: {-index}\n" for index in range(1, 13))
    found = refused("seed: x\nvendors:\n  alibaba-pai:\n    runs:\n" + blocks + "nope: 1\nscenario: x\n")
    assert [int(said.split(":")[1]) for said in found] == [1, *range(5, 17), 17]


@pytest.mark.parametrize("text", ["", "a: [", "5", "null", "scenario: {}", "scenario: x\nvendors: {alibaba-pai: 5}"])
def test_a_scrap_is_a_clear_refusal(refused: Refused, text: str) -> None:
    assert all(said.startswith("s.yaml") for said in refused(text))


def test_a_vendor_may_be_named_without_a_part() -> None:
    scenario = interpret(Source("scenario: x\nvendors: {alibaba-pai: }\n", "s.yaml"), all_vendors())
    assert scenario.sites["alibaba-pai"].auth == "present"
    assert scenario.seed == 0


def test_integers_may_be_written_with_an_exponent() -> None:
    text = "scenario: x\nseed: 1e3\nvendors: {alibaba-pai: {settings: {max_page_size: 2e1}, runs: [{generate: 1e1}]}}"
    scenario = interpret(Source(text, "s.yaml"), all_vendors())
    assert (scenario.seed, type(scenario.seed)) == (1000, int)
    assert type(scenario.sites["alibaba-pai"].settings["max_page_size"]) is int


@pytest.mark.parametrize("number", ["1" + "0" * 40, "-1" + "0" * 40, "1e300"])
@pytest.mark.parametrize(
    ("part", "where"),
    [
        ("faults: [{{when: {{vendor: alibaba-pai, page: {}}}, refuse: throttled}}]", "faults[0].when.page"),
        ("rate_limit: {{alibaba-pai: {{calls: {}, per_s: 1}}}}", "rate_limit.alibaba-pai.calls"),
        ("vendors: {{alibaba-pai: {{settings: {{max_page_size: {}}}}}}}", "vendors.alibaba-pai.settings.max_page_size"),
    ],
)
def test_numbers_far_out_of_bounds_are_refused_where_they_stand(part: str, where: str, number: str) -> None:
    vendors = "" if part.startswith("vendors") else "vendors: {alibaba-pai: {runs: [{generate: 2}]}}\n"
    with pytest.raises(ConfigError, match=re.escape(f"{where}: found ") + ".*, expected "):
        Source(f"scenario: x\n{vendors}{part.format(number)}\n", "s.yaml")


def test_a_number_beyond_64_bits_is_taken_where_it_need_not_be_whole() -> None:
    head = "scenario: x\nvendors: {alibaba-pai: {runs: [{generate: 2}]}}\n"
    text = f"{head}faults: [{{when: {{vendor: alibaba-pai}}, refuse: throttled, retry_after_s: 1{'0' * 40}}}]\n"
    connection = sqlite3.connect(":memory:")
    build(text, "s.yaml", all_vendors(), None, connection)
    (head,) = connection.execute("SELECT value FROM meta WHERE name = 'scenario'").fetchone()
    connection.close()
    assert json.loads(head)["faults"][0]["retry_after_s"] == 10**40


@pytest.mark.parametrize("vendor", IDS)
def test_every_setting_has_a_default_that_its_own_schema_takes(vendor: str) -> None:
    Source(
        f"scenario: x\nvendors:\n  {vendor}:\n    settings: {default_settings(vendor)}".replace("'", '"')
        .replace("True", "true")
        .replace("False", "false"),
        "s.yaml",
    )


def test_own_credentials_are_added_or_replace() -> None:
    def ids(more: str) -> list[str]:
        text = f"scenario: x\nvendors:\n  alibaba-pai:\n    credentials: [{{id: own, secret: s}}]\n{more}"
        return [item["id"] for item in interpret(Source(text, "s"), all_vendors()).sites["alibaba-pai"].credentials]

    assert ids("") == ["LTAI5tLocalruns00000001", "own"]
    assert ids("    credentials_only: true\n") == ["own"]


def test_a_given_seed_replaces_the_scenarios() -> None:
    assert interpret(Source(HEAD + "seed: 3\n", "s"), all_vendors()).seed == 3
    assert interpret(Source(HEAD + "seed: 3\n", "s"), all_vendors(), seed=9).seed == 9


def test_a_scenario_survives_its_json() -> None:
    import orjson

    text = HEAD + "faults:\n  - {when: {vendor: alibaba-pai}, refuse: throttled}\n"
    scenario = interpret(Source(text, "s"), all_vendors())
    again = Scenario.from_json(orjson.loads(orjson.dumps(scenario.as_json())))
    assert again.as_json() == scenario.as_json()
    assert again.start == from_epoch_ms(1768467600000)


def test_rows_of_the_timeline_keep_their_texts_too() -> None:
    rows = "insert: [{WorkspaceId: 012}], change: {run-t7: {Name: no, OwnerId: 1e3}}"
    text = HEAD + f"timeline: [{{vendor: alibaba-pai, after: {{page: 1}}, {rows}}}]\n"
    (read,) = Source(text, "s").content["timeline"]
    assert read["insert"] == [{"WorkspaceId": "012"}]
    assert read["change"] == {"run-t7": {"Name": "no", "OwnerId": "1e3"}}


def test_a_refusal_is_a_config_error_with_a_line_per_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        Source("scenario: x\nvendors: {alibaba-pai: {a: 1, b: 2}}", "s")
    assert str(caught.value).count("\n") == 1
    assert len(caught.value.problems) == 2
