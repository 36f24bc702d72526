"""One pass over the exchanges: calls put together to walks, rows put together from all pages of all walks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from localruns.engine.recorded.exchange import Exchange, json_of
from localruns.engine.recorded.traffic import Asked, Told
from localruns.engine.vendor import RowModel, Vendor
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.reading.recognising import Known
from localruns.recordings.rebuilding import beyond
from localruns.recordings.rebuilding.seen import Seen, Spool, Walk

_WAITS = {"x-acs-retry-after": 0.001, "retry-after": 1.0}
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]+)?")
_OPEN_WALKS = 50


class Observer:
    """Takes exchanges in their order; `calls` and `walks` are what has been seen of them."""

    def __init__(self, spool: Spool, left: Leftovers) -> None:
        self.calls: list[Seen] = []
        self.walks: list[Walk] = []
        self._open: dict[tuple[str, str, bytes], list[Walk]] = {}
        self._spool = spool
        self._left = left

    def take(self, known: Known) -> Seen | None:
        """One more exchange; None when its answer says nothing that can be used."""
        vendor, exchange, traffic = known.vendor, known.exchange, known.vendor.traffic
        asked = traffic.asked(exchange.request) if known.listing else Asked(None, None, None, {})
        told = _told(vendor, exchange) if known.listing else None
        status = exchange.reply.status
        if known.listing and told is None and not exchange.failed and status < 400:
            self._left.add(f"answers of {known.endpoint.name} that are no list of runs", f"status {status}")
            return None
        if traffic.place == "body" and known.listing and not exchange.request.body:
            self._left.remark(f"{vendor.id}: requests came without their body, so what they asked for is not known")
        seen = Seen(len(self.calls), vendor, known.endpoint, _scope(known), status, asked)
        seen.failed, seen.took_ms, seen.wait_s = exchange.failed, exchange.took_ms, _wait(exchange)
        self.calls.append(seen)
        self._spool.keep(seen.number, exchange.request)
        if told is None and (status >= 400 or exchange.failed):
            seen.code = "" if exchange.failed else traffic.error_code(exchange)
            seen.final = _final(exchange)
        if known.listing:
            self._tell(known, seen, told)
            self._join(seen, known, told)
        return seen

    def _tell(self, known: Known, seen: Seen, told: Told | None) -> None:
        """List what the request asks and the answer says that no scenario can hold."""
        vendor = known.vendor
        for name in beyond.parameters(vendor, seen.asked.rest):
            group = f"parameters that {known.endpoint.name} of {vendor.id} does not have"
            self._left.add(group, beyond.shown(name))
        for name in beyond.fields(vendor, known.exchange) if told else ():
            self._left.add(f"fields beside the rows that the schema of {vendor.id} does not name", beyond.shown(name))

    def _join(self, seen: Seen, known: Known, told: Told | None) -> None:
        """Find the walk that the call belongs to, and put its rows there."""
        seen.by_number = known.vendor.traffic.by_number(known.exchange.request)
        walk = self._walk(seen)
        walk.calls.append(seen.number)
        seen.walk = walk.number
        if told is None:
            return
        seen.rows, seen.total, seen.next_token = len(told.rows), told.total, told.token
        seen.blank_token = _blank(known)
        seen.more = told.token is not None and not seen.by_number
        page = seen.page or walk.pages + 1
        self._rows(walk, seen, told, page)
        if page > walk.pages:
            walk.pages, walk.last, walk.size = page, seen, max(walk.size, seen.rows)
            walk.complete = not seen.more if not seen.by_number else _last_of_numbered(walk, seen)
        if told.token is not None:
            walk.tokens.setdefault(told.token, page + 1)

    def _walk(self, seen: Seen) -> Walk:
        """The walk of a call, an open one or a new one; tells the call its page."""
        rest = beyond.telling(seen.vendor, seen.asked.rest)
        key = (seen.vendor.id, seen.scope, orjson.dumps(rest, option=orjson.OPT_SORT_KEYS))
        walks = self._open.setdefault(key, [])
        for walk in reversed(walks):
            if page := _page(walk, seen):
                seen.page = page
                return walk
        walk = Walk(len(self.walks), seen.vendor, seen.scope, seen.asked.rest, first=seen.number)
        walk.started = seen.asked.first
        seen.page = 1 if walk.started else _guessed_page(seen)
        walk.pages = max(seen.page - 1, 0)
        self.walks.append(walk)
        walks.append(walk)
        del walks[:-_OPEN_WALKS]
        return walk

    def _rows(self, walk: Walk, seen: Seen, told: Told, page: int) -> None:
        again = page <= walk.pages
        model = walk.vendor.rows
        for place, row in enumerate(told.rows):
            try:
                key = model.key(row)
            except (KeyError, TypeError):
                self._left.add(f"rows of {walk.vendor.id} without what identifies them")
                continue
            self._version(walk, key, row, seen.number)
            if not again:
                self._spool.sighted(walk, page, place, key)

    def _version(self, walk: Walk, key: str, row: Mapping[str, Any], call: int) -> None:
        vendor, scope, spool = walk.vendor.id, walk.scope, self._spool
        known = spool.latest(vendor, scope, key)
        if known is None:
            spool.add(vendor, scope, key, row, call)
            return
        number, old, _ = known
        same, merged = fuller(walk.vendor.rows, old, row)
        if same:
            spool.touch(number, call, None if merged == old else merged)
        else:
            spool.add(vendor, scope, key, merged, call)


def fuller(model: RowModel, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
    """(whether both are renderings of one version of a row, the row with the details of both; the newer ones win)."""
    if old == new:
        return True, dict(old)
    brief = next(iter(model.shapes.values()))
    if len(model.shapes) == 1:
        return False, dict(new)
    details, fresh = _details(brief, old), _details(brief, new)
    merged = {**{name: value for name, value in old.items() if name in details or name in new}, **brief(new), **fresh}
    agree = all(details.get(name, value) == value for name, value in fresh.items())
    return agree and brief(old) == brief(new), merged


def _details(brief: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """What only the fuller rendering shows; an empty list shows nothing."""
    shown = brief(row)
    return {name: value for name, value in row.items() if name not in shown and value}


def _told(vendor: Vendor, exchange: Exchange) -> Told | None:
    """What a good answer tells; an object without a single key of a list is another service's."""
    told = vendor.traffic.told(exchange)
    if told is None:
        return None
    content = json_of(exchange.reply.body)
    traffic = vendor.traffic
    own = {traffic.rows_at, traffic.next_at, traffic.total_at}
    return told if not content or own & content.keys() else None


