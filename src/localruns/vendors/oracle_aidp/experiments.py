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
from localruns.vendors.oracle_aidp.asking import body_of, refused, whole_size
from localruns.vendors.oracle_aidp.problems import reply_headers

_MAX_RESULTS = 50_000
_UNUSED: dict[str, object] = {"filter": "", "order_by": [], "page_token": ""}
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
    for name, nothing in _UNUSED.items():
        if body.get(name) not in (None, nothing):
            raise refused(name, body[name], "nothing: experiments/search takes only max_results and view_type here")
    view = body.get("view_type")
    view = "ACTIVE_ONLY" if view in (None, "") else view
    if not isinstance(view, str) or view not in _VIEWS:
        raise refused("view_type", view, f"one of {', '.join(_VIEWS)}")
    size = whole_size(body, 1000, _MAX_RESULTS)
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
