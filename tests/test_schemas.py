"""The JSON Schemas: bundled without outside references, and their breaches in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from localruns import schemas
from localruns.paths import schemas_dir

FILES = sorted(str(path.relative_to(schemas_dir())) for path in schemas_dir().rglob("*.json"))
SCENARIO = "scenario.schema.json"
RUN = "alibaba-pai/list-runs.json#/$defs/Run"
ROW = {
    "RunId": "run-1",
    "Name": "n",
    "WorkspaceId": "1",
    "ExperimentId": "exp-1",
    "GmtCreateTime": "2026-01-01T00:00:00.000Z",
    "GmtModifiedTime": "2026-01-01T00:00:00.000Z",
}


def words(value: Any, reference: str = SCENARIO) -> list[tuple[str, str]]:
    from localruns.yamlio import key_path

    return [(key_path(path), text) for path, text in schemas.explain(reference, value)]


@pytest.mark.parametrize("file", FILES)
def test_every_schema_is_a_schema_and_stands_alone_when_bundled(file: str) -> None:
    whole = schemas.bundled(file)
    Draft202012Validator.check_schema(whole)
    assert all(ref.startswith("#/$defs/") for ref in schemas._refs(whole))
    schemas.validator(file)


@pytest.mark.parametrize("file", FILES)
def test_both_checkers_take_an_empty_mapping_alike(file: str) -> None:
    slow = Draft202012Validator(schemas.bundled(file)).is_valid({})
    assert schemas.validator(file).is_valid({}) == slow == (not schemas.pointers(file, {}))


@pytest.mark.parametrize(
    ("change", "path", "text"),
    [
        ({"scenari": "x"}, "scenari", "found unknown key 'scenari', did you mean 'scenario'?, expected one of:"),
        ({"vendors": {"alibaba": {}}}, "vendors.alibaba", "did you mean 'alibaba-pai'?"),
        ({"vendors": {}}, "vendors", "found a mapping of nothing"),
        ({"vendors": 5}, "vendors", "found 5, expected a mapping"),
        ({"seed": "seven"}, "seed", "found 'seven', expected an integer"),
        ({"seed": -1}, "seed", "found -1, expected 0 or more"),
        ({"seed": 2**64}, "seed", "expected 9223372036854775807 or less"),
        ({"scenario": "No Name"}, "scenario", "expected text of the form"),
        ({"scenario": "x" * 200}, "scenario", "expected at most 100 characters"),
        ({"vendors": {"alibaba-pai": {"auth": "presnt"}}}, "vendors.alibaba-pai.auth", "did you mean 'present'?"),
        (
            {"vendors": {"alibaba-pai": {"settings": {"max_page_siz": 1}}}},
            "vendors.alibaba-pai.settings.max_page_siz",
            "did you mean 'max_page_size'?",
        ),
        (
            {"vendors": {"alibaba-pai": {"runs": [{"generate": 5, "sett": {}}]}}},
            "vendors.alibaba-pai.runs[0].sett",
            "did you mean 'set'?",
        ),
        (
            {"vendors": {"alibaba-pai": {"credentials": [{}]}}},
            "vendors.alibaba-pai.credentials[0]",
            "found no 'id', expected it beside nothing else",
        ),
        ({"faults": [{"refuse": "throttled"}]}, "faults[0]", "found no 'when'"),
    ],
)
def test_a_breach_says_where_what_was_found_and_what_was_expected(change: Any, path: str, text: str) -> None:
    content = {"scenario": "x", "vendors": {"alibaba-pai": {}}, **change}
    found = words(content)
    assert any(where == path and text in said for where, said in found), found


@pytest.mark.parametrize(
    ("change", "path", "text"),
    [
        ({"RunId": 5}, "RunId", "found 5, expected text"),
        ({"Accessibility": "private"}, "Accessibility", "did you mean 'PRIVATE'?, expected one of: PRIVATE, PUBLIC"),
        ({"GmtCreateTime": "2026-01-01"}, "GmtCreateTime", "expected text of the form"),
        ({"Labels": [{"Key": "a"}]}, "Labels[0]", "found no 'Value', expected it beside Key"),
        ({"Colour": 1}, "Colour", "found unknown key 'Colour'"),
    ],
)
def test_a_row_breach_is_told_the_same_way(change: Any, path: str, text: str) -> None:
    assert any(where == path and text in said for where, said in words({**ROW, **change}, RUN))


def test_a_time_of_the_right_form_but_on_no_day_is_a_breach() -> None:
    row = {**ROW, "GmtCreateTime": "2026-02-30T00:00:00.000Z"}
    assert not schemas.validator(RUN).is_valid(row)


def test_breaches_in_a_long_list_come_in_its_order() -> None:
    rows = [{**ROW, "RunId": 5} for _ in range(12)]
    content = {"scenario": "x", "vendors": {"alibaba-pai": {"runs": [{"generate": -1} for _ in rows]}}}
    assert [path for path, _ in words(content)] == [f"vendors.alibaba-pai.runs[{i}].generate" for i in range(12)]


@pytest.mark.parametrize(("word", "hint"), [("presnt", "present"), ("PRESENT", "present"), ("zzz", "")])
def test_a_near_name_is_offered(word: str, hint: str) -> None:
    said = schemas.near(word, ["off", "present", "verify"])
    assert said == (f", did you mean {hint!r}?" if hint else "")


def test_a_long_value_is_cut_in_a_message() -> None:
    (_, said), *_ = words({"scenario": "x", "vendors": {"alibaba-pai": {}}, "seed": "s" * 10_000})
    assert len(said) < 200


def test_pointers_are_short_and_point() -> None:
    answer = {"requestId": "r", "Runs": [], "NextPageToken": "x" * 999}
    (found,) = schemas.pointers("alibaba-pai/list-runs.json", answer)
    assert found.startswith("/NextPageToken: ")
    assert len(found) <= 300


def test_there_are_schemas_for_every_vendor() -> None:
    from localruns.vendors import IDS

    assert all((Path(schemas_dir()) / vendor / "scenario.json").is_file() for vendor in IDS)
