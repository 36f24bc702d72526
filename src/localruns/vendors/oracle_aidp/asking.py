"""What a search request asks: a JSON body, every member optional.

**Source**: REST reference, "(Preview) List experiment runs", 20260430; edge cases as a real MLflow 3.17.2 server
answers them, or the strict answer where that is an accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from localruns.engine.call import Call
from localruns.engine.kept import kept
from localruns.engine.page_tokens import read_token
from localruns.engine.params import INT64
from localruns.engine.query import Condition, Cut, Field, Order, Query
from localruns.engine.scenario import Site
from localruns.engine.steps import found
from localruns.errors import ApiError, BadRequest
from localruns.vendors.oracle_aidp.access import declared, scope
from localruns.vendors.oracle_aidp.filters import parse_filter
from localruns.vendors.oracle_aidp.orders import parse_order

MAX_FILTER_CHARACTERS = 100_000
_STAGES = {"ACTIVE_ONLY": "active", "DELETED_ONLY": "deleted"}
_VIEWS = (*_STAGES, "ALL")


def parse(call: Call) -> Call:
    """The call with its query and page. Raises BadRequest and the errors of `body_of`."""
    _require_json(call)
    query, size, text = _read(
        call.request.body, call.params["workspaceKey"], call.params["aiDataPlatformId"], call.site
    )
    if not text:
        return found(call, query, Cut(0, size), shape="whole", page_number=1)
    token = read_token(call, text, "page_token", query, size)
    return found(call, query, Cut(token.offset, size), shape="whole", page_number=token.page, token=text, origin=token)


@kept
def _read(raw: bytes, workspace: str, platform: str, site: Site) -> tuple[Query, int, str]:
    """(query, page size, page token or "") of a body."""
    body = _object(raw)
    known = {experiment["experiment_id"] for experiment in declared(workspace, platform, site)}
    conditions = (*_experiments(body, known), *_view(body), *_filter(body, site.settings))
    query = Query("oracle-aidp", scope(platform, workspace), conditions, order_of(body, site.settings["dialect"]))
    return query, _size(body, site.settings), text_of(body, "page_token")


def body_of(call: Call) -> Mapping[str, Any]:
    """The request's JSON object. Refused: another content type, no body, no JSON, no object."""
    _require_json(call)
    return _object(call.request.body)


def _require_json(call: Call) -> None:
    kind = (call.request.header("content-type") or "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise refused("content-type", kind, "application/json")


def _object(raw: bytes) -> Mapping[str, Any]:
    if not raw.strip():
        raise ApiError(code="MissingParameter", message="the request body is missing, expected a JSON object")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ApiError(code="CannotParseRequest", message=f"the request body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise refused("body", body, "a JSON object")
    return body


def refused(parameter: str, value: object, expected: str) -> BadRequest:
    """A refusal whose text on the wire says what was found and what was expected."""
    shown = repr(value) if len(repr(value)) < 200 else repr(value)[:197] + "..."
    message = f"{parameter} is {shown}, expected {expected}"
    return BadRequest(parameter, value, code="InvalidParameter", message=message, detail=message)


def _experiments(body: Mapping[str, Any], known: set[str]) -> tuple[Condition, ...]:
    """No ids match nothing, as do ids that are not declared; neither is an error."""
    ids = body.get("experiment_ids")
    if ids is None:
        ids = []
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise refused("experiment_ids", ids, "an array of strings")
    return (Condition(Field("experiment_id"), "in", tuple(sorted(known.intersection(ids)))),)


def _view(body: Mapping[str, Any]) -> tuple[Condition, ...]:
    view = body.get("run_view_type")
    view = "ACTIVE_ONLY" if view is None else view
    if view not in _VIEWS:
        raise refused("run_view_type", view, f"one of {', '.join(_VIEWS)}")
    return () if view == "ALL" else (Condition(Field("lifecycle_stage"), "=", _STAGES[view]),)


def _filter(body: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[Condition, ...]:
    text = text_of(body, "filter")
    if len(text) > MAX_FILTER_CHARACTERS:
        raise refused("filter", text, f"at most {MAX_FILTER_CHARACTERS:,} characters")
    return parse_filter(text, settings["dialect"]) if text else ()


def order_of(body: Mapping[str, Any], dialect: str = "mlflow") -> tuple[Order, ...]:
    """How rows are sorted. Raises BadRequest."""
    items = body.get("order_by")
    items = [] if items is None else items
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise refused("order_by", items, "an array of strings")
    return parse_order(items, dialect)


def _size(body: Mapping[str, Any], settings: Mapping[str, Any]) -> int:
    """The page size; a default above the limit is cut to it, whoever asked for nothing is never refused."""
    most: int = settings["max_page_size"]
    default = min(settings["default_page_size"], most)
    if settings["too_large"] == "clamp":
        return min(whole_size(body, default, INT64), most)
    return whole_size(body, default, most)


def whole_size(body: Mapping[str, Any], default: int, most: int) -> int:
    """`max_results`, from 1 to the limit; MLflow also takes it as digits in a string or as an integral float."""
    size = given = body.get("max_results", default)
    digits = isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 12
    if digits or (isinstance(given, float) and given.is_integer()):
        size = int(given)
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= most:
        raise refused("max_results", given, f"an integer from 1 to {most}")
    return size


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A member that is a text; "" where it is absent or null. Raises BadRequest."""
    text = body.get(name)
    if text is not None and not isinstance(text, str):
        raise refused(name, text, "a string")
    return text or ""
