"""Experiments, read-only: what `mlflow.search_runs(experiment_names=[...])` asks before it searches.

**Source**: the vendor's published clients; answers as a real MLflow 3.17.2 server gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localruns.engine.call import Call
from localruns.engine.message import Reply
from localruns.engine.page_tokens import living, until_ms
from localruns.engine.tokens import PageToken, seal
from localruns.errors import ApiError, BadPageToken, NotFound
from localruns.vendors.oracle_aidp import plain
from localruns.vendors.oracle_aidp.access import experiments_of
from localruns.vendors.oracle_aidp.asking import body_of, refused, text_of, whole_size
from localruns.vendors.oracle_aidp.problems import reply_headers

_MAX_RESULTS = 50_000
_UNUSED: dict[str, object] = {"filter": "", "order_by": []}
_LISTED = "experiments"
_VIEWS = {"ACTIVE_ONLY": ("active",), "DELETED_ONLY": ("deleted",), "ALL": ("active", "deleted")}


def get(call: Call) -> Reply:
    """The experiment of `?experiment_id=`, a deleted one too."""
    return _one(call, "experiment_id", "experiment_id")


def get_by_name(call: Call) -> Reply:
    """The experiment of `?experiment_name=`, an active one first."""
    return _one(call, "name", "experiment_name")


def search(call: Call) -> Reply:
    """One page of the experiments of a view, the newest first; a filter or order is not emulated and refused."""
    body = body_of(call)
    for name, nothing in _UNUSED.items():
        if body.get(name) not in (None, nothing):
            raise refused(name, body[name], "nothing: experiments/search has no filter and no order here")
    view = body.get("view_type")
    view = "ACTIVE_ONLY" if view in (None, "") else view
    if not isinstance(view, str) or view not in _VIEWS:
        raise refused("view_type", view, f"one of {', '.join(_VIEWS)}")
    size = whole_size(body, 1000, _MAX_RESULTS)
    shown = [item for item in experiments_of(call) if item["lifecycle_stage"] in _VIEWS[view]]
    start = _start(call, text_of(body, "page_token"))
    return _page(call, shown[start : start + size], start + size if start + size < len(shown) else 0)


def _start(call: Call, text: str) -> int:
    """How many experiments stand before the page."""
    if not text:
        return 0
    token = living(call, text, "page_token")
    if token.query != _LISTED:
        raise BadPageToken("page_token", text, "it was given out for runs")
    return token.offset


def _page(call: Call, shown: list[dict[str, Any]], following: int) -> Reply:
    """A page, with a token where experiments follow; MLflow's own server leaves an empty list out."""
    own = plain.is_plain(call.request)
    content: dict[str, Any] = {} if own and not shown else {"experiments": [_written(item, own) for item in shown]}
    if following:
        version, ends_ms = call.state.version, until_ms(call)
        token = PageToken(call.space.name, _LISTED, len(shown), following, version, page=0, until_ms=ends_ms)
        content["next_page_token"] = seal(token, call.space.scenario.seed, call.vendor.id)
    return _reply(call, content, plain.EXPERIMENTS if own else "oracle-aidp/search-experiments.json")


def _one(call: Call, field: str, parameter: str) -> Reply:
    wanted = call.request.arg(parameter)
    if not wanted:
        raise ApiError(code="MissingParameter", message=f"the query parameter {parameter} is missing")
    matching = [item for item in experiments_of(call) if item[field] == wanted]
    if not matching:
        raise NotFound(detail=f"no experiment with {parameter} {wanted[:200]!r} is declared")
    active = (item for item in matching if item["lifecycle_stage"] == "active")
    shown = _written(next(active, matching[0]), plain.is_plain(call.request))
    return _reply(call, {"experiment": shown}, "oracle-aidp/get-experiment.json")


def _written(shown: dict[str, Any], own: bool) -> dict[str, Any]:
    """An experiment; MLflow's own server names its one workspace."""
    return {**shown, "workspace": "default"} if own else shown


def _reply(call: Call, content: dict[str, Any], schema: str) -> Reply:
    return Reply(200, content, schema, reply_headers(call))


OPERATIONS: tuple[tuple[str, str, Callable[[Call], Reply]], ...] = (
    ("GET", "experiments/get", get),
    ("GET", "experiments/get-by-name", get_by_name),
    ("POST", "experiments/search", search),
)
