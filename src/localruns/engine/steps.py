"""Checks and renderings that vendors share; each takes a call and returns it, or refuses."""

from __future__ import annotations

import re
import time
from dataclasses import replace

from localruns.engine.call import Call
from localruns.engine.faults import Moment, injected
from localruns.engine.message import Page, Reply
from localruns.engine.query import Cut, Query
from localruns.engine.tokens import PageToken, TokenError, fingerprint, seal, unseal
from localruns.engine.vendor import Answer, Render
from localruns.engine.walks import NOWHERE, Visit
from localruns.errors import BadPageToken, NotEmulated, Problem

_PREFER = re.compile(r"\b(code|error)\s*=\s*\"?([^;,\"\s]+)\"?", re.IGNORECASE)


def preferred(call: Call) -> Call:
    """Answer with the error that `Prefer: code=NNN` asks for, for this request only.

    Raises Problem for a status outside the vendor's error table.
    """
    header = call.request.header("prefer")
    asked = {key.lower(): value for key, value in _PREFER.findall(header or "")}
    if not asked:
        return call
    table, detail = call.vendor.errors, f"asked for by the header 'Prefer: {header}'"
    if (name := asked.get("error")) is not None:
        row = table.by_code.get(name)
        if row is None or asked.get("code", str(row.status)) != str(row.status):
            raise _no_such_error(call, f"error {name!r}" + (f" of status {asked['code']}" if "code" in asked else ""))
        raise injected(table, name, detail=detail)
    status = asked["code"]
    row = table.of_status(int(status)) if status.isdecimal() and len(status) == 3 else None
    if row is None:
        raise _no_such_error(call, f"status {status!r}")
    kind = next((kind for kind, code in table.kinds.items() if code == row.code), "")
    raise injected(table, kind or row.code, detail=detail)


def _no_such_error(call: Call, what: str) -> Problem:
    listed = ", ".join(f"{row.status} {row.code}" for row in call.vendor.errors.rows)
    return Problem(400, "no such error", f"{call.vendor.id} has no {what}, expected one of: {listed}")


def decide(call: Call) -> Call:
    """Count the call, and refuse it when a fault of the scenario says so."""
    state = call.state
    state.calls += 1
    operation = call.endpoint.name if call.endpoint else ""
    moment = Moment(call.vendor.id, operation, state.calls, call.page_number, state.rows)
    for fault in call.space.faults:
        if fault.strikes(moment):
            raise fault.refusal(call.vendor.errors)
    return call


def found(
    call: Call,
    query: Query,
    cut: Cut,
    *,
    shape: str,
    page_number: int,
    by_number: bool = False,
) -> Call:
    """The call with what it asks in it, the journal told; `by_number` when the client pages by number, not by token."""
    entry = call.entry
    entry.query, entry.cut, entry.page_number = query, cut, page_number
    entry.visit = Visit(cut.offset, page_number, call.state.version, time.monotonic())
    entry.walk = call.space.walks.join(call.vendor.id, entry.credential, query, entry.visit)
    return replace(call, query=query, cut=cut, shape=shape, page_number=page_number, by_number=by_number)


def listing(render: Render) -> Answer:
    """The answer of a list endpoint: one page of the present version, rendered."""

    def answer(call: Call) -> Reply:
        if call.query is None:
            raise NotEmulated("a list endpoint without a query")
        page = call.space.store.page(call.query, call.state.version, call.cut, call.shape)
        call.entry.page = page
        visit = call.entry.visit
        if visit is not None:
            # Who pages by number may always ask for the number after; who pages by token needs one.
            after = page.offset + page.size if call.by_number else NOWHERE
            visit.resumes, visit.more = page.next_offset or after, bool(page.next_offset)
        return render(page, call)

    return answer


def next_token(page: Page, call: Call, prefix: str = "") -> str:
    """The text token of the page after this one, or "" on the last page."""
    if not page.next_offset or call.query is None:
        return ""
    token = PageToken(
        namespace=call.space.name,
        query=fingerprint(call.query),
        size=call.cut.size,
        offset=page.next_offset,
        version=call.state.version,
        page=call.page_number + 1,
    )
    return prefix + seal(token, call.space.scenario.seed, call.vendor.id)


def read_token(call: Call, text: str, parameter: str, query: Query, size: int, prefix: str = "") -> PageToken:
    """The page token of a request, held against the setting `token_binding`. Raises BadPageToken."""
    if not text.startswith(prefix):
        raise BadPageToken(parameter, text, f"it does not begin with {prefix!r}")
    try:
        token = unseal(text[len(prefix) :], call.space.scenario.seed, call.vendor.id)
    except TokenError as error:
        raise BadPageToken(parameter, text, str(error)) from None
    binding = call.settings["token_binding"]
    if token.namespace != call.space.name:
        raise BadPageToken(parameter, text, f"it was given out in the namespace {token.namespace!r}")
    if binding != "none" and token.query != fingerprint(query):
        raise BadPageToken(parameter, text, "it was given out for another filter, order or resource")
    if binding == "query_and_size" and token.size != size:
        raise BadPageToken(parameter, text, f"it was given out for a page size of {token.size}, not {size}")
    return token
