"""Rows: as written, filled, generated; the page around them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from localruns import schemas
from localruns.errors import ConfigError
from localruns.vendors.palantir_foundry import VENDOR

Make = Callable[..., Any]
ROW = "palantir-foundry/list-runs.json#/$defs/ModelStudioRun"
SAMPLE = {
    "startedTime": "2003-05-06T12:34:56.789Z",
    "configVersion": 1,
    "startedBy": "f05f8da4-b84c-4fca-9c77-8af0b13d11de",
    "buildRid": "ri.foundry-build.main.build.a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "resolvedOutputs": {
        "model": {
            "type": "model",
            "modelRid": "ri.models.main.model.a1b2c3d4-e5f6-7890-abcd-ef1234567890",
            "modelVersionRid": "ri.models.main.model-version.a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        }
    },
    "runId": "a1b2c3d4e5f6",
    "jobRid": "ri.foundry-build.main.job.a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "buildStatus": "RUNNING",
}


def test_the_sample_of_the_page_is_sent_as_it_is_written(foundry: Make) -> None:
    answer = foundry(runs=[SAMPLE]).runs(configVersion=1)
    assert answer.json == {"data": [SAMPLE]}
    assert list(answer.json["data"][0]) == list(SAMPLE)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-cache, no-store, must-revalidate"


def test_only_required_fields_are_filled(foundry: Make) -> None:
    (row,) = foundry(runs=[{"configVersion": 2}]).runs().json["data"]
    assert row["configVersion"] == 2
    required = {"runId", "buildRid", "jobRid", "configVersion", "startedBy", "startedTime", "resolvedOutputs"}
    assert set(row) == required
    (row,) = foundry(runs=[{"configVersion": 2, "like": "template"}]).runs().json["data"]
    assert set(row) == {*required, "buildStatus"}


def test_what_the_sdk_takes_is_a_valid_row(foundry: Make) -> None:
    row = {
        **SAMPLE,
        "buildStatus": None,
        "resolvedOutputs": {"a b": {**SAMPLE["resolvedOutputs"]["model"], "experimentRid": None}},  # type: ignore[index]
        "newField": [1, 2],
        "startedTime": "2025-03-04T05:06:07.123456789+05:30",
    }
    assert foundry(runs=[row]).runs().json["data"] == [row]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("startedTime", "2025-03-04T05:06:07"),
        ("startedTime", "2025-03-04"),
        ("startedTime", "2016-12-31T23:59:60Z"),
        ("startedBy", "jane"),
        ("startedBy", "f05f8da4b84c4fca9c778af0b13d11de"),
        ("buildStatus", "CANCELLED"),
        ("buildStatus", "running"),
        ("configVersion", 1.5),
        ("configVersion", 2147483648),
        ("buildRid", "build-1"),
        ("runId", ""),
        ("resolvedOutputs", None),
        ("resolvedOutputs", {"m": {"type": "dataset", "modelRid": "ri.a.b.c.d", "modelVersionRid": "ri.a.b.c.d"}}),
        ("resolvedOutputs", {"m": {"modelRid": "ri.a.b.c.d", "modelVersionRid": "ri.a.b.c.d"}}),
    ],
)
def test_what_the_sdk_refuses_is_no_row(foundry: Make, field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=field):
        foundry(runs=[{**SAMPLE, field: value}])


@pytest.mark.parametrize("fields", [{"startedTime": "0001-01-01T00:00:00+14:00"}, {"newField": 2**70}])
def test_what_cannot_be_kept_is_refused_with_its_place(foundry: Make, fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="cannot be kept"):
        foundry(runs=[{**SAMPLE, **fields}])


def test_a_build_stands_once(foundry: Make) -> None:
    with pytest.raises(ConfigError, match="2 times"):
        foundry(runs=[SAMPLE, SAMPLE])


def test_generated_rows_are_varied_and_valid(foundry: Make) -> None:
    rows = foundry(runs=[{"generate": 100}]).runs().json["data"]
    assert all(schemas.validator(ROW).is_valid(row) for row in rows)
    assert {row["buildStatus"] for row in rows} == {"RUNNING", "SUCCEEDED", "FAILED", "CANCELED"}
    assert {row["configVersion"] for row in rows} == {1, 2, 3}
    assert {} in [row["resolvedOutputs"] for row in rows]
    assert rows == foundry(runs=[{"generate": 100}]).runs().json["data"]


UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
FORMS = {
    "runId": r"[0-9a-f]{12}",
    "buildRid": rf"ri\.foundry-build\.main\.build\.{UUID}",
    "jobRid": rf"ri\.foundry-build\.main\.job\.{UUID}",
    "startedBy": UUID,
    "startedTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
}


@pytest.mark.parametrize("field", FORMS)
def test_drawn_values_look_like_the_platforms(foundry: Make, field: str) -> None:
    for row in foundry(runs=[{"generate": 30}, {"configVersion": 1}]).runs().json["data"]:
        assert re.fullmatch(FORMS[field], row[field])


def test_a_row_deleted_behind_a_page_is_gone_from_the_next(foundry: Make) -> None:
    rids = [f"ri.foundry-build.main.build.{number}" for number in range(6)]
    rows = [{"buildRid": rid, "startedTime": f"2026-01-0{9 - i}T00:00:00Z"} for i, rid in enumerate(rids)]
    event = {"vendor": "palantir-foundry", "after": {"page": 1}, "delete": [rids[0]]}
    assert foundry(runs=rows, timeline=[event]).walk(pageSize=2) == [rids[:2], rids[3:5], rids[5:]]


def test_an_empty_or_missing_token_cannot_be_sent() -> None:
    for token in ("", None):
        assert not schemas.validator("palantir-foundry/list-runs.json").is_valid({"data": [], "nextPageToken": token})


def test_keys_are_of_the_first_holder_and_the_first_client() -> None:
    assert VENDOR.client.keys(VENDOR.credentials()) == {
        "token": "localruns-token",
        "client_id": "localruns-client",
        "client_secret": "localruns-foundry-secret",
    }
    assert VENDOR.client.keys([]) == {"token": "", "client_id": "", "client_secret": ""}


def test_every_setting_is_used_described_and_has_a_default() -> None:
    settings = schemas.bundled("palantir-foundry/scenario.json")["properties"]["settings"]["properties"]
    assert all("default" in schema and schema["description"] for schema in settings.values())
