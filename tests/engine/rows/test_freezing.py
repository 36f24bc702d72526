"""A frozen scenario: the same rows without a template, and the same file whenever it is frozen again."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localruns import yamlio
from localruns.engine.library import Library
from localruns.engine.recorded.recording import is_recording
from localruns.engine.rows.building import build
from localruns.engine.rows.freezing import frozen
from localruns.engine.scenario import interpret
from localruns.engine.source import Source
from localruns.errors import ConfigError
from localruns.vendors import all_vendors

STUDIO = "ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890"
FIRST, SECOND, NUMERIC = (f"ri.foundry-build.main.build.{name}" for name in ("first", "second", "1e5"))
SHIPPED = {
    item.name: text
    for item in Library()
    if not is_recording(item.path) and Source(text := yamlio.read_text(item.path), item.name).count_rows() < 2_000
}


def freeze(text: str) -> str:
    source = Source(text, "test.yaml")
    return "".join(piece for piece, _ in frozen(source, interpret(source, all_vendors()), all_vendors()))


def content(text: str) -> dict[str, Any]:
    return Source(text, "test.yaml").content


def compiled(text: str) -> list[str]:
    """All that a snapshot holds: rows of every version, what they are found by, the scenario around them."""
    connection = sqlite3.connect(":memory:")
    try:
        build(text, "test.yaml", all_vendors(), None, connection)
        return list(connection.iterdump())
    finally:
        connection.close()


def scenario(vendor: str = "alibaba-pai", *runs: Any, **more: Any) -> str:
    part = {"runs": list(runs), **more.pop("part", {})}
    return yamlio.dump({"scenario": "test", "seed": 3, "vendors": {vendor: part}, **more})


@pytest.mark.parametrize("name", SHIPPED)
def test_a_frozen_scenario_compiles_to_the_same_snapshot(name: str) -> None:
    text = SHIPPED[name]
    assert compiled(freeze(text)) == compiled(text)


@pytest.mark.parametrize("name", SHIPPED)
def test_freezing_twice_gives_the_same_file(name: str) -> None:
    text = SHIPPED[name]
    once = freeze(text)
    assert freeze(once) == once


@pytest.mark.parametrize("vendor", all_vendors())
def test_nothing_generated_is_left(vendor: str) -> None:
    rows = content(freeze(scenario(vendor, {"generate": 3}, {"like": "template"}, {})))["vendors"][vendor]["runs"]
    assert len(rows) == 5
    assert not [row for row in rows if "generate" in row or "like" in row]


def test_blocks_keep_their_labels_and_fields() -> None:
    text = scenario(
        "alibaba-pai",
        {"generate": 2, "as": "named", "set": {"Name": "{n}-{pool:nouns}"}},
        {"RunId": "run-a"},
        {"generate": 0},
        {"RunId": "run-b", "like": "template"},
        {"generate": 2},
    )
    assert compiled(freeze(text)) == compiled(text)


def test_groups_stay_groups() -> None:
    other = "ri.models.main.model-studio.other"
    text = scenario(
        "palantir-foundry",
        {"generate": 1},
        {"in": other, "rows": [{"generate": 2}, {"buildRid": FIRST}]},
        {"in": other, "rows": []},
        {"in": other, "rows": [{"generate": 1}]},
        {"in": STUDIO, "rows": [{"generate": 1, "as": "x"}]},
        part={"resources": {"studios": {STUDIO: {}, other: {}}}},
    )
    runs = content(freeze(text))["vendors"]["palantir-foundry"]["runs"]
    assert [(row.get("in"), len(row.get("rows", ()))) for row in runs] == [
        (None, 0),
        (other, 3),
        (other, 1),
        (STUDIO, 1),
    ]
    assert compiled(freeze(text)) == compiled(text)


def test_rows_that_a_timeline_inserts_are_written_out() -> None:
    events = [
        {
            "vendor": "palantir-foundry",
            "after": {"page": 1},
            "delete": [FIRST],
            "change": {SECOND: {"configVersion": 3}},
        },
        {
            "vendor": "palantir-foundry",
            "after": {"page": 2},
            "insert": [{"generate": 2}, {"buildRid": NUMERIC, "runId": "1e5"}],
        },
        {"vendor": "palantir-foundry", "after": {"page": 2}, "insert": [{"in": STUDIO, "rows": [{"generate": 1}]}]},
    ]
    text = scenario("palantir-foundry", {"buildRid": FIRST}, {"buildRid": SECOND}, timeline=events)
    done = content(freeze(text))["timeline"]
    assert done[0] == events[0]
    assert [len(done[1]["insert"]), list(done[2]["insert"][0]), "generate" in str(done)] == [3, ["in", "rows"], False]
    assert compiled(freeze(text)) == compiled(text)


def test_template_pools_and_fingerprint_go_and_all_else_stays() -> None:
    part = {
        "auth": "verify",
        "settings": {"max_page_size": 5},
        "credentials": [{"id": "K", "secret": "0o17", "expires": "2026-02-01T00:00:00Z"}],
        "credentials_only": True,
        "template": {
            "row": {
                "RunId": "run-{hex:8}",
                "Name": {"$pool": "people"},
                "WorkspaceId": "145883",
                "ExperimentId": "exp-{n}",
                "GmtCreateTime": "2026-01-01T00:00:00.000Z",
                "GmtModifiedTime": "2026-01-01T00:00:00.000Z",
            },
            "pools": {"people": {"faker": "name", "count": 5}},
        },
    }
    faults = [{"when": {"vendor": "alibaba-pai", "page": 2}, "refuse": "throttled", "retry_after_s": 1.5}]
    plain = scenario("alibaba-pai", {"generate": 9}, part=part, faults=faults, clock="2026-01-15T09:00:00Z")
    (rows,) = (line for line in compiled(plain) if "INSERT INTO \"meta\" VALUES('rows'" in line)
    pinned = plain + yamlio.dump({"fingerprint": {"rows": rows.split("'")[3], "faker": "1"}})
    assert compiled(pinned)
    done = content(freeze(pinned))
    assert "fingerprint" not in done
    assert "template" not in done["vendors"]["alibaba-pai"]
    assert compiled(freeze(pinned)) == compiled(plain)


def test_vendors_without_rows_stay_as_they_are() -> None:
    text = "scenario: test\nvendors:\n  naver-nsml:\n  oracle-aidp: {}\n  alibaba-pai: {runs: []}\n"
    assert content(freeze(text)) == content(text)


def test_a_row_that_no_literal_row_can_equal_is_refused() -> None:
    info = {
        "run_id": "{hex:32}", "experiment_id": "1", "status": "FINISHED", "start_time": 1, "lifecycle_stage": "active"
    }  # fmt: skip
    text = scenario("oracle-aidp", {"generate": 1}, part={"template": {"row": {"info": info}}})
    with pytest.raises(ConfigError, match=r"test.yaml:6: vendors.oracle-aidp.runs\[0\]: found a generated row whose"):
        freeze(text)


def test_pieces_tell_how_many_rows_they_hold() -> None:
    text = SHIPPED["quickstart"]
    source = Source(text, "quickstart")
    counts = [rows for _, rows in frozen(source, interpret(source, all_vendors()), all_vendors())]
    assert sum(counts) == source.count_rows() == 100


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])) | st.from_regex(r"[-+0-9.exo_:]{1,12}", fullmatch=True),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)  # fmt: skip


@given(value=VALUES)
def test_whatever_a_row_holds_is_read_back_as_it_was(value: Any) -> None:
    text = yamlio.dump({"a": [value]})
    assert repr(yamlio.Document(text, "x").value({})) == repr({"a": [value]})
