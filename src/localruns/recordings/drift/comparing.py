"""Recorded traffic held against what we claim of each vendor: what has changed there, or what we have wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from localruns.engine.recorded.exchange import Exchange
from localruns.engine.recorded.traffic import Told
from localruns.engine.routing import Router
from localruns.engine.vendor import Vendor
from localruns.recordings.drift.answers import answer
from localruns.recordings.drift.claims import Claims, claims_of
from localruns.recordings.drift.kinds import CLASSES, KINDS, Class, Deviation
from localruns.recordings.drift.pages import Pages
from localruns.recordings.drift.unseen import Unseen
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.reading.recognising import Known, Recogniser

MAX_SHAPES = 5
Placed = tuple[str, Exchange]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of drift at one place.

    Shape: `place` is the operation and what of it; `found` and `expected` shapes in words; `count` how often; `first`
    the first exchange that shows it.
    """

    kind: str
    classed: Class
    vendor: str
    place: str
    found: str
    expected: str
    count: int
    first: str


@dataclass(frozen=True, slots=True)
class Compared:
    """How much of one vendor's traffic was compared."""

    vendor: str
    lists: int = 0
    rows: int = 0
    errors: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found.

    Shape: the worst findings first; `read` counts all exchanges; `notes` say what was left out.
    """

    findings: Sequence[Finding]
    compared: Sequence[Compared]
    read: int
    notes: Sequence[str] = ()

    @property
    def nothing(self) -> bool:
        """Whether no list exchange of a known vendor was there to be compared."""
        return not any(each.lists for each in self.compared)

    def of(self, classed: Class) -> list[Finding]:
        """The findings of one class."""
        return [finding for finding in self.findings if finding.classed == classed]

    @property
    def good(self) -> bool:
        """Whether something was compared and none of it breaks clients."""
        return not self.nothing and not self.of("breaking")


def drift(
    exchanges: Iterable[Placed], vendors: Mapping[str, Vendor], *, only: str = "", left: Leftovers | None = None
) -> Report:
    """Compare exchanges one by one, each with the words that say where it stands; nothing of them is kept.

    `only` names one vendor to look for; then what it answers at paths that it does not have counts as well.
    """
    left = left or Leftovers()
    work = _Work(vendors, only, left)
    read = 0
    for place, exchange in exchanges:
        read += 1
        work.take(place, exchange)
    return work.report(read, left)


@dataclass(slots=True)
class _Tally:
    expected: str
    first: str
    count: int = 0
    shapes: dict[str, None] = field(default_factory=dict)


class _Work:
    """One comparison."""

    def __init__(self, vendors: Mapping[str, Vendor], only: str, left: Leftovers) -> None:
        self._recogniser = Recogniser(vendors, left, only)
        self._router = Router(vendors.values())
        self._only = only
        self._left = left
        self._pages = Pages()
        self._tallies: dict[tuple[str, str, str], _Tally] = {}
        self._compared: dict[str, Compared] = {}
        self._unseen: dict[tuple[str, str], Unseen] = {}
        self._known_claims: dict[tuple[str, str], Claims] = {}

    def take(self, place: str, exchange: Exchange) -> None:
        """One more exchange."""
        if exchange.failed:
            self._left.add("exchanges that the platform did not answer")
            return
        if stray := self._stray(exchange):
            self._note(stray, place, answer(self._claims(stray, exchange.request.path), None, exchange), errors=1)
            return
        known = self._recogniser.known(exchange)
        if known is None:
            return
        claims = self._claims(known.vendor, known.exchange.request.path)
        bad = int(exchange.reply.status >= 400)
        counted = {"lists": int(known.listing), "errors": bad, "others": int(not known.listing)}
        self._note(known.vendor, place, answer(claims, known.endpoint, known.exchange), **counted)
        told = known.vendor.traffic.told(known.exchange) if known.listing else None
        if told is not None:
            self._note(known.vendor, place, self._paged(known, claims, told), rows=len(told.rows))
            self._see(known, claims, place, told.rows)

    def report(self, read: int, left: Leftovers) -> Report:
        """What all of it comes to."""
        for (vendor, name), unseen in self._unseen.items():
            for deviation in unseen.deviations(name):
                self._add(vendor, unseen.first, deviation)
        for words in self._recogniser.remarks():
            left.remark(words)
        findings = [_finding(key, tally) for key, tally in self._tallies.items()]
        findings.sort(key=lambda each: (CLASSES.index(each.classed), each.vendor, each.place, each.kind))
        return Report(findings, list(self._compared.values()), read, list(left.lines()))

    def _paged(self, known: Known, claims: Claims, told: Told) -> Iterable[Deviation]:
        if known.bodiless:
            self._left.remark(f"{known.vendor.id}: requests came without their body, so their paging was not compared")
            return ()
        return self._pages.take(known, claims, known.vendor.traffic.asked(known.exchange.request), told)

    def _claims(self, vendor: Vendor, path: str) -> Claims:
        alias = vendor.alias_at(path)
        key = (vendor.id, alias.prefix if alias else "")
        return self._known_claims.get(key) or self._known_claims.setdefault(key, claims_of(vendor, alias))

    def _stray(self, exchange: Exchange) -> Vendor | None:
        """The vendor that was asked for and refused a path it does not have."""
        route = self._router.find(exchange.request.method, exchange.request.path)
        if not self._only or route is None or route.vendor.id != self._only or exchange.reply.status < 400:
            return None
        return None if route.endpoint or route.neighbour else route.vendor

    def _see(self, known: Known, claims: Claims, place: str, rows: Sequence[Mapping[str, Any]]) -> None:
        key = (claims.vendor.id, known.endpoint.name)
        unseen = self._unseen.setdefault(key, Unseen(claims.vendor, place))
        unseen.see(rows)

    def _note(self, vendor: Vendor, place: str, deviations: Iterable[Deviation], **counted: int) -> None:
        before = self._compared.get(vendor.id, Compared(vendor.id))
        more = {name: getattr(before, name) + count for name, count in counted.items()}
        self._compared[vendor.id] = replace(before, **more)
        for deviation in deviations:
            self._add(vendor.id, place, deviation)

    def _add(self, vendor: str, place: str, deviation: Deviation) -> None:
        key = (vendor, deviation.place, deviation.kind)
        tally = self._tallies.setdefault(key, _Tally(deviation.expected, place))
        tally.count += 1
        if len(tally.shapes) <= MAX_SHAPES:
            tally.shapes[deviation.found] = None


def _finding(key: tuple[str, str, str], tally: _Tally) -> Finding:
    vendor, place, kind = key
    shapes = list(tally.shapes)
    found = "; ".join(shapes[:MAX_SHAPES]) + ("; ..." if len(shapes) > MAX_SHAPES else "")
    return Finding(kind, KINDS[kind].classed, vendor, place, found, tally.expected, tally.count, tally.first)
