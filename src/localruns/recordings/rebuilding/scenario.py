"""Rebuilds a scenario from recorded exchanges: the rows of all pages, the order, the habits, the errors met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localruns.clock import parse_time
from localruns.engine.recorded.exchange import Exchange
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.reading.recognising import Known, Recogniser
from localruns.recordings.rebuilding.checking import check
from localruns.recordings.rebuilding.faulting import delays as delay_faults
from localruns.recordings.rebuilding.faulting import faults, page_faults
from localruns.recordings.rebuilding.habits import Habits
from localruns.recordings.rebuilding.observing import Observer
from localruns.recordings.rebuilding.resources import Resources
from localruns.recordings.rebuilding.rowbook import Rowbook
from localruns.recordings.rebuilding.seen import Query, Seen, Spool, Walk
from localruns.recordings.rebuilding.trial import Trial
from localruns.recordings.rebuilding.writing import Page, heading, text_of


@dataclass(frozen=True, slots=True)
class Figures:
    """What was understood of one vendor's traffic. Shape: `sizes` the page sizes asked, None where none was named."""

    vendor: str
    walks: int
    pages: int
    rows: int
    errors: int
    sizes: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A scenario's text, and what was not understood.

    Shape: `notes` a line each; `lost` counts rows and fields that had to be left out because the vendor's schema does
    not allow them; `text` is empty where nothing was understood; `unfinished` are the queries whose lists no walk shows
    from the first page to the last.
    """

    text: str
    notes: Sequence[str]
    figures: Sequence[Figures] = ()
    lost: int = 0
    unfinished: frozenset[Query] = frozenset()


def rebuild(
    exchanges: Iterable[Exchange],
    name: str,
    vendors: Mapping[str, Vendor],
    *,
    only: str = "",
    delays: bool = False,
    left: Leftovers | None = None,
    source: str = "recorded exchanges",
) -> Rebuilt:
    """The scenario called `name` that answers the recorded requests as they were answered.

    `only` names one vendor to look for, `source` says where the exchanges came from. Raises ConfigError for a scenario
    that would be larger than one may be.
    """
    left = left or Leftovers()
    spool = Spool()
    try:
        work = _Work(vendors, spool, left, only)
        for exchange in exchanges:
            work.take(exchange)
        return work.finish(name, delays, source)
    finally:
        spool.close()


class _Work:
    """One rebuilding."""

    def __init__(self, vendors: Mapping[str, Vendor], spool: Spool, left: Leftovers, only: str) -> None:
        self._vendors = vendors
        self._left = left
        self._spool = spool
        self._recogniser = Recogniser(vendors, left, only)
        self._observer = Observer(spool, left)
        self._habits: dict[str, Habits] = {}
        self._resources: dict[str, Resources] = {}
        self._start = ""

    def take(self, exchange: Exchange) -> None:
        """One more exchange."""
        known = self._recogniser.known(exchange)
        seen = self._observer.take(known) if known else None
        if known and seen:
            self._start = self._start or exchange.at
            self._learn(known, seen)

    def _learn(self, known: Known, seen: Seen) -> None:
        vendor = known.vendor.id
        self._habits.setdefault(vendor, Habits(vendor)).note(known, seen)
        self._resources.setdefault(vendor, Resources(vendor)).note(known, seen)

    def finish(self, name: str, delays: bool, source: str) -> Rebuilt:
        """The scenario of all that was taken."""
        for words in self._recogniser.remarks():
            self._left.remark(words)
        listing = {seen.vendor.id for seen in self._observer.calls if seen.listing}
        parts = {vendor: self._part(vendor) for vendor in self._vendors if vendor in listing}
        if not parts:
            return Rebuilt("", list(self._left.lines()))
        trial = Trial(self._vendors, parts)
        try:
            return self._write(name, parts, trial, delays, source)
        finally:
            trial.close()

    def _part(self, vendor: str) -> dict[str, Any]:
        """What of a vendor stands above its rows."""
        settings = self._habits[vendor].settings(self._calls(vendor))
        resources = self._resources[vendor].found()
        part: dict[str, Any] = {"auth": "present"}
        if settings:
            part["settings"] = settings
        if resources:
            part["resources"] = resources
        return part

    def _write(
        self, name: str, parts: Mapping[str, Mapping[str, Any]], trial: Trial, delays: bool, source: str
    ) -> Rebuilt:
        head: dict[str, Any] = {"scenario": name, "about": f"Rebuilt from {source}."}
        if clock := _clock(self._start):
            head["clock"] = clock
        armed: list[Mapping[str, Any]] = []
        books = []
        for vendor in map(self._vendors.__getitem__, parts):
            calls = self._calls(vendor.id)
            armed += [*faults(vendor, calls, self._spool, trial, self._left), *page_faults(vendor, calls)]
            armed += delay_faults(vendor, calls) if delays else ()
            walks = [walk for walk in self._observer.walks if walk.vendor is vendor]
            self._tell(vendor, walks)
            books.append(Rowbook(vendor, self._spool, self._left, trial).fill(walks, calls))
        figures = [self._figures(vendor) for vendor in parts]
        text = text_of(Page(head, parts, books, armed))
        check(text, name, self._vendors, books, self._left)
        notes = list(self._left.lines())
        lost = sum(book.lost for book in books)
        return Rebuilt(
            heading(list(self._left.lines(hosts=False))) + text, notes, figures, lost, _unfinished(self._observer.walks)
        )

    def _calls(self, vendor: str) -> list[Seen]:
        return [seen for seen in self._observer.calls if seen.vendor.id == vendor]

    def _tell(self, vendor: Vendor, walks: Sequence[Walk]) -> None:
        """Say which walks do not show all rows."""
        for count, words in _incomplete(walks):
            self._left.remark(f"{vendor.id}: {words}: {count}")

    def _figures(self, vendor: str) -> Figures:
        calls = [seen for seen in self._calls(vendor) if seen.listing]
        walks = [walk for walk in self._observer.walks if walk.vendor.id == vendor]
        pages = [seen for seen in calls if seen.good]
        sizes = sorted({seen.asked.size for seen in calls}, key=lambda size: size or 0)
        return Figures(vendor, len(walks), len(pages), self._spool.count(vendor), len(calls) - len(pages), sizes)


def _unfinished(walks: Sequence[Walk]) -> frozenset[Query]:
    """The queries whose lists no walk shows from the first page to the last."""
    shown = {walk.query for walk in walks if walk.last}
    return frozenset(shown - {walk.query for walk in walks if walk.started and walk.complete})


def _incomplete(walks: Sequence[Walk]) -> Iterator[tuple[int, str]]:
    broken = sum(walk.started and not walk.complete for walk in walks)
    if broken:
        yield broken, "walks that end before the last page, so that what lies behind was not seen"
    late = sum(not walk.started for walk in walks)
    if late:
        yield late, "walks that begin behind the first page, so that where their rows belong was not seen"


def _clock(at: str) -> str:
    """A recorded time as a scenario's clock, "" where it is none."""
    try:
        return parse_time(at).isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""
    except (ValueError, OverflowError, ConfigError):
        return ""
