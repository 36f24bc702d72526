"""The pages of lists held against what we claim of paging: sizes, order, tokens, the end, totals."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import orjson

from localruns import placeholders
from localruns.engine.query import Order
from localruns.engine.recorded.exchange import json_of
from localruns.engine.recorded.traffic import Asked, Told
from localruns.engine.vendor import Row, RowModel
from localruns.errors import BadRequest
from localruns.recordings.drift.claims import Claims
from localruns.recordings.drift.kinds import Deviation
from localruns.recordings.drift.shape import form_of, kind_of
from localruns.recordings.reading.recognising import Known

MAX_OPEN = 10_000
_ABSENT = object()
_ENDS: Mapping[object, str] = {_ABSENT: "absent", None: "null", "": "empty text", 0: "0"}


@dataclass(frozen=True, slots=True)
class _Before:
    """What the pages before told. Shape: `total` None once it has changed or was not told."""

    row: Row
    rows: int
    total: int | None
    whole: bool


@dataclass(frozen=True, slots=True)
class _Page:
    """One good page. Units: `size` is the number of rows that we would have sent at most."""

    known: Known
    claims: Claims
    asked: Asked
    told: Told
    by_number: bool
    size: int

    @property
    def place(self) -> str:
        return f"{self.known.endpoint.name} paging"

    @property
    def more(self) -> bool:
        """Whether rows follow, as far as the answer tells."""
        if not self.by_number:
            return self.told.token is not None
        return self.told.total is not None and self.offset + len(self.told.rows) < self.told.total

    @property
    def offset(self) -> int:
        """Rows before this page; 0 where it is not known."""
        return (max(self.asked.number or 1, 1) - 1) * self.size if self.by_number else 0


class Pages:
    """Takes good pages in their order and tells how each differs; remembers where walks stand."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[object, ...], _Before] = OrderedDict()

    def take(self, known: Known, claims: Claims, asked: Asked, told: Told) -> Iterator[Deviation]:
        """One more page."""
        by_number = claims.vendor.traffic.by_number(known.exchange.request)
        size = min(asked.size or claims.default_size, claims.most)
        page = _Page(known, claims, asked, told, by_number, size)
        before = self._before(page)
        yield from _tokens(page)
        yield from _sizes(page)
        yield from _order(page, before)
        yield from _total(page, before)
        self._remember(page, before)

    def _key(self, page: _Page, following: bool) -> tuple[object, ...] | None:
        rest = orjson.dumps(dict(page.asked.rest), option=orjson.OPT_SORT_KEYS)
        walk = (page.claims.vendor.id, *page.known.params.values(), rest)
        if page.by_number:
            return (*walk, page.asked.size, max(page.asked.number or 1, 1) + following)
        token = page.told.token if following else page.asked.token
        return None if token is None else (*walk, token)

    def _before(self, page: _Page) -> _Before | None:
        key = self._key(page, following=False)
        return self._open.get(key) if key else None

    def _remember(self, page: _Page, before: _Before | None) -> None:
        key = self._key(page, following=True)
        if key is None or not (page.told.rows or before):
            return
        row = page.told.rows[-1] if page.told.rows else before.row if before else {}
        rows = len(page.told.rows) + (before.rows if before else 0)
        same = before is None or before.total == page.told.total
        whole = page.asked.first if before is None else before.whole
        self._open[key] = _Before(row, rows, page.told.total if same else None, whole)
        while len(self._open) > MAX_OPEN:
            self._open.popitem(last=False)


def _tokens(page: _Page) -> Iterator[Deviation]:
    """The form of the token, or of its absence."""
    traffic = page.claims.vendor.traffic
    if not traffic.next_at:
        return
    content = json_of(page.known.exchange.reply.body)
    raw = content.get(traffic.next_at, _ABSENT)
    place = f"{page.known.endpoint.name} 200 /{traffic.next_at}"
    integer = "integer" in page.claims.vendor.paging
    if raw is _ABSENT or raw is None or raw == "" or (raw == 0 and not isinstance(raw, bool | float)):
        end = _ENDS[raw]
        if end not in traffic.ends:
            yield Deviation("end-of-list", place, end, " or ".join(traffic.ends))
        return
    text = str(raw)
    if isinstance(raw, int) is not integer or not isinstance(raw, int | str):
        yield Deviation("token-form", place, kind_of(raw), "integer" if integer else "text")
    elif not placeholders.holds(text) and not re.fullmatch(traffic.token_form, text, re.DOTALL):
        yield Deviation("token-form", place, form_of(raw), f"text of the form {traffic.token_form}")
    if text == page.asked.token:
        yield Deviation("token-repeated", place, "the token of this page", "the token of the next page")


