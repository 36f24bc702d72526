"""The rows of runs/search, and a page of them as the platform sends it.

**Source** for all fields: REST reference, "(Preview) List experiment runs", 20260430.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from localruns.engine.call import Call
from localruns.engine.message import Page, Reply
from localruns.engine.page_tokens import next_token
from localruns.engine.vendor import Bag, Row, RowModel
from localruns.vendors.oracle_aidp import plain
from localruns.vendors.oracle_aidp.problems import reply_headers

_TEXTS = ("run_id", "run_name", "user_id", "status", "artifact_uri", "experiment_id", "lifecycle_stage")
_TIMES = ("start_time", "end_time")
_COLUMNS = (*_TEXTS, *_TIMES)
_all_columns: Callable[[Row], tuple[str | int | float, ...]] = itemgetter(*_COLUMNS)
_REQUIRED = ("run_id", "experiment_id", "status", "start_time", "lifecycle_stage")


def render(page: Page, call: Call) -> Reply:
    """One page; the token stands in the body and in `opc-next-page`, and is absent on the last page.

    Over MLflow's own paths there is no such header, and `runs` is left out where no run matches.
    """
    own = plain.is_plain(call.request)
    content: dict[str, Any] = {} if own and not page.rows else {"runs": ()}
    headers = reply_headers(call)
    token = next_token(page, call)
    if token is not None:
        content["next_page_token"] = token
    if token and not own:
        headers += (("opc-next-page", token),)
    return Reply(200, content, plain.LIST if own else "oracle-aidp/list-runs.json", headers, "runs", page.rows)


def _values(row: Row) -> Sequence[str | int | float | None]:
    info = row["info"]
    try:
        return _all_columns(info)
    except KeyError:  # few rows lack one
        return list(map(info.get, _COLUMNS))


def _bags(row: Row) -> Iterator[Bag]:
    data = row.get("data", {})
    latest: dict[str, Mapping[str, Any]] = {}
    for metric in data.get("metrics", ()):
        key = metric.get("key", "")
        if latest.setdefault(key, metric) is not metric and _rank(metric) > _rank(latest[key]):
            latest[key] = metric
    for key, metric in latest.items():
        if "value" in metric:
            yield "metrics", key, float(metric["value"])
    for bag in ("params", "tags"):
        for item in data.get(bag, ()):
            if "value" in item:
                yield bag, item.get("key", ""), item["value"]
    for used in row.get("inputs", {}).get("dataset_inputs", ()):
        yield "datasets", "name", used["dataset"]["name"]
        yield "datasets", "digest", used["dataset"]["digest"]
        for tag in used.get("tags", ()):
            if tag["key"] == "mlflow.data.context":
                yield "datasets", "context", tag["value"]


def _rank(metric: Mapping[str, Any]) -> tuple[float, ...]:
    """The latest point of a metric has the greatest step, then timestamp, then value."""
    value = float(metric.get("value", 0))
    return metric.get("step", 0), metric.get("timestamp", 0), value if value == value else float("-inf")


def _fill(row: Row, drawn: Row) -> Row:
    info = dict(row.get("info", {}))
    for name in _REQUIRED:
        info.setdefault(name, drawn["info"][name])
    info.setdefault("run_uuid", info["run_id"])
    return {**row, "info": info}


def _key(row: Row) -> str:
    return str(row["info"]["run_id"])


ROWS = RowModel(
    schema="oracle-aidp/list-runs.json#/$defs/ExperimentRun",
    key=_key,
    shapes={"whole": lambda row: row},
    columns={**dict.fromkeys(_TEXTS, "TEXT"), **dict.fromkeys(_TIMES, "INTEGER")},
    values=_values,
    bags=_bags,
    fill=_fill,
)
