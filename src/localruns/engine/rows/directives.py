"""The directives of a row template: `{$int: [1, 9]}` and the like, each compiled into a maker.

A directive that cannot be used raises ValueError with `what was found, expected what`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from localruns.clock import epoch_ms, from_epoch_ms, parse_time
from localruns.engine.draw import belows, choices, units
from localruns.engine.rows.drawing import ABSENT, Batch, Drawing, Maker, Path, Workshop, field_name, is_plain, look

MAX_WEIGHT = 100_000
_BITS = 1 << 63
Directive = Callable[[Workshop, Mapping[str, Any], Path], Maker]


def _pool(shop: Workshop, value: Mapping[str, Any], _path: Path) -> Maker:
    pool = shop.pool(value["$pool"])
    return lambda batch: choices(batch, pool)


def _choice(shop: Workshop, value: Mapping[str, Any], path: Path) -> Maker:
    options = value["$choice"]
    if isinstance(options, dict):
        options = [item for item, weight in _weights(options).items() for _ in range(weight)]
    if not isinstance(options, list) or not options:
        raise ValueError(f"$choice of {options!r}, expected a list of values, or values with their weights")
    if all(map(is_plain, options)):
        return lambda batch: choices(batch, options)
    makers = [shop.maker(item, (*path, "$choice", index)) for index, item in enumerate(options)]

    def make(batch: Batch) -> list[Any]:
        drawn = [ABSENT] * len(batch)
        for chosen, places in _sorted_out(belows(batch, len(makers))).items():
            _put(drawn, places, makers[chosen]([batch[place] for place in places]))
        return drawn

    return make


def _sorted_out(marks: Sequence[Any]) -> dict[Any, list[int]]:
    """The places of each mark."""
    places: dict[Any, list[int]] = {}
    for place, mark in enumerate(marks):
        places.setdefault(mark, []).append(place)
    return places


def _put(drawn: list[Any], places: Sequence[int], values: Sequence[Any]) -> None:
    for place, value in zip(places, values, strict=True):
        drawn[place] = value


def _weights(options: Mapping[str, Any]) -> Mapping[str, int]:
    whole = all(type(weight) is int and weight >= 0 for weight in options.values())
    if not whole or not 0 < sum(options.values()) <= MAX_WEIGHT:
        raise ValueError(
            f"$choice of {dict(options)!r}, expected weights that are whole numbers and add up to 1 to {MAX_WEIGHT:,}"
        )
    return options


def _int(_shop: Workshop, value: Mapping[str, Any], _path: Path) -> Maker:
    low, high = _pair(value, "$int")
    if type(low) is not int or type(high) is not int or low < -_BITS or high >= _BITS:
        raise ValueError(f"$int of [{low}, {high}], expected two integers of 64 bits")
    count = high - low + 1
    return lambda batch: [low + number for number in belows(batch, count)]


def _number(_shop: Workshop, value: Mapping[str, Any], _path: Path) -> Maker:
    low, high = map(float, _pair(value, "$number"))
    digits, span = int(value.get("digits", 4)), high - low
    if span == float("inf"):
        raise ValueError(f"$number of [{low}, {high}], expected a smaller span")
    return lambda batch: [round(low + span * part, digits) for part in units(batch)]


def _counter(_shop: Workshop, value: Mapping[str, Any], _path: Path) -> Maker:
    start = value["$counter"]
    if type(start) is not int:
        raise ValueError(f"$counter of {start!r}, expected the integer to start from")
    return lambda batch: [start + drawing.index for drawing in batch]


def _copy(_shop: Workshop, value: Mapping[str, Any], _path: Path) -> Maker:
    name = value["$copy"]
    if not isinstance(name, str):
        raise ValueError(f"$copy of {name!r}, expected the name of a field")
    return lambda batch: look(batch, name)


def _time(shop: Workshop, value: Mapping[str, Any], path: Path) -> Maker:
    there = _zone(shop, str(value.get("zone", "UTC")))
    write, name = _writer(value["$time"], there), field_name(path)
    moment = _later(value, there) if "after" in value else _stepped(value)

    def make(batch: Batch) -> list[Any]:
        drawn = moment(batch)
        for drawing, ms in zip(batch, drawn, strict=True):
            drawing.times[name] = ms
        return write(drawn)

    return make


def _zone(shop: Workshop, name: str) -> ZoneInfo:
    key = shop.settings[name[1:]] if name.startswith("$") else name
    try:
        return ZoneInfo(key)
    except ValueError:
        raise LookupError(f"no time zone {key!r}") from None


def _stepped(value: Mapping[str, Any]) -> Callable[[Batch], list[int]]:
    """Row i lies at `from + i * step_s`, moved by up to the jitter."""
    start, step_ms = epoch_ms(parse_time(str(value["from"]))), float(value.get("step_s", 0)) * 1000
    jitter = int(float(value.get("jitter_s", 0)) * 1000) + 1
    if jitter < 1:
        raise ValueError(f"jitter_s of {value['jitter_s']}, expected 0 or more")
    return lambda batch: [
        start + round(step_ms * drawing.index) + late_ms
        for drawing, late_ms in zip(batch, belows(batch, jitter), strict=True)
    ]


def _later(value: Mapping[str, Any], zone: ZoneInfo) -> Callable[[Batch], list[int]]:
    """Later than another time of the row; a scenario may have set that to a text or a number of its own."""
    source, (low, high) = str(value["after"]), _pair(value, "plus_s")
    low_ms = int(low * 1000)
    span = int((high - low) * 1000) + 1

    def moment(batch: Batch) -> list[int]:
        later = belows(batch, span)
        bases = [drawing.times.get(source) or _base_ms(drawing, source, zone) for drawing in batch]
        return [base + low_ms + more for base, more in zip(bases, later, strict=True)]

    return moment


def _base_ms(drawing: Drawing, source: str, zone: ZoneInfo) -> int:
    drawn = drawing.times.get(source)
    return _written_ms(look((drawing,), source)[0], source, zone) if drawn is None else drawn


def _written_ms(value: Any, source: str, zone: ZoneInfo) -> int:
    if isinstance(value, int):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        words = f"'after: {source}', which is {value!r}, expected a time that stands before it in the row"
        raise ValueError(words) from None
    return epoch_ms(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _some(shop: Workshop, value: Mapping[str, Any], path: Path) -> Maker:
    items, least = value["$some"], value.get("least", 0)
    if not isinstance(items, list) or type(least) is not int or not 0 <= least <= len(items):
        raise ValueError(f"$some with least: {least!r}, expected a list and at least 0 to all of its items")
    makers = [shop.maker(item, (*path, "$some", index)) for index, item in enumerate(items)]
    count = len(makers) - least + 1

    def make(batch: Batch) -> list[Any]:
        drawn: list[Any] = [[] for _ in batch]
        most = belows(batch, count)
        for index, maker in enumerate(makers):
            places = [place for place, more in enumerate(most) if index < least + more]
            for place, item in zip(places, maker([batch[place] for place in places]), strict=True):
                if item is not ABSENT:
                    drawn[place].append(item)
        return drawn

    return make


def _maybe(shop: Workshop, value: Mapping[str, Any], path: Path) -> Maker:
    maker, chance = shop.maker(value["$maybe"], (*path, "$maybe")), float(value.get("chance", 0.5))
    if not 0 <= chance <= 1:
        raise ValueError(f"a chance of {chance}, expected a number from 0 to 1")

    def make(batch: Batch) -> list[Any]:
        drawn = [ABSENT] * len(batch)
        places = [place for place, part in enumerate(units(batch)) if part < chance]
        _put(drawn, places, maker([batch[place] for place in places]))
        return drawn

    return make


def _pair(value: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    pair = value.get(name)
    if not isinstance(pair, list) or len(pair) != 2 or not all(type(end) in (int, float) for end in pair):
        raise ValueError(f"{name} of {pair!r}, expected [low, high]")
    if pair[0] > pair[1]:
        raise ValueError(f"{name} of {pair!r}, expected the lower end first")
    return pair[0], pair[1]


def _writer(form: Any, zone: ZoneInfo) -> Callable[[list[int]], list[Any]]:
    if form == "epoch_ms":
        return lambda times: times
    if form == "iso_ms":
        return lambda times: [_iso_ms(ms) for ms in times]
    if not isinstance(form, str) or "%" not in form:
        raise ValueError(f"$time of {form!r}, expected iso_ms, epoch_ms or a strftime pattern")
    return lambda times: [from_epoch_ms(ms).astimezone(zone).strftime(form) for ms in times]


def _iso_ms(ms: int) -> str:
    day, ms = divmod(ms, 86_400_000)
    minute, ms = divmod(ms, 60_000)
    second, ms = divmod(ms, 1000)
    return f"{_date(day)}T{_MINUTES[minute]}:{_SECONDS[second]}.{_THOUSANDTHS[ms]}Z"


@lru_cache(512)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(day)).isoformat()


_EPOCH = date(1970, 1, 1)
_MINUTES = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60)]
_SECONDS = [f"{second:02}" for second in range(60)]
_THOUSANDTHS = [f"{ms:03}" for ms in range(1000)]
DIRECTIVES: dict[str, tuple[Directive, frozenset[str]]] = {
    "$pool": (_pool, frozenset()),
    "$choice": (_choice, frozenset()),
    "$int": (_int, frozenset()),
    "$number": (_number, frozenset({"digits"})),
    "$counter": (_counter, frozenset()),
    "$copy": (_copy, frozenset()),
    "$time": (_time, frozenset({"from", "step_s", "jitter_s", "after", "plus_s", "zone"})),
    "$some": (_some, frozenset({"least"})),
    "$maybe": (_maybe, frozenset({"chance"})),
}
