"""What a run-list request asks: a page number and a page size.

**Source**: Get run list, names and defaults; the rules at the edges are assumed, see this folder's README.
"""

from __future__ import annotations

from collections.abc import Mapping

from localruns.engine.call import Call
from localruns.engine.kept import kept
from localruns.engine.message import parse_query
from localruns.engine.params import INT32, whole
from localruns.engine.query import Cut, Field, Order, Query
from localruns.engine.scenario import Site
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
    cut, page = _read(call.request.query, call.site)
    return found(call, QUERY, cut, shape="run", page_number=page, by_number=True)


@kept
def _read(text: str, site: Site) -> tuple[Cut, int]:
    """(slice, page number) of a query string; the first value of a parameter counts, an empty one as absent."""
    args = dict(reversed(parse_query(text)[0]))
    lowest = 0 if site.settings["page_zero"] == "first" else 1
    page = max(_number(args, "page", 1, lowest), 1)
    size = _number(args, "pageSize", site.settings["default_page_size"], 1)
    size = min(size, site.settings["max_page_size"])
    return Cut((page - 1) * size, size), page


def _number(args: Mapping[str, str], name: str, default: int, low: int) -> int:
    text = args.get(name)
    return whole(name, text, low, INT32) if text else default