def _scope(known: Known) -> str:
    return "/".join(known.params.values())


def _page(walk: Walk, seen: Seen) -> int:
    """Which page of the walk the call asks for; 0 when it is none of that walk."""
    asked = seen.asked
    if asked.first:
        return 1 if walk.pages == 0 and walk.started else 0
    if asked.token is not None and not seen.by_number:
        return walk.tokens.get(asked.token, 0)
    number = asked.number or 0
    fits = walk.last is not None and walk.last.asked.size == asked.size and number <= walk.pages + 1
    return number if fits else 0


def _guessed_page(seen: Seen) -> int:
    """The page that a call in the middle of a walk asks for, 0 when only the platform could tell."""
    asked = seen.asked
    if seen.by_number:
        return asked.number or 0
    if "integer" in seen.vendor.paging and asked.size and str(asked.token).isdecimal():
        return int(str(asked.token)) // asked.size + 1
    return 0


def _last_of_numbered(walk: Walk, seen: Seen) -> bool:
    size = seen.asked.size or max(walk.size, seen.rows)
    if seen.total is not None and seen.total > seen.rows:
        return seen.page * size >= seen.total
    return seen.rows < size or seen.total == seen.rows


def _blank(known: Known) -> bool:
    """Whether the last page carries an empty text in the place of a token."""
    content = json_of(known.exchange.reply.body)
    return isinstance(content, dict) and content.get(known.vendor.traffic.next_at) == ""


def _wait(exchange: Exchange) -> float | None:
    """What the answer asks the client to wait. Units: seconds."""
    headers = dict(exchange.reply.headers)
    for name, factor in _WAITS.items():
        if _NUMBER.fullmatch(headers.get(name, "")):
            return _whole(round(float(headers[name]) * factor, 3))
    return None


def _whole(number: float) -> float:
    return int(number) if number == int(number) else number


def _final(exchange: Exchange) -> bool:
    return ("qos-retry-hint", "do-not-retry") in exchange.reply.headers
