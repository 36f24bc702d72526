"""The rows of ListRuns, and a page of them as the platform sends it.

**Source** for all fields: ListRuns API reference, 20 October 2025. Order of keys as in its sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

from localruns.clock import epoch_ms, parse_time
from localruns.engine.call import Call
from localruns.engine.message import Page, Reply
from localruns.engine.vendor import Bag, Row, RowModel
from localruns.vendors.alibaba_pai.headers import CONTENT_TYPE, reply_headers

_REQUIRED = ("RunId", "Name", "WorkspaceId", "ExperimentId", "GmtCreateTime", "GmtModifiedTime")
_TEXTS = ("RunId", "Name", "WorkspaceId", "ExperimentId", "SourceType", "SourceId")
_texts = itemgetter(*_TEXTS)


def render(page: Page, call: Call) -> Reply:
    """One page.

    Shape: `NextPageToken` is an integer, always sent, 0 when no row is left or the client pages by number;
    `TotalCount` is sent as the setting `total_count` says.
    """
    by_number = call.by_number
    content: dict[str, Any] = {"requestId": call.uuid("request").upper(), "Runs": ()}
    wanted = call.settings["total_count"]
    if page.shown is not None and (wanted == "always" or (wanted == "page_mode" and by_number)):
        content["TotalCount"] = page.shown
    content["NextPageToken"] = 0 if by_number else page.next_offset
    headers = reply_headers(call, content["requestId"])
    return Reply(200, content, "alibaba-pai/list-runs.json", headers, "Runs", page.rows, CONTENT_TYPE)


def _brief(row: Row) -> Row:
    brief = {**row}
    brief.pop("Params", None)
    brief.pop("Labels", None)
    brief.pop("Metrics", None)
    return brief


def _values(row: Row) -> tuple[str | int | float | None, ...]:
    created = row["GmtCreateTime"]
    created_ms = epoch_ms(parse_time(created)) if created else None
    try:
        return (*_texts(row), created_ms)
    except KeyError:  # few rows lack one
        return (*map(row.get, _TEXTS), created_ms)


def _bags(row: Row) -> Iterator[Bag]:
    for label in row.get("Labels", ()):
        yield "labels", label["Key"], label["Value"]


def _fill(row: Row, drawn: Row) -> Row:
    missing = {name: drawn[name] for name in _REQUIRED if name not in row}
    return {**row, **missing}


def _key(row: Mapping[str, Any]) -> str:
    return str(row["RunId"])


ROWS = RowModel(
    schema="alibaba-pai/list-runs.json#/$defs/Run",
    key=_key,
    shapes={"brief": _brief, "verbose": lambda row: row},
    columns={**dict.fromkeys(_TEXTS, "TEXT"), "GmtCreateTime": "INTEGER"},
    values=_values,
    bags=_bags,
    fill=_fill,
)
