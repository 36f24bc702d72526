"""Our answer beside the recorded one: where they differ, values that must differ left out.

Rows are compared value by value, everything else by its shape: ids of requests, dates, tokens and wordings are
another server's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from localruns import placeholders
from localruns.engine.message import Reply
from localruns.engine.recorded.exchange import json_of
from localruns.engine.recorded.traffic import Traffic
from localruns.engine.vendor import RowModel
from localruns.recordings.drift.claims import Claims
from localruns.recordings.drift.shape import kind_of
from localruns.recordings.reading.recognising import Known

MOST = 20
_SHOWN = 80
_BUSY = (429, 503)
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. Shape: `pointer` is `status`, `error code`, `header NAME` or a JSON pointer into the body."""

    pointer: str
    ours: str
    recorded: str


def differences(known: Known, claims: Claims, ours: Reply, *, partial: bool = False) -> list[Difference]:
    """Where our reply differs from the recorded one, the first `MOST`.

    `partial`: the recording does not show all rows of the list, so we may end where it goes on.
    """
    found = []
    for difference in _all(known, claims, ours, partial):
        found.append(difference)
        if len(found) == MOST:
            break
    return found


def _all(known: Known, claims: Claims, ours: Reply, partial: bool) -> Iterator[Difference]:
    theirs = known.exchange.reply
    if ours.status != theirs.status:
        yield Difference("status", _status(known, claims, ours), _status(known, claims, theirs))
        return
    yield from _headers(known, claims, ours, partial)
    if theirs.status >= 400:
        codes = [claims.code(replace(known.exchange, reply=reply)) for reply in (ours, theirs)]
        if codes[0] != codes[1]:
            yield Difference("error code", codes[0] or "none", codes[1] or "none")
    if known.exchange.request.method == "HEAD":
        return
    one, other = json_of(ours.body), json_of(theirs.body)
    if not (isinstance(one, dict) and isinstance(other, dict)):
        if (one is None) is not (other is None) or bool(ours.body) is not bool(theirs.body):
            yield Difference("body", _body(ours.body, one), _body(theirs.body, other))
        return
    if theirs.status == 200 and known.listing:
        yield from _lists(claims, one, other, partial)
    else:
        yield from _shapes(one, other, "")


def _lists(claims: Claims, one: Mapping[str, Any], other: Mapping[str, Any], partial: bool) -> Iterator[Difference]:
    traffic = claims.vendor.traffic
    apart = (traffic.rows_at, traffic.next_at, traffic.total_at)
    yield from _shapes(_without(one, apart), _without(other, apart), "")
    if traffic.next_at:
        ends = [_end(content.get(traffic.next_at, _ABSENT)) for content in (one, other)]
        if ends[0] != ends[1] and not (partial and _goes_on(traffic, other) and not _goes_on(traffic, one)):
            yield Difference(f"/{traffic.next_at}", *ends)
    if traffic.total_at:
        totals = [content.get(traffic.total_at, _ABSENT) for content in (one, other)]
        if totals[0] != totals[1] and not (partial and _fewer(*totals)):
            yield Difference(f"/{traffic.total_at}", *map(_shown, totals))
    lists = [content.get(traffic.rows_at, _ABSENT) for content in (one, other)]
    if all(isinstance(each, list) for each in lists):
        yield from _rows(claims.vendor.rows, lists[0], lists[1], f"/{traffic.rows_at}")
    elif shape_of(lists[0]) != shape_of(lists[1]):
        yield Difference(f"/{traffic.rows_at}", *map(shape_of, lists))


def _goes_on(traffic: Traffic, content: Mapping[str, Any]) -> bool:
    token = content.get(traffic.next_at)
    return token is not None and str(token) not in traffic.no_token


def _fewer(one: Any, other: Any) -> bool:
    return isinstance(one, int) and isinstance(other, int) and one < other


