"""Asks recorded requests again, with the tokens of the server at hand in the place of the recorded ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from werkzeug.test import Client

from localruns.engine.recorded.exchange import Exchange, reply_from
from localruns.engine.recorded.recording import Reader
from localruns.engine.vendor import Vendor
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.reading.recognising import Known, Recogniser
from localruns.surfaces.http import App
from localruns.vendors import all_vendors

GOLDEN = Path(__file__).parent.parent / "golden" / "har"
_WAITS = ("retry-after", "x-acs-retry-after", "qos-retry-hint")


@dataclass(frozen=True)
class Page:
    """What a client sees of an answer: its rows, or its error; whether more follows is told by a token alone."""

    vendor: str
    rows: tuple[str, ...]
    more: bool
    status: int
    code: str
    waits: tuple[tuple[str, str], ...]


def known(exchanges: Iterable[Exchange]) -> list[Known]:
    """The requests for lists among the exchanges."""
    recogniser = Recogniser(all_vendors(), Leftovers())
    found = [recogniser.known(exchange) for exchange in exchanges]
    return [each for each in found if each and each.listing]


def recorded(path: Path) -> list[Known]:
    """The requests for lists in a recording."""
    return known(Reader(path))


def seen(each: Known, exchange: Exchange) -> Page:
    """What a client sees of an exchange."""
    traffic = each.vendor.traffic
    told = traffic.told(exchange)
    rows = tuple(json.dumps(row, sort_keys=True) for row in told.rows) if told else ()
    waits = tuple((name, value) for name, value in exchange.reply.headers if name in _WAITS)
    code = "" if told else traffic.error_code(exchange)
    return Page(each.vendor.id, rows, bool(told and told.token), exchange.reply.status, code, waits)


def asked_again(app: App, requests: Iterable[Known]) -> Iterator[tuple[Page, Page]]:
    """(what was recorded, what the application answers) for each request, in order."""
    client = app.test_client()
    tokens: dict[tuple[str, str], str] = {}
    for each in requests:
        traffic, exchange = each.vendor.traffic, each.exchange
        token = traffic.asked(exchange.request).token
        changes = {traffic.token[0]: tokens[each.vendor.id, token]} if (each.vendor.id, token) in tokens else {}
        answer = ask(client, each, changes)
        ours, theirs = traffic.told(answer), traffic.told(exchange)
        if ours and theirs and ours.token and theirs.token:
            tokens[each.vendor.id, theirs.token] = ours.token
        yield seen(each, exchange), seen(each, answer)


def ask(client: Client, each: Known, changes: Mapping[str, Any]) -> Exchange:
    """The exchange of a recorded request with some parameters changed; None takes one away."""
    request, traffic = each.exchange.request, each.vendor.traffic
    target, body = request.target, request.body
    if traffic.place == "body":
        given = {**traffic.parameters(request), **changes}
        body = json.dumps({name: value for name, value in given.items() if value is not None}).encode()
    elif changes:
        pairs = [pair for pair in request.args if pair[0] not in changes]
        pairs += [(name, str(value)) for name, value in changes.items() if value is not None]
        target = f"{request.path}?{urlencode(pairs)}"
    unwanted = ("content-length", "accept-encoding", "connection")
    headers = [pair for pair in request.headers if pair[0] not in unwanted]
    answer = client.open(target, method=request.method, headers=headers, data=body)
    reply = reply_from(answer.status_code, answer.headers.items(), answer.data)
    return Exchange(request, reply)


def keys(client: Client, first: Known, size: int) -> list[str]:
    """The keys of all rows that a walk with that page size finds, errors on the way asked once more."""
    vendor: Vendor = first.vendor
    traffic, found = vendor.traffic, list[str]()
    numbered = traffic.by_number(first.exchange.request)
    names = {*traffic.size, *traffic.token, *traffic.number}
    place: Any = 1 if numbered else None
    for _ in range(1000):
        changes: dict[str, Any] = dict.fromkeys(names)
        changes[traffic.size[-1] if numbered else traffic.size[0]] = size
        changes[(traffic.number if numbered else traffic.token)[0]] = place
        told = traffic.told(ask(client, first, changes))
        if told is None:
            continue
        found += map(vendor.rows.key, told.rows)
        place = place + 1 if numbered else told.token
        if (numbered and len(told.rows) < size) or (not numbered and told.token is None):
            return found
    raise AssertionError("the walk did not end")
