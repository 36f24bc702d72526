"""The rows of a studio, and a page of them as the platform sends it.

**Source** for all fields: List Model Studio Runs, public beta; which are required: foundry-platform-sdk 1.111.0.
"""

from __future__ import annotations

import re
from typing import Any

from localruns.clock import epoch_ms, parse_time
from localruns.engine.call import Call
from localruns.engine.message import Page, Reply
from localruns.engine.page_tokens import next_token
from localruns.engine.vendor import Row, RowModel
from localruns.vendors.palantir_foundry.asking import PREFIX
from localruns.vendors.palantir_foundry.problems import NO_CACHE

_REQUIRED = ("startedTime", "configVersion", "startedBy", "buildRid", "resolvedOutputs", "runId", "jobRid")
_FRACTION = re.compile(r"\.(\d+)")


def render(page: Page, call: Call) -> Reply:
    """One page; `nextPageToken` is left out when no row is left, never empty and never null."""
    content: dict[str, Any] = {"data": ()}
    if token := next_token(page, call, PREFIX):
        content["nextPageToken"] = token
    return Reply(200, content, "palantir-foundry/list-runs.json", NO_CACHE, "data", page.rows)


def _values(row: Row) -> list[str | int]:
    """Columns. Units: `startedTime` milliseconds, `startedTimeRest` the nanoseconds within that millisecond."""
    text = row["startedTime"]
    fraction = _FRACTION.search(text)
    rest = int(fraction[1][3:9].ljust(6, "0")) if fraction else 0
    return [epoch_ms(parse_time(text)), rest, row["configVersion"], row["buildRid"]]


def _fill(row: Row, drawn: Row) -> Row:
    missing = {name: drawn[name] for name in _REQUIRED if name not in row}
    return {**row, **missing}


ROWS = RowModel(
    schema="palantir-foundry/list-runs.json#/$defs/ModelStudioRun",
    key=lambda row: str(row["buildRid"]),
    shapes={"full": lambda row: row},
    columns={
        "startedTime": "INTEGER",
        "startedTimeRest": "INTEGER",
        "configVersion": "INTEGER",
        "buildRid": "TEXT",
    },
    values=_values,
    bags=lambda row: (),
    fill=_fill,
)