def _rows(model: RowModel, one: Sequence[Any], other: Sequence[Any], pointer: str) -> Iterator[Difference]:
    """Rows that are not the same come first, then what differs within those that both have."""
    keys = [[_key(model, row) for row in rows] for rows in (one, other)]
    if keys[0] != keys[1]:
        index = next((i for i, pair in enumerate(zip(*keys, strict=False)) if pair[0] != pair[1]), min(map(len, keys)))
        yield Difference(f"{pointer}/{index}", _place(keys, 0, index), _place(keys, 1, index))
    places = {key: index for index, key in enumerate(keys[1])}
    for index, key in enumerate(keys[0]):
        if key in places:
            yield from _values(one[index], other[places[key]], f"{pointer}/{places[key]}")


def _place(keys: Sequence[Sequence[str]], side: int, index: int) -> str:
    """What stands at a place where the two lists part, and where the other list has it."""
    own, others = keys[side], keys[1 - side]
    if index >= len(own):
        return f"no row, {len(own)} in all"
    also = f", which stands at {others.index(own[index])} there" if own[index] in others else ", which is not there"
    return f"row {own[index]}{also}, {len(own)} in all"


def _key(model: RowModel, row: Any) -> str:
    try:
        return model.key(row)
    except (KeyError, TypeError, AttributeError):
        return "(without a key)"


def _values(one: Any, other: Any, pointer: str) -> Iterator[Difference]:
    """Differences between two values; the order within a row's lists says nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            yield from _values(one.get(name, _ABSENT), other.get(name, _ABSENT), f"{pointer}/{_escaped(name)}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (first, second) in enumerate(zip(_sorted(one), _sorted(other), strict=True)):
            yield from _values(first, second, f"{pointer}/{index}")
    elif (type(one), one) != (type(other), other) and not (_replaced(one) or _replaced(other)):
        yield Difference(pointer, _shown(one), _shown(other))


def _shapes(one: Any, other: Any, pointer: str) -> Iterator[Difference]:
    """Differences in fields and types alone."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            yield from _shapes(one.get(name, _ABSENT), other.get(name, _ABSENT), f"{pointer}/{_escaped(name)}")
    elif shape_of(one) != shape_of(other):
        yield Difference(pointer, shape_of(one), shape_of(other))


def _headers(known: Known, claims: Claims, ours: Reply, partial: bool) -> Iterator[Difference]:
    theirs = known.exchange.reply
    if not theirs.headers:  # not recorded at all
        return
    own = {name.lower(): value for name, value in ours.headers}
    other = {name.lower(): value for name, value in theirs.headers}
    if ours.body and theirs.body:
        kinds = [_media(own.get("content-type", ours.content_type)), _media(other.get("content-type", ""))]
        if kinds[0] != kinds[1]:
            yield Difference("header content-type", kinds[0], kinds[1] or "absent")
    for header in claims.headers(known.endpoint, theirs.status):
        name = header.name.lower()
        if header.always and not header.statuses:  # on every answer: ids and the like, which nobody acts on
            continue
        if theirs.status in _BUSY and not header.always and name not in own:  # how long to wait is up to the platform
            continue
        if partial and name not in own:  # it may lead to the next page, which we cannot have
            continue
        if (name in own) is not (name in other):
            yield Difference(f"header {name}", *("there" if name in each else "absent" for each in (own, other)))


def shape_of(value: Any) -> str:
    """The JSON type of a value in words; an empty text is a text."""
    return "absent" if value is _ABSENT else "text" if value == "" else kind_of(value)


def _end(value: Any) -> str:
    """The form of a page token or of its absence."""
    if value is _ABSENT:
        return "absent"
    return "0" if value == 0 and not isinstance(value, bool) else kind_of(value)


def _status(known: Known, claims: Claims, reply: Reply) -> str:
    code = claims.code(replace(known.exchange, reply=reply)) if reply.status >= 400 else ""
    return f"{reply.status} {code}".strip()


def _media(text: str) -> str:
    return text.partition(";")[0].strip().lower()


def _body(body: bytes, content: Any) -> str:
    return "no body" if not body else "no JSON" if content is None else kind_of(content)


def _without(content: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in names}


def _sorted(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def _replaced(value: Any) -> bool:
    return isinstance(value, str) and placeholders.holds(value)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    text = orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
