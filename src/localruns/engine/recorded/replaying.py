"""Answers a request from a cassette: the recorded answer in place of query and render."""

from __future__ import annotations

from dataclasses import replace

from localruns.engine import contract
from localruns.engine.call import Call
from localruns.engine.faults.wire import WirePlan
from localruns.engine.journal import Entry
from localruns.engine.message import Reply
from localruns.engine.namespace import Namespace
from localruns.engine.recorded.cassette import Miss
from localruns.engine.recorded.exchange import Exchange, json_of
from localruns.engine.recorded.stand_ins import Key
from localruns.engine.recorded.store import RecordedStore, Standing
from localruns.engine.routing import Route
from localruns.engine.steps import decide
from localruns.engine.vendor import Vendor
from localruns.engine.walks import Visit
from localruns.errors import ContractError, Unrecorded

RECORDED = "recorded"  # the operation of an exchange that no vendor knows
# What holds for one connection, or for the body as it was packed; our own server says both anew.
_OF_THE_CONNECTION = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"}
_OF_THE_CONNECTION |= {"trailer", "transfer-encoding", "upgrade", "content-length", "content-encoding"}


def replay(call: Call, route: Route, store: RecordedStore) -> Reply:
    """The recorded answer to a call, once credentials, faults and the rate limit have had their say.

    Raises Unrecorded for a request that no recorded one equals.
    """
    entry = call.entry
    entry.endpoint, operation = "", entry.endpoint or (route.neighbour.name if route.neighbour else RECORDED)
    entry.credential = call.vendor.identify(call.request)
    for check in call.vendor.authenticate if route.endpoint is None else route.endpoint.checks:
        if check in call.vendor.authenticate:
            call = check(call)
    key = store.cassette.key(call.request)
    due = store.cassette.peek(key, call.space.plays)
    standing = None if due is None else store.standing(due)
    if standing is not None:
        call = _joined(call, standing)
    call = decide(call)
    index = _played(key, call.space, entry, store)
    entry.endpoint, exchange = operation, store.cassette.exchanges[index]
    if call.space.terms.delays and call.request.wired:
        plan = WirePlan({"latency_ms": exchange.took_ms}, (call.vendor.id, call.state.calls))
        entry.wire = plan.over(entry.wire)
    if standing is not None and entry.visit is not None:
        entry.page, entry.visit.resumes, entry.visit.more = standing.page, standing.resumes, standing.more
    breach = store.breaches.get(index)
    if breach is None:
        breach = store.breaches[index] = _breach(exchange, call.vendor, operation)
    if breach:
        entry.note(f"as the platform sent it, though {breach}")
    return as_sent(exchange)


def foreign(space: Namespace, entry: Entry, store: RecordedStore) -> Reply:
    """The recorded answer to a request of no vendor's path. Raises Unrecorded."""
    key = store.cassette.key(entry.request)
    exchange = store.cassette.exchanges[_played(key, space, entry, store)]
    entry.endpoint = RECORDED
    return as_sent(exchange)


def as_sent(exchange: Exchange) -> Reply:
    """The reply with its headers as recorded, but for those that belong to the connection it came over."""
    kept = tuple((name, value) for name, value in exchange.reply.headers if name not in _OF_THE_CONNECTION)
    return replace(exchange.reply, headers=kept)


def _played(key: Key, space: Namespace, entry: Entry, store: RecordedStore) -> int:
    """The index of the exchange that is played. Raises Unrecorded."""
    found = store.cassette.take(key, space.plays)
    if isinstance(found, Miss):
        entry.near_miss = f"the recording {store.cassette.head.name!r} has no answer to this request: {found.words}"
        raise Unrecorded(entry.near_miss)
    failed = store.cassette.exchanges[found].failed
    told = f", to which the platform gave no answer: {failed}" if failed else ""
    entry.note(f"exchange {found + 1} of the recording {store.cassette.head.name!r}{told}")
    return found


def _joined(call: Call, standing: Standing) -> Call:
    """The call with what it asks in it, the journal and the walk told."""
    entry = call.entry
    entry.query, entry.cut, entry.page_number = standing.query, standing.cut, standing.page_number
    rest = (standing.cut.size, standing.page_number, standing.version, entry.asked_s)
    call.joins(Visit(standing.place, standing.first, *rest), standing.query)
    return replace(call, query=standing.query, cut=standing.cut, page_number=standing.page_number)


def _breach(exchange: Exchange, vendor: Vendor, operation: str) -> str:
    """How a recorded answer breaks the schema that we have for it, "" when it does not or there is none."""
    status, content = exchange.reply.status, json_of(exchange.reply.body)
    described = vendor.contract.operations.get(operation)
    row = vendor.errors.by_code.get(vendor.traffic.error_code(exchange))
    schema = described.answer if described and status == described.status else ""
    if status >= 400 and row is not None:
        schema = vendor.contract.error_schema(row)
    if not schema or content is None:
        return ""
    try:
        contract.check(Reply(status, content, schema))
    except ContractError as error:
        return str(error)
    return ""
