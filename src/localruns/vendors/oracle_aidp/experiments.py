"""Experiments, read-only: what `mlflow.search_runs(experiment_names=[...])` asks before it searches.

**Source**: the vendor's published clients; answers as a real MLflow 3.17.2 server gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localruns.engine.call import Call
from localruns.engine.message import Reply
from localruns.errors import ApiError, NotFound
from localruns.vendors.oracle_aidp.access import experiments_of
from localruns.vendors.oracle_aidp.asking import body_of, refused
from localruns.vendors.oracle_aidp.problems import reply_headers

_MAX_RESULTS = 50_000
_VIEWS = {"ACTIVE_ONLY": ("active",), "DELETED_ONLY": ("deleted",), "ALL": ("active", "deleted")}


def get(call: Call) -> Reply:
    """The experiment of `?experiment_id=`, a deleted one too."""
    return _one(call, "experiment_id", "experiment_id")


def get_by_name(call: Call) -> Reply:
    """The experiment of `?experiment_name=`, an active one first."""
    return _one(call, "name", "experiment_name")


def search(call: Call) -> Reply:
    """All experiments of a view, the newest id first; a filter or order is not emulated and refused."""
    body = body_of(call)
    for name in ("filter", "order_by", "page_token"):
        if body.get(name):
            raise refused(name, body[name], "nothing: experiments/search takes only max_results and view_type here")
    view = body.get("view_type") or "ACTIVE_ONLY"
    if view not in _VIEWS:
        raise refused("view_type", view, f"one of {', '.join(_VIEWS)}")
    size = body.get("max_results", 1000)
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= _MAX_RESULTS:
        raise refused("max_results", size, f"an integer from 1 to {_MAX_RESULTS}")
    shown = [item for item in experiments_of(call) if item["lifecycle_stage"] in _VIEWS[view]]
    return _reply(call, {"experiments": shown[:size]}, "search-experiments.json")


def _one(call: Call, field: str, parameter: str) -> Reply:
    wanted = call.request.arg(parameter)
    if not wanted:
        raise ApiError(code="MissingParameter", message=f"the query parameter {parameter} is missing")
    matching = [item for item in experiments_of(call) if item[field] == wanted]
    if not matching:
        raise NotFound(detail=f"no experiment with {parameter} {wanted[:200]!r} is declared")
    active = (item for item in matching if item["lifecycle_stage"] == "active")
    return _reply(call, {"experiment": next(active, matching[0])}, "get-experiment.json")


def _reply(call: Call, content: dict[str, Any], schema: str) -> Reply:
    return Reply(200, content, f"oracle-aidp/{schema}", reply_headers(call))


OPERATIONS: tuple[tuple[str, str, Callable[[Call], Reply]], ...] = (
    ("GET", "experiments/get", get),
    ("GET", "experiments/get-by-name", get_by_name),
    ("POST", "experiments/search", search),
)