def _sizes(page: _Page) -> Iterator[Deviation]:
    asked, count, claims = page.asked.size, len(page.told.rows), page.claims
    named = "numbered-page-size" if page.by_number else "page-size"
    if asked is not None and asked < 1:  # taken for nothing, or for the default: we claim neither
        return
    if asked is not None and count > asked:
        yield Deviation("page-over-asked", page.place, f"more rows than asked: {count} of {asked}", "at most as asked")
    elif asked is not None and count > claims.most:
        yield Deviation("page-cap", page.place, f"a page of {count} rows", f"at most {claims.most}")
    elif asked is None and count > page.size:
        words = f"{count} rows where no size was asked"
        yield Deviation(named, f"{page.place}, default size", words, f"{page.size} rows")
    elif page.more and count < page.size:
        short = "no size was asked" if asked is None else f"{asked} were asked"
        where = "default size" if asked is None else "size"
        words = f"{count} rows where {short} and more follow"
        yield Deviation(named, f"{page.place}, {where}", words, f"{page.size} rows")


def _order(page: _Page, before: _Before | None) -> Iterator[Deviation]:
    traffic = page.claims.vendor.traffic
    try:
        orders = traffic.order(page.asked.rest)
    except (BadRequest, TypeError, ValueError, AttributeError):  # we would not have answered it
        return
    rows = [*([before.row] if before else []), *page.told.rows]
    try:
        values = [_sortable(page.claims.vendor.rows, row, orders) for row in rows]
    except Exception:  # a row of another shape, of which the schema tells
        return
    proven = len(orders) - traffic.ties
    for one, other in pairwise(values):
        index = _misplaced(one, other, orders)
        if index is not None:
            item = orders[index]
            kind = "order" if index < proven else "tie-order"
            name = f"{item.field.bag}.{item.field.name}".lstrip(".")
            yield Deviation(kind, page.place, f"a row before its turn by {name}", _words(orders))


def _sortable(model: RowModel, row: Row, orders: Sequence[Order]) -> list[Any]:
    columns = dict(zip(model.columns, model.values(row), strict=True))
    bags = {(bag, key): value for bag, key, value in model.bags(row)} if any(o.field.bag for o in orders) else {}
    return [bags.get((o.field.bag, o.field.name)) if o.field.bag else columns[o.field.name] for o in orders]


def _misplaced(one: Sequence[Any], other: Sequence[Any], orders: Sequence[Order]) -> int | None:
    """The place of the sort item by which the second row should have come before the first."""
    for index, (first, second, order) in enumerate(zip(one, other, orders, strict=True)):
        if any(isinstance(value, str) and placeholders.holds(value) for value in (first, second)):
            return None
        ranks = _rank(first), _rank(second)
        if ranks[0] != ranks[1]:
            return index if ranks[0] > ranks[1] else None
        if ranks[0] or first == second:
            continue
        if isinstance(first, str) is not isinstance(second, str):
            return None
        return index if (first < second) is order.descending else None
    return None


def _rank(value: Any) -> int:
    """What is missing comes last, NaN just before it."""
    return 2 if value is None else int(value != value)


def _words(orders: Sequence[Order]) -> str:
    names = (f"{o.field.bag}.{o.field.name}".lstrip(".") + (" descending" if o.descending else "") for o in orders)
    return ", ".join(names)


def _total(page: _Page, before: _Before | None) -> Iterator[Deviation]:
    traffic, count, total = page.claims.vendor.traffic, len(page.told.rows), page.told.total
    if not traffic.total_at:
        return
    place = f"{page.known.endpoint.name} 200 /{traffic.total_at}"
    if total is None:
        yield Deviation("total-absent", place, "no total", "always there")
        return
    if page.by_number:
        last = count < page.size and (count or page.offset == 0) and _expected_sizes(page)
        if total < page.offset + count or (last and total != page.offset + count):
            yield Deviation("total", place, "another total than there are rows", "all rows of all pages")
    elif not page.more:
        held = before.rows + count if before else count
        whole = (before.whole and before.total == total) if before else page.asked.first
        if whole and held != total:
            yield Deviation("total", place, "another total than there are rows", "all rows of all pages")


def _expected_sizes(page: _Page) -> bool:
    """Whether the page's size is the one that we would have chosen; if not, that is told already."""
    return page.asked.size is not None and page.asked.size <= page.claims.most
