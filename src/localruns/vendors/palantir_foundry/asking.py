"""What a request for the runs of a studio asks, and the refusals of its parameters, in the platform's order.

**Source**: List Model Studio Runs, Errors and Paging pages; parsing as in the Conjure server library.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from localruns.engine.call import Call
from localruns.engine.kept import kept
from localruns.engine.message import parse_query
from localruns.engine.page_tokens import read_token
from localruns.engine.params import INT32, whole
from localruns.engine.query import Condition, Cut, Field, Order, Query
from localruns.engine.steps import found
from localruns.engine.tokens import PageToken
from localruns.errors import BadPageToken, BadRequest, NotFound

RID = re.compile(r"ri\.[a-z][a-z0-9-]*\.([a-z0-9][a-z0-9-]*)?\.[a-z][a-z0-9-]*\.[A-Za-z0-9._-]+")
PREFIX = "v1."
Args = Sequence[tuple[str, str]]
ORDER = (Order(Field("startedTime"), True), Order(Field("startedTimeRest"), True), Order(Field("buildRid")))


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters, parsed. Shape: None for an absent one."""

    studio: str
    config_version: int | None
    page_size: int | None
    page_token: str | None
    preview: bool
    query: Query


def parse(call: Call) -> Call:
    """The call with its parameters. Raises BadRequest (`Default:InvalidArgument`)."""
    studio = call.params["modelStudioRid"]
    if not RID.fullmatch(studio):
        raise BadRequest("modelStudioRid", studio, "a RID such as ri.models.main.model-studio.<uuid>")
    _attribution(call)
    call.details = _read(call.request.query, studio)
    return call


@kept
def _read(text: str, studio: str) -> Asked:
    """The parameters in a query string, and the query they stand for."""
    args = parse_query(text)[0]
    version, size = _int32(args, "configVersion"), _int32(args, "pageSize")
    conditions = () if version is None else (Condition(Field("configVersion"), "=", version),)
    return Asked(
        studio=studio,
        config_version=version,
        page_size=size,
        page_token=_single(args, "pageToken"),
        preview=(_single(args, "preview") or "").lower() == "true",
        query=Query("palantir-foundry", studio, conditions, ORDER),
    )


def preview(call: Call) -> Call:
    """Refuse a request that does not opt in to preview endpoints."""
    if call.settings["require_preview"] and not call.details.preview:
        shown = call.request.arg("preview")
        detail = "preview=true is missing" if shown is None else f"preview is {shown[:40]!r}, expected true"
        raise BadRequest("preview", shown, "true", code="ApiFeaturePreviewUsageOnly", detail=detail)
    return call


def page_size(call: Call) -> Call:
    """Refuse a page size below 1."""
    size = call.details.page_size
    if size is not None and size < 1:
        raise BadRequest("pageSize", size, "1 or more", code="InvalidPageSize", parameters={"pageSize": size})
    return call


def studio(call: Call) -> Call:
    """Refuse a studio that does not exist."""
    rid, known = call.details.studio, call.resources["studios"]
    if rid not in known:
        detail = f"there is no studio {rid}, expected one of: {', '.join(list(known)[:5])}"
        raise NotFound(code="ModelStudioNotFound", detail=detail, parameters={"studioRid": rid})
    return call


def config_version(call: Call) -> Call:
    """Refuse a configuration version that the studio does not have; undeclared means all from 1 on."""
    rid, version = call.details.studio, call.details.config_version
    known = (call.resources["studios"][rid] or {}).get("config_versions")
    if version is None or (version >= 1 if known is None else version in known):
        return call
    raise NotFound(
        code="ModelStudioConfigVersionNotFound",
        detail=f"configVersion is {version}, expected one of: {', '.join(map(str, known or ['1 or more']))}",
        parameters={"studioRid": rid, "configVersion": version},
    )


def page(call: Call) -> Call:
    """The call with its query and page. Raises BadPageToken."""
    asked: Asked = call.details
    query = asked.query
    wanted = call.settings["default_page_size"] if asked.page_size is None else asked.page_size
    size = min(wanted, call.settings["max_page_size"])
    if asked.page_token is None:
        return found(call, query, Cut(0, size), shape="full", page_number=1)
    token = _token(call, asked.page_token, query, size)
    cut = Cut(token.offset, size)
    return found(call, query, cut, shape="full", page_number=token.page, token=asked.page_token, origin=token)


def _token(call: Call, text: str, query: Query, size: int) -> PageToken:
    try:
        return read_token(call, text, "pageToken", query, size, PREFIX)
    except BadPageToken as refused:
        code, parameters = "InvalidPageToken", {"pageToken": text}
        raise BadPageToken("pageToken", text, refused.reason, code=code, parameters=parameters) from None


def _single(args: Args, name: str) -> str | None:
    values = [value for key, value in args if key == name]
    if len(values) > 1:
        raise BadRequest(name, values, "one value")
    return values[0] if values else None


def _int32(args: Args, name: str) -> int | None:
    text = _single(args, name)
    return None if text is None else whole(name, text, -INT32 - 1, INT32)


def _attribution(call: Call) -> None:
    """**Source**: the SDK joins RIDs with `, ` and knows the error for anything else."""
    text = call.request.header("attribution")
    if text is not None and not all(RID.fullmatch(part.strip()) for part in text.split(",")):
        code, parameters = "InvalidAttributionHeader", {"header": text}
        raise BadRequest("attribution", text, "RIDs separated by commas", code=code, parameters=parameters)
