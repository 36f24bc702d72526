"""Checks and renderings that vendors share; each takes a call and returns it, or refuses."""

from __future__ import annotations

import re
from dataclasses import replace

from localruns.engine.call import Call
from localruns.engine.faults.armed import Fault, Moment, injected, words
from localruns.engine.faults.pages import CATALOGUE, DEFAULT_PAGE, FIRST_PAGE, Strike
from localruns.engine.faults.rates import require_room
from localruns.engine.message import Page, Reply
from localruns.engine.query import Cut, Query
from localruns.engine.tokens import PageToken
from localruns.engine.vendor import Answer, Render
from localruns.engine.walks import Visit
from localruns.errors import NotEmulated, Problem

_PREFER = re.compile(r"\b(code|error)\s*=\s*\"?([^;,\"\s]+)\"?", re.IGNORECASE)


def preferred(call: Call) -> Call:
    """Answer with the error that `Prefer: code=NNN` asks for, for this request only.

    Raises Problem for a status outside the vendor's error table.
    """
    if call.request.header("prefer") is None:
        return call
    header = ", ".join(call.request.header_values("prefer"))
    asked = {key.lower(): value for key, value in _PREFER.findall(header)}
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
    """Count the call; hold it against the rate limit and the faults, which may refuse it or spoil its answer."""
    state = call.state
    state.calls += 1
    if not call.space.faults:
        require_room(call)
        return call
    faults = [fault for fault in call.space.faults if fault.concerns(call.vendor.id, state.calls)]
    operation = call.endpoint.name if call.endpoint else ""
    moment = Moment(call.vendor.id, operation, state.calls, call.page_number, state.rows)
    for fault in faults:  # a refusal comes over the same wire, so these are first
        if fault.kind == "wire" and fault.due(moment):
            _wire_fault(call, fault)
    require_room(call)
    for fault in faults:
        if fault.kind == "page_fault":
            call = _page_fault(call, fault, moment)
        elif fault.kind == "refuse" and fault.strikes(moment):
            raise fault.refusal(call.vendor.errors)
    return call


def _wire_fault(call: Call, fault: Fault) -> None:
    """Write down what is to happen to the bytes of the answer. Raises NotEmulated where nobody could carry it out."""
    entry, plan = call.entry, fault.plan(call)
    if plan.needs_socket and not call.request.wired:
        names = ", ".join(plan.needs_socket)
        raise NotEmulated(f"the wire fault {names} needs the server of localruns itself, this is another one")
    fault.fired += 1
    entry.wire = plan.over(entry.wire)
    entry.note(f"fault {words(fault.spec)}, fired {fault.fired} times")


def _page_fault(call: Call, fault: Fault, moment: Moment) -> Call:
    """The call with a page fault that may act on it; some refuse, some change the page size."""
    walk, name = call.entry.walk, fault.spec.get("page_fault", "")
    entry = CATALOGUE[name]
    style = "number" if call.by_number else "text" if "text" in call.vendor.paging else "integer"
    if walk is None or style not in entry.paging or not fault.applies(moment):
        return call
    strike = Strike(entry, fault, fault.spec["when"].get("page", 1 if name in FIRST_PAGE else DEFAULT_PAGE), call, walk)
    refusal = entry.refuse(strike)
    if refusal is not None:
        fault.fired += 1
        raise refusal
    size = entry.size(strike, call.cut.size)
    offset = (call.page_number - 1) * size if call.by_number else call.cut.offset
    strike = replace(strike, resized=size != call.cut.size)
    return replace(call, cut=Cut(offset, size), strikes=(*call.strikes, strike))


def found(
    call: Call,
    query: Query,
    cut: Cut,
    *,
    shape: str,
    page_number: int,
    by_number: bool = False,
    token: str = "",
    origin: PageToken | None = None,
) -> Call:
    """The call with what it asks in it, the journal and the walk told.

    `by_number` when the client pages by number and not by token; `token` is the text token it presents, `origin`
    what it says.
    """
    entry = call.entry
    entry.query, entry.cut, entry.page_number = query, cut, page_number
    place = (cut.size, page_number) if by_number else (0, cut.offset)
    first = page_number == 1 if by_number else not cut.offset and not token
    call.joins(Visit(place, first, cut.size, page_number, call.state.version, entry.asked_s), query)
    call.query, call.cut, call.shape = query, cut, shape
    call.page_number, call.by_number = page_number, by_number
    call.token, call.origin = token, origin
    return call


def listing(render: Render) -> Answer:
    """The answer of a list endpoint: one page of the present version, rendered."""

    def answer(call: Call) -> Reply:
        if call.query is None:
            raise NotEmulated("a list endpoint without a query")
        page = cut_page(call, call.query)
        call.entry.page = page
        visit = call.entry.visit
        if visit is not None:
            visit.more = page.more
            if call.by_number:
                # Who pages by number may always ask for the number after; who pages by token needs one.
                visit.resumes = (visit.size, visit.page_number + 1)
            elif page.more:
                visit.resumes = (0, page.next_offset)
        return render(page, call)

    return answer


def cut_page(call: Call, query: Query) -> Page:
    """The page that the call asks for, as its page faults leave it; those that change it are counted."""
    if not call.strikes:
        return call.space.store.page(query, call.state.version, call.cut, call.shape)
    order = truth = call.space.store.order(query, call.state.version)
    cut, acted = call.cut, {strike.armed.id: strike for strike in call.strikes if strike.resized}
    for strike in call.strikes:
        before = cut, order[cut.offset : cut.offset + cut.size]
        order = strike.fault.order(strike, order)
        cut = Cut(strike.fault.offset(strike, cut.offset, len(order)), cut.size)
        if (cut, order[cut.offset : cut.offset + cut.size]) != before:
            acted[strike.armed.id] = strike
    page = call.space.store.cut(query.vendor, order, cut, call.shape)
    if len(order) != len(truth):
        # There are no more runs than before, however often one is listed.
        page = replace(page, total_shown=len(truth))
    for strike in call.strikes:
        told, page = page.told, strike.fault.page(strike, page)
        if page.told != told:
            acted[strike.armed.id] = strike
    for strike in acted.values():
        strike.armed.fired += 1
        call.entry.note(f"fault {words(strike.armed.spec)}, fired {strike.armed.fired} times")
    return page
