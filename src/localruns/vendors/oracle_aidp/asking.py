"""What a search request asks: a JSON body, every member optional.

**Source**: REST reference, "(Preview) List experiment runs", 20260430; edge cases as a real MLflow 3.17.2 server
answers them, or the strict answer where that is an accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from localruns.engine.call import Call
from localruns.engine.params import INT64
from localruns.engine.query import Condition, Cut, Field, Order, Query
from localruns.engine.steps import found, read_token
from localruns.errors import ApiError, BadRequest
from localruns.vendors.oracle_aidp.access import experiments_of, scope_of
from localruns.vendors.oracle_aidp.filters import parse_filter
from localruns.vendors.oracle_aidp.orders import parse_order

MAX_FILTER_CHARACTERS = 100_000
_STAGES = {"ACTIVE_ONLY": "active", "DELETED_ONLY": "deleted"}
_VIEWS = (*_STAGES, "ALL")


def parse(call: Call) -> Call:
    """The call with its query and page. Raises BadRequest and the errors of `body_of`."""
    body = body_of(call)
    conditions = (*_experiments(body, call), *_view(body), *_filter(body, call))
    query = Query("oracle-aidp", scope_of(call), conditions, order_of(body, call.settings["dialect"]))
    size = _size(body, call)
    text = _text(body, "page_token")
    if not text:
        return found(call, query, Cut(0, size), shape="whole", page_number=1)
    token = read_token(call, text, "page_token", query, size)
    return found(call, query, Cut(token.offset, size), shape="whole", page_number=token.page, token=text, origin=token)


def body_of(call: Call) -> Mapping[str, Any]:
    """The request's JSON object. Refused: another content type, no body, no JSON, no object."""
    kind = (call.request.header("content-type") or "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise refused("content-type", kind, "application/json")
    if not call.request.body.strip():
        raise ApiError(code="MissingParameter", message="the request body is missing, expected a JSON object")
    try:
        body = orjson.loads(call.request.body)
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


def _experiments(body: Mapping[str, Any], call: Call) -> tuple[Condition, ...]:
    """No ids match nothing, as do ids that are not declared; neither is an error."""
    ids = body.get("experiment_ids")
    if ids is None:
        ids = []
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise refused("experiment_ids", ids, "an array of strings")
    declared = {experiment["experiment_id"] for experiment in experiments_of(call)}
    return (Condition(Field("experiment_id"), "in", tuple(sorted(declared.intersection(ids)))),)


def _view(body: Mapping[str, Any]) -> tuple[Condition, ...]:
    view = body.get("run_view_type")
    view = "ACTIVE_ONLY" if view is None else view
    if view not in _VIEWS:
        raise refused("run_view_type", view, f"one of {', '.join(_VIEWS)}")
    return () if view == "ALL" else (Condition(Field("lifecycle_stage"), "=", _STAGES[view]),)


def _filter(body: Mapping[str, Any], call: Call) -> tuple[Condition, ...]:
    text = _text(body, "filter")
    if len(text) > MAX_FILTER_CHARACTERS:
        raise refused("filter", text, f"at most {MAX_FILTER_CHARACTERS:,} characters")
    return parse_filter(text, call.settings["dialect"]) if text else ()


def order_of(body: Mapping[str, Any], dialect: str = "mlflow") -> tuple[Order, ...]:
    """How rows are sorted. Raises BadRequest."""
    items = body.get("order_by")
    items = [] if items is None else items
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise refused("order_by", items, "an array of strings")
    return parse_order(items, dialect)


def _size(body: Mapping[str, Any], call: Call) -> int:
    """The page size; a default above the limit is cut to it, whoever asked for nothing is never refused."""
    most: int = call.settings["max_page_size"]
    default = min(call.settings["default_page_size"], most)
    if call.settings["too_large"] == "clamp":
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


def _text(body: Mapping[str, Any], name: str) -> str:
    text = body.get(name)
    if text is not None and not isinstance(text, str):
        raise refused(name, text, "a string")
    return text or ""
