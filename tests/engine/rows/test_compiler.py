"""Rows: literal ones are sent as written, generated ones hang on (seed, vendor, label, i), all keep their schema."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from localruns.engine.rows.building import build
from localruns.vendors import IDS, all_vendors

Rows = Callable[..., list[dict[str, Any]]]
Refused = Callable[[str], list[str]]
REQUIRED = {"RunId", "Name", "WorkspaceId", "ExperimentId", "GmtCreateTime", "GmtModifiedTime"}


def head(vendor: str = "alibaba-pai") -> str:
    return f"scenario: x\nvendors:\n  {vendor}:\n    runs:\n"


def test_a_literal_row_is_sent_as_written(rows: Rows) -> None:
    row = {
        "Name": 'ünï\u2028 "q" \\ </script>',
        "RunId": "run-1",
        "WorkspaceId": "012",
        "UserId": "",
        "ExperimentId": "exp-1",
        "GmtModifiedTime": "",
        "GmtCreateTime": "",
        "Metrics": [{"Key": "", "Value": 0, "Step": 0, "Timestamp": 0}],
    }
    assert json.dumps(rows(runs=[row])) == json.dumps([row])


def test_only_what_the_vendor_requires_is_filled_in(rows: Rows) -> None:
    first, second = rows(runs=[{"Name": "a"}, {"RunId": "run-own"}])
    assert set(first) == set(second) == REQUIRED
    assert first["Name"] == "a"
    (oracle,) = rows(vendor="oracle-aidp", runs=[{"info": {"run_id": "r1", "run_name": "n"}}])
    assert set(oracle) == {"info"}
    names = "run_id run_uuid run_name experiment_id status start_time lifecycle_stage"
    assert set(oracle["info"]) == set(names.split())
    assert oracle["info"]["run_uuid"] == "r1"


def test_like_template_fills_in_everything(rows: Rows) -> None:
    (full,), (drawn,) = rows(runs=[{"like": "template", "Name": "mine", "UserId": ""}]), rows(runs=[{"generate": 1}])
    assert full == {**drawn, "Name": "mine", "UserId": ""}


def test_set_is_merged_deep(rows: Rows) -> None:
    plain = rows(vendor="oracle-aidp", runs=[{"generate": 3}])
    changed = rows(
        vendor="oracle-aidp", runs=[{"generate": 3, "set": {"info": {"status": "RUNNING", "run_name": "r{n}"}}}]
    )
    for index, (one, other) in enumerate(zip(plain, changed, strict=True)):
        assert other["info"]["status"] == "RUNNING"
        assert other["info"]["run_name"] == f"r{index + 1}"
        assert other["info"]["run_id"] == one["info"]["run_id"]
        assert set(other["data"]) == set(one["data"])


@pytest.mark.parametrize("vendor", IDS)
def test_a_labelled_block_does_not_change_with_its_neighbours(rows: Rows, vendor: str) -> None:
    alone = rows(vendor=vendor, runs=[{"generate": 5, "as": "b"}])
    behind = rows(vendor=vendor, runs=[{"generate": 0, "as": "a"}, {"generate": 5, "as": "b"}])
    longer = rows(vendor=vendor, runs=[{"generate": 9, "as": "b"}])
    assert behind == alone == longer[:5]


def test_blocks_with_labels_before_another_leave_it_alone(rows: Rows) -> None:
    alone = rows(runs=[{"generate": 5, "as": "b"}])
    assert rows(runs=[{"generate": 7, "as": "a"}, {"Name": "x"}, {"generate": 5, "as": "b"}])[8:] == alone


def test_seed_vendor_label_and_index_all_matter(rows: Rows) -> None:
    def ids(**more: Any) -> list[str]:
        return [row["RunId"] for row in rows(**{"runs": [{"generate": 20}], **more})]

    drawn = [*ids(), *ids(seed=2), *ids(runs=[{"generate": 20, "as": "other"}])]
    assert len(set(drawn)) == 60
    assert ids() == ids()


def test_positions_are_the_default_labels(rows: Rows) -> None:
    assert rows(runs=[{"generate": 3, "as": "0"}]) == rows(runs=[{"generate": 3}])
    one, two = rows(runs=[{"generate": 1}, {"generate": 1}])
    assert one["RunId"] != two["RunId"]


def test_groups_place_rows_in_their_resource() -> None:
    platform = {"workspaces": {"a": {"experiments": ["1"]}, "b": {"experiments": ["1"]}}}
    content = {
        "resources": {"platforms": {"ocid1.x": platform}},
        "runs": [{"generate": 1}, {"in": "ocid1.x/b", "rows": [{"generate": 2}, {"info": {"run_id": "own"}}]}],
    }
    connection = sqlite3.connect(":memory:")
    build(json.dumps({"scenario": "x", "vendors": {"oracle-aidp": content}}), "s", all_vendors(), None, connection)
    scopes = [scope for (scope,) in connection.execute("SELECT scope FROM rows_oracle_aidp ORDER BY n")]
    connection.close()
    assert scopes == ["ocid1.x/a", "ocid1.x/b", "ocid1.x/b", "ocid1.x/b"]


@pytest.mark.parametrize(
    ("text", "line", "path", "words"),
    [
        ("      - RunId: run-1\n        GmtCreateTime: today\n", 6, "[0].GmtCreateTime", "found 'today'"),
        (
            "      - {generate: 3}\n      - RunId: run-1\n        Labels:\n          - {Key: a}\n",
            8,
            "[1].Labels[0]",
            "found no 'Value', expected it beside Key",
        ),
        ("      - RunId: 1-run\n", 5, "[0].RunId", "found '1-run', expected text of the form ^run-"),
        ("      - RunID: run-1\n", 5, "[0].RunID", "found unknown key 'RunID', did you mean 'RunId'?"),
        ("      - {RunId: run-1, GmtCreateTime: 2026-02-30T00:00:00.000Z}\n", 5, "[0].GmtCreateTime", "found"),
        (
            "      - generate: 2\n        set:\n          RunId: 'x{n}'\n",
            7,
            "[0].set.RunId",
            "found 'x1', expected text of",
        ),
        (
            "      - generate: 2\n        set:\n          Name: {$int: [5, 1]}\n",
            7,
            "[0].set.Name",
            "expected the lower end first",
        ),
        (
            "      - generate: 2\n        set:\n          Name:\n            $int: [1, 5]\n",
            7,
            "[0].set.Name",
            "expected text",
        ),
        ("      - generate: 2\n        set:\n          Name: '{field:Gone}'\n", 7, "[0].set.Name", "the field 'Gone'"),
        (
            "      - RunId: run-1\n        Metrics: [{Key: a, Value: 1180591620717411303424}]\n",
            5,
            "[0]",
            "found a row that cannot be kept: Integer exceeds 64-bit range",
        ),
        (
            "      - RunId: run-1\n        Metrics: [{Key: a, Value: 1e400}]\n",
            6,
            "[0].Metrics[0].Value",
            "found '1e400', expected a finite number",
        ),
        ("      - RunId: run-1\n        Metrics: [{Key: a, Value: .nan}]\n", 6, "[0].Metrics[0].Value", "found '.nan'"),
        (
            "      - {RunId: run-1}\n      - {generate: 2}\n      - {RunId: run-1}\n",
            7,
            "[2]",
            "'run-1' 2 times (also at s.yaml:5: vendors.alibaba-pai.runs[0]), expected each row key once",
        ),
        ("      - {generate: 2, as: a}\n      - {generate: 2, as: a}\n", 6, "[1]", "(also at s.yaml:5: "),
        ("      - {generate: 5, set: {RunId: run-1}}\n", 5, "[0]", "found the row key 'run-1' 5 times"),
    ],
)
def test_a_bad_row_is_told_with_its_place(refused: Refused, text: str, line: int, path: str, words: str) -> None:
    found = refused(head() + text)
    start = f"s.yaml:{line}: vendors.alibaba-pai.runs{path}: "
    assert any(said.startswith(start) and words in said for said in found), found


@pytest.mark.parametrize(
    ("event", "path", "words"),
    [
        ("delete: [run-1, run-gone]", "delete[1]", "found the row key 'run-gone', expected a row that is alive"),
        ("delete: [run-1, run-1]", "delete[1]", "expected a row that is alive"),
        ("change: {run-gone: {Name: x}}", "change.run-gone", "expected a row that is alive"),
        ("change: {run-1: {Name: ''}}", "change.run-1.Name", "found ''"),
        (
            "change: {run-1: {RunId: run-2}}",
            "change.run-1",
            "a change of the row key to 'run-2', expected it kept",
        ),
        ("insert: [{RunId: run-1}]", "insert[0]", "found the row key 'run-1' 2 times (also at s.yaml:5: "),
        ("insert: [{RunId: run-3}, {RunId: run-3}]", "insert[1]", "found the row key 'run-3' 2 times"),
        ("insert: [{RunId: 3}]", "insert[0].RunId", "expected text of the form"),
        ("delete: [run-1], change: {run-1: {Name: x}}", "change.run-1", "expected a row that is alive"),
    ],
)
def test_an_event_about_an_unusable_row_is_told_with_its_place(
    refused: Refused, event: str, path: str, words: str
) -> None:
    text = head() + "      - {RunId: run-1}\ntimeline:\n  - {vendor: alibaba-pai, after: {page: 1}}\n"
    lines = event.replace("], ", "]\n    ")
    found = refused(text + f"  - vendor: alibaba-pai\n    after: {{page: 2}}\n    {lines}\n")
    where = f"timeline[1].{path}: "
    assert any(said.startswith("s.yaml:1") and where in said and words in said for said in found), found


def test_a_row_may_come_back_under_its_key_once_it_is_gone(rows: Rows) -> None:
    text = (
        head()
        + "      - {RunId: run-1}\ntimeline:\n"
        + "".join(
            f"  - {{vendor: alibaba-pai, after: {{page: {page}}}, {what}}}\n"
            for page, what in enumerate(
                ("delete: [run-1]", "insert: [{RunId: run-1, Name: again}]", "change: {run-1: {Name: b}}"), start=1
            )
        )
    )
    connection = sqlite3.connect(":memory:")
    build(text, "s", all_vendors(), None, connection)
    spans = connection.execute("SELECT c_Name, born, died FROM rows_alibaba_pai ORDER BY n").fetchall()
    connection.close()
    assert [span[1:] for span in spans] == [(0, 1), (2, 3), (3, 2**31 - 1)]
    assert [span[0] for span in spans[1:]] == ["again", "b"]


def test_a_group_in_an_unknown_resource_is_refused(refused: Refused) -> None:
    name = "ocid1.aidataplatform.oc1.iad.localrun/default"
    (found,) = refused(head("oracle-aidp") + f"      - {{generate: 1}}\n      - in: {name}\n        rows: []\n")
    assert found.startswith(f"s.yaml:6: vendors.oracle-aidp.runs[1].in: found {name!r}, did you mean ")


TEMPLATE = """\
scenario: x
vendors:
  alibaba-pai:
    template:
      pools:
        p: {pool}
      row:
        RunId: run-a
{row}"""


@pytest.mark.parametrize(
    ("row", "pool", "line", "path", "words"),
    [
        ("        Name: {$pol: p}\n", "[a]", 9, "row.Name.$pol", "'$pol', did you mean '$pool'?"),
        ("        Name:\n          $pool: q\n", "[a]", 9, "row.Name", "the pool 'q', expected one of"),
        (
            "        Labels:\n          - Key: a\n            Value: '{hex:x}'\n",
            "[a]",
            11,
            "row.Labels[0].Value",
            "the gap {hex:x}",
        ),
        (
            "        Labels:\n          $some:\n            - {Key: '{nope}'}\n",
            "[a]",
            11,
            "row.Labels.$some[0].Key",
            "{nope}",
        ),
        ("        Name: a\n", "{faker: nane}", 6, "pools.p.faker", "found 'nane', did you mean 'name'?"),
        ("        Name: a\n", "{fakr: name}", 6, "pools.p", "found"),
        ("        Name: a\n", "[]", 6, "pools.p", "found []"),
    ],
)
def test_a_bad_template_of_the_users_is_told_with_its_line(
    refused: Refused, row: str, pool: str, line: int, path: str, words: str
) -> None:
    found = refused(TEMPLATE.replace("{pool}", pool).replace("{row}", row) + "    runs: [{generate: 1}]\n")
    start = f"s.yaml:{line}: vendors.alibaba-pai.template.{path}"
    assert any(said.startswith(start) and words in said for said in found), found


def test_a_template_of_the_users_draws_with_faker_and_shipped_pools(rows: Rows) -> None:
    template = {
        "pools": {"p": {"faker": "name", "count": 3}},
        "row": {
            "RunId": "run-{n}",
            "Name": "{pool:p} {pool:nouns}",
            "WorkspaceId": "1",
            "ExperimentId": "exp-1",
            "GmtCreateTime": "",
            "GmtModifiedTime": "",
        },
    }
    drawn = rows(template=template, runs=[{"generate": 50}, {"RunId": "run-own"}])
    assert len({row["Name"].rpartition(" ")[0] for row in drawn}) == 3
    assert drawn == rows(template=template, runs=[{"generate": 50}, {"RunId": "run-own"}])


def test_not_a_number_is_kept_as_the_vendor_writes_it(rows: Rows) -> None:
    metrics = [{"key": f"m{value}", "value": value} for value in ("NaN", "Infinity", "-Infinity", 1e308)]
    (row,) = rows(vendor="oracle-aidp", runs=[{"info": {"run_id": "r"}, "data": {"metrics": metrics}}])
    assert row["data"]["metrics"] == metrics


def test_the_hash_of_the_rows_can_be_pinned(refused: Refused) -> None:
    text = head() + "      - {generate: 3}\n"
    (said,) = refused(text + "fingerprint: {rows: x}\n")
    found = said.partition("found rows with the hash ")[2][:64]
    memory = sqlite3.connect(":memory:")
    build(text + f"fingerprint: {{rows: {found}}}\n", "s", all_vendors(), None, memory)
    memory.close()


def test_progress_counts_every_row() -> None:
    seen: list[tuple[int, int]] = []
    memory = sqlite3.connect(":memory:")
    build(head() + "      - {generate: 450}\n", "s", all_vendors(), None, memory, lambda *done: seen.append(done))
    memory.close()
    assert sum(rows for rows, _ in seen) == 450
    assert {total for _, total in seen} == {450}
