"""The media types a request declares: what it sends and what it would read.

**Source**: CLOVA NSML overview (Content-Type is listed as required, 406 as a status); the triggers are assumed.
"""

from __future__ import annotations

import re

from localruns.engine.call import Call
from localruns.errors import ApiError, BadRequest

_RANK = {"application/json": 3, "application/*": 2, "*/*": 1}
_ZERO = re.compile(r"q=0(\.0*)?")


def content_type(call: Call) -> Call:
    """Refuse a Content-Type other than JSON, or none, where the setting `content_type` asks for it."""
    given = call.request.header("content-type")
    if call.settings["content_type"] == "require" and _media_type(given or "") != "application/json":
        raise BadRequest("Content-Type", given, "application/json")
    return call


def acceptable(call: Call) -> Call:
    """Refuse an Accept header under which JSON could not be sent; an empty one counts as absent."""
    header = ",".join(call.request.header_values("accept"))
    if header.strip() and not takes_json(header):
        raise ApiError(code="nsml-406", detail=f"Accept is {header[:200]!r}, expected application/json in it")
    return call


def takes_json(accept: str) -> bool:
    """Whether an Accept header lets JSON through: the closest of its ranges decides."""
    ranges = [(_RANK.get(_media_type(item), 0), item) for item in accept.split(",")]
    rank, closest = max(ranges, key=lambda found: found[0])
    parameters = [part.strip().lower() for part in closest.split(";")[1:]]
    return rank > 0 and not any(_ZERO.fullmatch(part) for part in parameters)


def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()
