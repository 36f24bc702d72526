"""The directives of a row template: `{$int: [1, 9]}` and the like, each compiled into a maker.

A directive that cannot be used raises ValueError with `what was found, expected what`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from localruns.clock import epoch_ms, from_epoch_ms, parse_time
from localruns.engine.drawing import ABSENT, Drawing, Maker, Path, Workshop, field_name, is_plain, look, present

MAX_WEIGHT = 100_000
_BITS = 1 << 63
Directive = Callable[[Workshop, Mapping[str, Any], Path], Maker]


def _pool(shop: Workshop, value: Mapping[str, Any], _path: Path) -> Maker:
    pool = shop.pool(value["$pool"])
    return lambda drawing: drawing.draw.choice(pool)


def _choice(shop: Workshop, value: Mapping[str, Any], path: Path) -> Maker:
    options = value["$choice"]
    if isinstance(options, dict):
        options = [item for item, weight in _weights(options).items() for _ in range(weight)]
    if not isinstance(options, list) or not options:
        raise ValueError(f"$choice of {options!r}, expected a list of values, or values with their weights")
    if all(map(is_plain, options)):
        return lambda drawing: drawing.draw.choice(options)
    makers = [shop.maker(item, (*path, "$choice", index)) for index, item in enumerate(options)]
    return lambda drawing: drawing.draw.choice(makers)(drawing)


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
    return lambda drawing: low + drawing.draw.below(count)


def _number(_shop: Workshop, value: Mapping[str, Any], _path: Path) -> Maker:
    low, high = map(float, _pair(value, "$number"))
    digits, span = int(value.get("digits", 4)), high - low
    if span == float("inf"):
        raise ValueError(f"$number of [{low}, {high}], expected a smaller span")
    return lambda drawing: round(low + span * drawing.draw.unit(), digits)


def _counter(_shop: Workshop, value: Mapping[str, Any], _path: Path) -> Maker:
    start = value["$counter"]
    if type(start) is not int:
        raise ValueError(f"$counter of {start!r}, expected the integer to start from")
    return lambda drawing: start + drawing.index


def _copy(_shop: Workshop, value: Mapping[str, Any], _path: Path) -> Maker:
    name = value["$copy"]
    if not isinstance(name, str):
        raise ValueError(f"$copy of {name!r}, expected the name of a field")
    return lambda drawing: look(drawing.row, name)


def _time(shop: Workshop, value: Mapping[str, Any], path: Path) -> Maker:
    there = _zone(shop, str(value.get("zone", "UTC")))
    write, name = _writer(value["$time"], there), field_name(path)
    moment = _later(value, there) if "after" in value else _stepped(value)

    def make(drawing: Drawing) -> Any:
        drawn = drawing.times[name] = moment(drawing)
        return write(drawn)

    return make


def _zone(shop: Workshop, name: str) -> ZoneInfo:
    key = shop.settings[name[1:]] if name.startswith("$") else name
    try:
        return ZoneInfo(key)
    except ValueError:
        raise LookupError(f"no time zone {key!r}") from None


def _stepped(value: Mapping[str, Any]) -> Callable[[Drawing], int]:
    """Row i lies at `from + i * step_s`, moved by up to the jitter."""
    start, step_ms = epoch_ms(parse_time(str(value["from"]))), float(value.get("step_s", 0)) * 1000
    jitter = int(float(value.get("jitter_s", 0)) * 1000) + 1
    if jitter < 1:
        raise ValueError(f"jitter_s of {value['jitter_s']}, expected 0 or more")
    return lambda drawing: start + round(step_ms * drawing.index) + drawing.draw.below(jitter)


def _later(value: Mapping[str, Any], zone: ZoneInfo) -> Callable[[Drawing], int]:
    """Later than another time of the row; a scenario may have set that to a text or a number of its own."""
    source, (low, high) = str(value["after"]), _pair(value, "plus_s")
    low_ms = int(low * 1000)
    span = int((high - low) * 1000) + 1

    def moment(drawing: Drawing) -> int:
        plus_ms = low_ms + drawing.draw.below(span)
        base = drawing.times.get(source)
        return (_written_ms(look(drawing.row, source), source, zone) if base is None else base) + plus_ms

    return moment


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
    return lambda drawing: present([make(drawing) for make in makers[: least + drawing.draw.below(count)]])


def _maybe(shop: Workshop, value: Mapping[str, Any], path: Path) -> Maker:
    maker, chance = shop.maker(value["$maybe"], (*path, "$maybe")), float(value.get("chance", 0.5))
    if not 0 <= chance <= 1:
        raise ValueError(f"a chance of {chance}, expected a number from 0 to 1")
    return lambda drawing: maker(drawing) if drawing.draw.unit() < chance else ABSENT


def _pair(value: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    pair = value.get(name)
    if not isinstance(pair, list) or len(pair) != 2 or not all(type(end) in (int, float) for end in pair):
        raise ValueError(f"{name} of {pair!r}, expected [low, high]")
    if pair[0] > pair[1]:
        raise ValueError(f"{name} of {pair!r}, expected the lower end first")
    return pair[0], pair[1]


def _writer(form: Any, zone: ZoneInfo) -> Callable[[int], Any]:
    if form == "epoch_ms":
        return lambda ms: ms
    if form == "iso_ms":
        return lambda ms: (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds") + "Z"
    if not isinstance(form, str) or "%" not in form:
        raise ValueError(f"$time of {form!r}, expected iso_ms, epoch_ms or a strftime pattern")
    return lambda ms: from_epoch_ms(ms).astimezone(zone).strftime(form)


_EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
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
