"""Recorded requests asked of our own emulation: where we answer differently from the real platform."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote_plus

import orjson

from localruns import yamlio
from localruns.engine.emulator import Emulator, Options
from localruns.engine.journal import Entry
from localruns.engine.message import ErrorRow, Request
from localruns.engine.recorded.exchange import Exchange, request_from
from localruns.engine.recorded.traffic import Traffic
from localruns.engine.source import Source
from localruns.engine.vendor import Vendor
from localruns.recordings.drift.claims import Claims, claims_of
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.reading.placing import Placed
from localruns.recordings.reading.recognising import Known, Recogniser
from localruns.recordings.rebuilding.scenario import Rebuilt, rebuild
from localruns.recordings.rebuilding.seen import Query, query_of
from localruns.recordings.verifying.answers import Difference, differences
from localruns.reports.words import asked, why

Result = Literal["same", "differs", "skipped"]
_LABEL = "the scenario rebuilt from the recording"
_OF_STATE = (401, 403, 408, 429)  # and all from 500: they do not follow from the request
_NOT_SENT = ("x-localruns-namespace", "content-length", "transfer-encoding")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One exchange. Shape: `request` in words; `note` why it was not asked, or the reason behind our answer."""

    place: str
    vendor: str
    request: str
    result: Result
    differences: Sequence[Difference] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """All outcomes in their order. Shape: `notes` say what was left out."""

    outcomes: Sequence[Outcome]
    notes: Sequence[str] = ()

    def of(self, result: Result) -> list[Outcome]:
        """The outcomes of one kind."""
        return [outcome for outcome in self.outcomes if outcome.result == result]

    @property
    def nothing(self) -> bool:
        """Whether nothing was asked again."""
        return all(outcome.result == "skipped" for outcome in self.outcomes)

    @property
    def good(self) -> bool:
        """Whether something was asked and nothing differs."""
        return not self.nothing and not self.of("differs")


def rebuilt(exchanges: Iterable[Exchange], vendors: Mapping[str, Vendor], only: str = "") -> Rebuilt:
    """The scenario of what is recorded, without its faults: what they say is to come from our rules."""
    made = rebuild(exchanges, "verified", vendors, only=only)
    if not made.text:
        return made
    content = Source(made.text, _LABEL).content
    return replace(made, text=yamlio.dump({name: value for name, value in content.items() if name != "faults"}))


def emulator_of(text: str, vendors: Mapping[str, Vendor], cache: Path) -> Emulator:
    """Our emulation of a rebuilt scenario; who may call was settled when it was recorded."""
    return Emulator(vendors, (text, _LABEL), Options(cache, auth="off"))


def verify(
    exchanges: Iterable[Placed],
    vendors: Mapping[str, Vendor],
    emulator: Emulator,
    *,
    only: str = "",
    prefer: bool = True,
    unfinished: Collection[Query] = (),
    left: Leftovers | None = None,
) -> Verified:
    """Ask `emulator` each recorded request in turn and compare the answers.

    `prefer`: errors that do not follow from the request, such as 429, are asked for by name. `unfinished` are queries
    of which the emulator has no more rows than the recording shows, and that is not all.
    """
    left = left or Leftovers()
    work = _Work(vendors, emulator, only, prefer, left)
    work.unfinished = unfinished
    outcomes = [outcome for place, exchange in exchanges if (outcome := work.take(place, exchange))]
    return Verified(outcomes, list(left.lines()))


