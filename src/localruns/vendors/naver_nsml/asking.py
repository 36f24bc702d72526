"""What a run-list request asks: a page number and a page size.

**Source**: Get run list, names and defaults; the rules at the edges are assumed, see this folder's README.
"""

from __future__ import annotations

from localruns.engine.call import Call
from localruns.engine.params import INT32, whole
from localruns.engine.query import Cut, Field, Order, Query
from localruns.engine.steps import found
from localruns.errors import ApiError

# Newest first, as in both published samples; the ties are assumed. Names are numbers of any length: the longer of
# two is the greater, and among equals the text decides.
QUERY = Query(
    "naver-nsml",
    "",
    (),
    (
        Order(Field("createTime"), descending=True),
        Order(Field("projectId")),
        Order(Field("runNameLength"), descending=True),
        Order(Field("runName"), descending=True),
    ),
)


def readable(call: Call) -> Call:
    """Refuse a query that is not UTF-8, before anything else is looked at."""
    if call.request.undecodable:
        raise ApiError(code="100", detail="the query holds bytes that are not UTF-8")
    return call


def parse(call: Call) -> Call:
    """The call with its query and page. Raises BadRequest."""
    lowest = 0 if call.settings["page_zero"] == "first" else 1
    page = max(_number(call, "page", 1, lowest), 1)
    size = _number(call, "pageSize", call.settings["default_page_size"], 1)
    size = min(size, call.settings["max_page_size"])
    return found(call, QUERY, Cut((page - 1) * size, size), shape="run", page_number=page, by_number=True)


def _number(call: Call, name: str, default: int, low: int) -> int:
    """The first value of a parameter; an empty one counts as absent."""
    text = call.request.arg(name)
    return whole(name, text, low, INT32) if text else default
