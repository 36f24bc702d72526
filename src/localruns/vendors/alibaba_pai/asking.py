"""What a ListRuns request asks: fifteen optional parameters, two ways of paging.

**Source**: ListRuns API reference, 20 October 2025; where it is silent, the rule and its setting stand in this folder's
README.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localruns.clock import epoch_ms, parse_time
from localruns.engine.call import Call
from localruns.engine.kept import kept
from localruns.engine.message import parse_query
from localruns.engine.params import INT64, whole
from localruns.engine.query import Condition, Cut, Field, Order, Query
from localruns.engine.scenario import Site
from localruns.engine.steps import found
from localruns.errors import BadRequest

_EXACT = ("ExperimentId", "SourceType", "SourceId")
_SORTABLE = ("GmtCreateTime", "Name")
_TIME = "a time such as 2021-01-30T12:51:33.028Z, or with an offset (its plus written as %2B)"


def parse(call: Call) -> Call:
    """The call with its query and page.

    A parameter that cannot be used is kept in `details` until its turn comes: the platform looks at faults, quotas
    and permissions before it looks at parameters, and a fault needs the page number.
    """
    try:
        return _asked(call)
    except BadRequest as refusal:
        call.details = refusal
        return call


def usable(call: Call) -> Call:
    """Refuse what `parse` could not use. Raises BadRequest (`InvalidParameter`)."""
    if isinstance(call.details, BadRequest):
        raise call.details
    return call


def _asked(call: Call) -> Call:
    if call.request.undecodable:
        raise BadRequest("query string", call.request.query, "UTF-8 text")
    query, cut, by_number, shape = _read(call.request.query, call.site)
    return found(call, query, cut, shape=shape, page_number=cut.offset // cut.size + 1, by_number=by_number)


@kept
def _read(text: str, site: Site) -> tuple[Query, Cut, bool, str]:
    """(query, slice, whether the client pages by number, shape) of a query string."""
    args: dict[str, str] = {}
    for name, value in parse_query(text)[0]:
        if value:
            args.setdefault(name, value)
    verbose = _boolean(args, "Verbose")
    query = Query("alibaba-pai", "", tuple(_conditions(args, site)), order_of(args))
    cut, by_number = _cut(args, site.settings)
    return query, cut, by_number, "verbose" if verbose else "brief"


def order_of(args: Mapping[str, str]) -> tuple[Order, ...]:
    """How rows are sorted, equal ones by RunId. Raises BadRequest."""
    given = {name: value for name, value in args.items() if value}
    return (*_order(given), Order(Field("RunId")))


def _cut(args: dict[str, str], settings: Mapping[str, Any]) -> tuple[Cut, bool]:
    """(slice, whether the client pages by number).

    PageSize serves both ways of paging, MaxResults that by token only.
    """
    given: dict[str, int] = {
        name: whole(name, args[name], 0 if name == "PageToken" else 1, INT64)
        for name in ("PageToken", "MaxResults", "PageNumber", "PageSize")
        if name in args
    }
    token = given.get("PageToken", 0)
    if "PageNumber" in given and token and settings["mixed_paging"] == "reject":
        raise BadRequest("PageToken", token, "no PageToken beside PageNumber")
    default: int = settings["default_page_size"]
    most: int = settings["max_page_size"]
    by_token = "PageToken" in given or "MaxResults" in given
    by_number = "PageNumber" in given or ("PageSize" in given and not by_token)
    size = given.get("PageSize", default)
    size = min(size if by_number else given.get("MaxResults", size), most)
    return Cut((given.get("PageNumber", 1) - 1) * size if by_number else token, size), by_number


def _conditions(args: dict[str, str], site: Site) -> list[Condition]:
    conditions = [Condition(Field("WorkspaceId"), "=", args.get("WorkspaceId") or _default_workspace(site))]
    if "Name" in args:
        exact = site.settings["name_match"] == "exact"
        conditions.append(Condition(Field("Name"), "=" if exact else "contains", args["Name"]))
    conditions += [Condition(Field(name), "=", args[name]) for name in _EXACT if name in args]
    if "GmtCreateTime" in args:
        equal = site.settings["gmt_create_time_match"] == "equal"
        instant = _instant(args["GmtCreateTime"])
        conditions.append(Condition(Field("GmtCreateTime"), "=" if equal else ">=", instant))
    return conditions + _labels(args.get("Labels", ""))


def _default_workspace(site: Site) -> str:
    workspaces: dict[str, Any] = site.resources["workspaces"]
    marked = (name for name, options in workspaces.items() if (options or {}).get("default"))
    return next(marked, next(iter(workspaces)))


def _labels(text: str) -> list[Condition]:
    """`k:v,k2:v2`, all must hold; a bare key means any value."""
    conditions = []
    for item in text.split(",") if text else ():
        key, colon, value = item.strip(" ").partition(":")
        if not key:
            raise BadRequest("Labels", text, "key:value pairs separated by commas")
        field = Field(key, bag="labels")
        conditions.append(Condition(field, "=", value) if colon else Condition(field, "present"))
    return conditions


def _order(args: dict[str, str]) -> list[Order]:
    """`OrderBy` with ASC as its default, else `SortBy` and `Order` with DESC as theirs."""
    if "OrderBy" not in args:
        return [_item(args.get("SortBy", "GmtCreateTime"), args.get("Order", "DESC"), "SortBy", "Order")]
    items: dict[Field, Order] = {}
    for text in args["OrderBy"].split(","):
        field, *rest = list(filter(None, text.split(" "))) or [""]
        item = _item(field, " ".join(rest) or "ASC", "OrderBy", "OrderBy")
        items.setdefault(item.field, item)
    return list(items.values())


def _item(field: str, direction: str, named: str, directed: str) -> Order:
    if field not in _SORTABLE:
        raise BadRequest(named, field, f"one of {', '.join(_SORTABLE)}")
    if direction.upper() not in ("ASC", "DESC"):
        raise BadRequest(directed, direction, "ASC or DESC")
    return Order(Field(field), descending=direction.upper() == "DESC")


def _boolean(args: dict[str, str], name: str) -> bool:
    text = args.get(name, "false").lower()
    if text not in ("true", "false"):
        raise BadRequest(name, args[name], "true or false")
    return text == "true"


def _instant(text: str) -> int:
    try:
        return epoch_ms(parse_time(text))
    except (ValueError, OverflowError):
        raise BadRequest("GmtCreateTime", text, _TIME) from None