class _Work:
    """One pass; `_tokens` are ours by those that were recorded."""

    def __init__(
        self, vendors: Mapping[str, Vendor], emulator: Emulator, only: str, prefer: bool, left: Leftovers
    ) -> None:
        self._recogniser = Recogniser(vendors, left, only)
        self._emulator = emulator
        self._prefer = prefer
        self._left = left
        self._tokens: dict[tuple[str, str], str] = {}
        self.unfinished: Collection[Query] = ()

    def take(self, place: str, exchange: Exchange) -> Outcome | None:
        """One more exchange; None for one that is no vendor's."""
        known = self._recogniser.known(exchange)
        if known is None:
            return None
        vendor, request = known.vendor.id, known.exchange.request
        words = f"{request.method} {request.path}"
        if exchange.failed:
            return Outcome(place, vendor, words, "skipped", note="the platform did not answer")
        if known.bodiless:
            return Outcome(place, vendor, words, "skipped", note="the file does not hold the body of the request")
        if vendor not in self._emulator.space("default").states:
            return Outcome(place, vendor, words, "skipped", note=f"the scenario holds no data for {vendor}")
        claims = claims_of(known.vendor, known.vendor.alias_at(request.path))
        request = self._prepared(known)
        if known.listing and (lost := self._lost(known)):
            return Outcome(place, vendor, words, "skipped", note=lost)
        rows = _unforeseen(known, claims) if self._prefer and request.header("prefer") is None else []
        wished = [_wishing(request, row) for row in rows] or [request]
        outcomes = (self._asked(place, known, claims, each) for each in wished)
        first = next(outcomes)
        return first if first.result == "same" else next((each for each in outcomes if each.result == "same"), first)

    def _asked(self, place: str, known: Known, claims: Claims, request: Request) -> Outcome:
        route = self._emulator.router.find(request.method, request.path)
        if route is None:
            raise ValueError(f"{request.path} is no vendor's")
        reply, space, entry = self._emulator.answer(request, route)
        entry.reply = reply
        self._emulator.sent(space, entry)
        if known.listing:
            self._learn(known, Exchange(request, reply))
        partial = known.listing and self._partial(known)
        found = differences(known, claims, reply, partial=partial)
        outcome = Outcome(
            place, known.vendor.id, asked(entry), "differs" if found else "same", found, _note(entry, found)
        )
        space.journal.clear()
        return outcome

    def _prepared(self, known: Known) -> Request:
        """The request with our page token in it."""
        request = known.exchange.request
        headers = tuple((name, value) for name, value in request.headers if name not in _NOT_SENT)
        request = replace(request, headers=headers)
        if not known.listing:
            return request
        token = known.vendor.traffic.asked(request).token
        ours = self._tokens.get((known.vendor.id, token)) if token else None
        return with_token(request, known.vendor.traffic, ours) if ours else request

    def _lost(self, known: Known) -> str:
        """Why a page cannot be asked for, "" when it can."""
        traffic = known.vendor.traffic
        token = traffic.asked(known.exchange.request).token
        if token is None or traffic.by_number(known.exchange.request) or (known.vendor.id, token) in self._tokens:
            return ""
        if known.exchange.reply.status >= 400:  # a token that was refused may be anything
            return ""
        return "no answer of ours leads to the page of this token"

    def _partial(self, known: Known) -> bool:
        """Whether the recording does not show all rows of the list."""
        asked = known.vendor.traffic.asked(known.exchange.request)
        if query_of(known.vendor, known.scope, asked.rest) not in self.unfinished:
            return False
        self._left.add("totals and ends of lists of which the file does not show all pages", known.vendor.id)
        return True

    def _learn(self, known: Known, ours: Exchange) -> None:
        """Which token of ours stands for the recorded one."""
        traffic = known.vendor.traffic
        told, own = traffic.told(known.exchange), traffic.told(ours)
        if told and own and told.token is not None and own.token is not None:
            self._tokens[known.vendor.id, told.token] = own.token


def _unforeseen(known: Known, claims: Claims) -> list[ErrorRow]:
    """The lines of the error table that may be meant, where they follow from the caller or the state of things."""
    status, code = known.exchange.reply.status, claims.code(known.exchange)
    of_caller = bool(code) and code.startswith(tuple(known.vendor.traffic.of_caller))
    if not (status in _OF_STATE or status >= 500 or of_caller):
        return []
    rows = zip(known.vendor.errors.rows, claims.errors, strict=True)
    return [row for row, claim in rows if (claim.status, claim.code) == (status, code)]


def _wishing(request: Request, row: ErrorRow) -> Request:
    """The request with the wish for an error."""
    return replace(request, headers=(*request.headers, ("prefer", f"code={row.status}; error={row.code}")))


def with_token(request: Request, traffic: Traffic, token: str) -> Request:
    """The request with another page token, all else as it is."""
    name = next(name for name in traffic.token if traffic.parameters(request).get(name))
    if traffic.place == "body":
        content: dict[str, Any] = traffic.parameters(request)
        return replace(request, body=orjson.dumps({**content, name: token}))
    pairs = (
        f"{pair.partition('=')[0]}={quote(token, safe='')}" if unquote_plus(pair.partition("=")[0]) == name else pair
        for pair in request.query.split("&")
    )
    return request_from(request.method, f"{request.path}?{'&'.join(pairs)}", request.headers, request.body)


def _note(entry: Entry, found: Sequence[Difference]) -> str:
    """The reason behind our answer, where it is another one altogether."""
    return why(entry) if any(each.pointer in ("status", "error code") for each in found) else ""
