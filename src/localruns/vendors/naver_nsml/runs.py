"""The rows of the run list, and a page of them as the platform sends it.

**Source** for all fields: Get run list, table and sample; `runType`, `runList` and `totalCount` stand in the sample
only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localruns.engine.call import Call
from localruns.engine.draw import digest
from localruns.engine.message import Page, Reply
from localruns.engine.vendor import Bag, Row, RowModel
from localruns.vendors.naver_nsml.headers import JSON_UTF8, reply_headers

_FIELDS = (
    "runName",
    "runType",
    "projectId",
    "projectName",
    "status",
    "creator",
    "createTime",
    "updateTime",
)


def render(page: Page, call: Call) -> Reply:
    """One page. Shape: `runList`, then `totalCount`: one SDK unwraps whatever key comes first."""
    total = page.shown if call.settings["total_count"] == "all" else len(page.rows)
    content: dict[str, Any] = {"runList": (), "totalCount": total}
    return Reply(200, content, "naver-nsml/list-runs.json", reply_headers(call), "runList", page.rows, JSON_UTF8)


def _fill(row: Row, drawn: Row) -> Row:
    """The row with all eight fields, those that were missing in keeping with those that were written."""
    missing = {name: drawn[name] for name in _FIELDS if name in drawn and name not in row}
    if "projectName" in missing and "projectId" in row:
        own = str(missing["projectName"]).replace(str(drawn.get("projectId")), str(row["projectId"]))
        missing["projectName"] = own
    if "updateTime" in missing:
        missing["updateTime"] = max(str(missing["updateTime"]), str(row.get("createTime", "")))
    if "createTime" in missing:
        missing["createTime"] = min(str(missing["createTime"]), str(row.get("updateTime", "9")))
    if "runName" in missing:
        missing["runName"] = _number({**row, **missing})
    return {**row, **missing}


def _number(row: Row) -> str:
    """Nine digits that depend on the rest of the row, out of the way of the counted names of generated blocks."""
    parts = [str(row.get(name)) for name in _FIELDS if name != "runName"]
    return str(10**8 + int.from_bytes(digest(*parts, size=8), "big") % (9 * 10**8))


def _values(row: Row) -> list[str | int | float | None]:
    return [row["createTime"], row["projectId"], len(row["runName"]), row["runName"]]


def _bags(_row: Row) -> Iterator[Bag]:
    return iter(())


ROWS = RowModel(
    schema="naver-nsml/list-runs.json#/$defs/run",
    key=lambda row: f"{row['projectId']}/{row['runName']}",
    shapes={"run": lambda row: row},
    columns={"createTime": "TEXT", "projectId": "TEXT", "runNameLength": "INTEGER", "runName": "TEXT"},
    values=_values,
    bags=_bags,
    fill=_fill,
)
