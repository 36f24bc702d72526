"""A recording in the place of a snapshot: no rows to query, but a cassette; what its pages hold is for the ledger."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from localruns.engine.message import Page, Request, Rows
from localruns.engine.query import Condition, Cut, Field, Query
from localruns.engine.recorded.cassette import Cassette
from localruns.engine.recorded.exchange import Exchange
from localruns.engine.recorded.matching import is_open
from localruns.engine.recorded.traffic import Asked, Told
from localruns.engine.routing import Router
from localruns.engine.scenario import DEFAULT_CLOCK, Scenario, Site, default_settings
from localruns.engine.snapshot import Snapshot
from localruns.engine.store import Store
from localruns.engine.vendor import Vendor
from localruns.engine.walks import NOWHERE, Place


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a recorded list request stands in its walk.

    Shape: `version` counts the recorded walks of that query, from 0; `page` is None for an answer that is no list;
    `resumes` the place that the answer leads to; `more`: it is not the last page.
    """

    query: Query
    cut: Cut
    place: Place
    first: bool
    page_number: int
    by_number: bool
    version: int
    page: Page | None
    resumes: Place
    more: bool


class RecordedStore(Store):
    """A cassette, for all namespaces that point to it. `path` is the recording's file, None for a text.

    Shape: `breaches` what of an exchange breaks the schemas we have, in words, "" for nothing; it fills up in play.
    """

    def __init__(self, cassette: Cassette, vendors: Mapping[str, Vendor], path: Path | None = None) -> None:
        self._router = Router(vendors.values())
        seen = {vendor.id for exchange in cassette.exchanges if (vendor := self._vendor(exchange.request))}
        scenario = _scenario(cassette, [vendor for vendor in vendors.values() if vendor.id in seen])
        super().__init__(Snapshot(scenario, "", ""), path)
        self.cassette = cassette
        self.breaches: dict[int, str] = {}

    def standing(self, index: int) -> Standing | None:
        """Where an exchange stands in its walk; None for one that is no list, or stands in no walk from the start."""
        return self._walked.standings.get(index)

    def order(self, query: Query, version: int) -> array[int]:
        """The rows of a recorded walk, each once, in the order in which they came."""
        return array("I", self._walked.orders.get((query, version), {}))

    def keys(self, _vendor: str, numbers: Iterable[int]) -> dict[int, str]:
        """The row key of each row number."""
        return {number: self._walked.keys[number] for number in numbers}

    @cached_property
    def _walked(self) -> _Pages:
        pages = _Pages()
        for index, exchange in enumerate(self.cassette.exchanges):
            route = self._router.find(exchange.request.method, exchange.request.path)
            if route and route.endpoint and route.endpoint.name == route.vendor.traffic.endpoint:
                pages.add(index, exchange, route.vendor)
        return pages

    def _vendor(self, request: Request) -> Vendor | None:
        return self._router.vendor_of(request.path)


class _Pages:
    """Follows the recorded walks from page to page."""

    def __init__(self) -> None:
        self.standings: dict[int, Standing] = {}
        self.orders: dict[tuple[Query, int], dict[int, None]] = {}
        self.keys: list[str] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._led_to: dict[tuple[Query, str], tuple[int, int]] = {}
        self._versions: dict[Query, int] = {}

    def add(self, index: int, exchange: Exchange, vendor: Vendor) -> None:
        """One more exchange with a list endpoint."""
        asked, told = vendor.traffic.asked(exchange.request), vendor.traffic.told(exchange)
        query = _query(vendor, exchange.request, asked)
        size = asked.size or (len(told.rows) if told else 0)
        by_number = asked.token is None and asked.number is not None
        if by_number:
            offset, page_number = ((asked.number or 1) - 1) * size, asked.number or 1
        else:
            offset, page_number = self._led_to.get((query, asked.token or ""), (0, 1 if asked.first else 0))
        if not page_number:
            return
        version = self._versions.get(query, 0)
        if asked.first and told and (query, version) in self.orders:
            version = self._versions[query] = version + 1
        page = self._page(told, vendor, query, version, Cut(offset, size)) if told else None
        resumes = NOWHERE
        if page and told and told.token is not None:
            resumes = (0, page.next_offset)
            self._led_to[query, told.token] = (page.next_offset, page_number + 1)
        elif page and by_number:
            resumes = (size, page_number + 1)
        more = page is not None and resumes != NOWHERE and not (by_number and told and _is_last(told, offset, size))
        place = (size, page_number) if by_number else (0, offset)
        rest = (place, asked.first, page_number, by_number, version, page, resumes, more)
        self.standings[index] = Standing(query, Cut(offset, size), *rest)

    def _page(self, told: Told, vendor: Vendor, query: Query, version: int, cut: Cut) -> Page | None:
        try:
            keys = [vendor.rows.key(row) for row in told.rows]
        except (AttributeError, KeyError, TypeError, ValueError):  # the rows are not what we know them to be
            return None
        numbers = array("I", (self._number(vendor.id, key) for key in keys))
        keys = [self.keys[number] for number in numbers]  # one text for each row, on however many pages it stands
        order = self.orders.setdefault((query, version), {})
        order.update(dict.fromkeys(numbers))
        rows = Rows((b"",) * len(keys))  # the answer is sent as it was recorded, so they are only counted
        after = cut.offset + len(rows)
        more = told.token is not None
        total = after + more if told.total is None else told.total
        return Page(rows, keys, cut.offset, cut.size, total, numbers, leads_to=after if more else -1)

    def _number(self, vendor: str, key: str) -> int:
        number = self._numbers.setdefault((vendor, key), len(self.keys))
        if number == len(self.keys):
            self.keys.append(key)
        return number


def _is_last(told: Told, offset: int, size: int) -> bool:
    """Whether a numbered page is the last: by the total, else because it is not full."""
    after = offset + len(told.rows)
    return after >= told.total if told.total is not None else not told.rows or len(told.rows) < size


def _query(vendor: Vendor, request: Request, asked: Asked) -> Query:
    """What a list request asks beside paging: its path and every other parameter, as they were sent."""
    names = is_open(asked.rest)
    given = (Condition(Field(name), "=", str(asked.rest[name])) for name in sorted(names))
    return Query(vendor.id, request.path, tuple(given), ())


def _scenario(cassette: Cassette, vendors: Iterable[Vendor]) -> Scenario:
    """What of a scenario a recording has: its vendors, with the well-known credentials, which nobody asks for."""
    sites = {
        vendor.id: Site("off", default_settings(vendor.id), vendor.resources, vendor.credentials())
        for vendor in vendors
    }
    return Scenario(cassette.head.name, cassette.head.about, 0, DEFAULT_CLOCK, sites, (), {})
