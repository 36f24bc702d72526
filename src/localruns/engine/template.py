"""Row templates: what a generated row looks like, compiled once and then drawn row by row.

A template is a row in the vendor's own field names whose values may be

* text with gaps: `{n}` the row's number from 1 (`{n:04}` padded), `{hex:12}`, `{base62:16}`, `{lower:20}`,
  `{digits:16}`, `{uuid}`, `{UUID}`, `{pool:NAME}` one entry of a pool, `{field:PATH}` a value drawn earlier in the row;
* `{$pool: NAME}`, `{$choice: [a, b]}` or `{$choice: {a: 3, b: 1}}` (weighted), `{$int: [low, high]}`,
  `{$number: [low, high], digits: 4}`, `{$copy: PATH}`, `{$counter: start}`;
* `{$time: FORMAT, from: TIME, step_s: S, jitter_s: S}`: row i lies at `from + i * step_s`, moved by up to the
  jitter; or `{$time: FORMAT, after: PATH, plus_s: [low, high]}`: later than another time of the row;
  FORMAT is `iso_ms`, `epoch_ms` or a strftime pattern, which may add `zone: NAME`, a time zone or `$setting`;
* `{$some: [items], least: 1}`: the items, or the first few of them; `{$maybe: value, chance: 0.5}`: the value or
  nothing at all; any other mapping or list, with the same inside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from localruns.clock import epoch_ms, from_epoch_ms, parse_time
from localruns.engine.draw import BASE62, LOWER, Draw
from localruns.errors import ConfigError

Pools = Mapping[str, Sequence[Any]]


@dataclass(slots=True)
class Drawing:
    """One row being drawn: its index, its choices, what is in it so far, its times as datetimes."""

    index: int
    draw: Draw
    row: dict[str, Any] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)


Maker = Callable[[Drawing], Any]
ABSENT = object()
_GAP = re.compile(r"\{(\w+)(?::([^{}]*))?\}")


class Template:
    """A compiled template: `row(index, draw)` draws one row."""

    def __init__(
        self, content: Mapping[str, Any], pools: Pools, source: str, settings: Mapping[str, Any] | None = None
    ) -> None:
        self._pools = pools
        self._settings = settings or {}
        self._source = source
        self._fields = [(name, self._maker(value, name)) for name, value in content.items()]

    def row(self, index: int, draw: Draw) -> dict[str, Any]:
        """Row `index` (from 0), a fresh dict."""
        drawing = Drawing(index, draw)
        for name, make in self._fields:
            value = make(drawing)
            if value is not ABSENT:
                drawing.row[name] = value
        return drawing.row

    def _maker(self, value: Any, path: str) -> Maker:
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, list):
            items = [self._maker(item, path) for item in value]
            return lambda drawing: _present(make(drawing) for make in items)
        if isinstance(value, dict):
            directive = next((key for key in value if key.startswith("$")), "")
            return self._directive(directive, value, path) if directive else self._mapping(value, path)
        return lambda drawing: value

    def _mapping(self, value: Mapping[str, Any], path: str) -> Maker:
        inner = [(name, self._maker(item, f"{path}.{name}")) for name, item in value.items()]

        def make(drawing: Drawing) -> dict[str, Any]:
            # A mapping below the top is set in place at once, so that `$copy` finds what stands in it already.
            target: dict[str, Any] = {}
            if "." not in path:
                drawing.row.setdefault(path, target)
            for name, maker in inner:
                drawn = maker(drawing)
                if drawn is not ABSENT:
                    target[name] = drawn
            return target

        return make

    def _text(self, text: str, path: str) -> Maker:
        if "{" not in text:
            return lambda drawing: text
        parts: list[Maker | str] = []
        end = 0
        for gap in _GAP.finditer(text):
            parts += [text[end : gap.start()], self._gap(gap[1], gap[2] or "", path)]
            end = gap.end()
        parts = [part for part in (*parts, text[end:]) if part != ""]
        if len(parts) == 1 and callable(parts[0]):
            only = parts[0]
            return lambda drawing: str(only(drawing))
        return lambda drawing: "".join([part if isinstance(part, str) else str(part(drawing)) for part in parts])

    def _gap(self, name: str, argument: str, path: str) -> Maker:
        if name == "n":
            return lambda drawing: format(drawing.index + 1, argument)
        if name == "uuid":
            return lambda drawing: drawing.draw.uuid()
        if name == "UUID":
            return lambda drawing: drawing.draw.uuid().upper()
        if name == "pool":
            pool = self._pool(argument, path)
            return lambda drawing: drawing.draw.choice(pool)
        if name == "field":
            return lambda drawing: _look(drawing.row, argument)
        alphabets = {"base62": BASE62, "lower": LOWER, "digits": "0123456789", "hex": "0123456789abcdef"}
        if name not in alphabets or not argument.isdigit():
            raise self._problem(path, f"the gap {{{name}{':' + argument if argument else ''}}}", _GAPS)
        alphabet, length = alphabets[name], int(argument)
        if name == "hex":
            return lambda drawing: drawing.draw.hex(length)
        return lambda drawing: drawing.draw.text(alphabet, length)

    def _directive(self, name: str, value: Mapping[str, Any], path: str) -> Maker:
        build = _DIRECTIVES.get(name)
        if build is None:
            raise self._problem(path, repr(name), f"one of {', '.join(_DIRECTIVES)}")
        try:
            return build(self, value, path)
        except (KeyError, TypeError, ValueError, IndexError, OSError) as error:
            found = f"{name} with unusable values ({error})"
            raise self._problem(path, found, "the form in docs/scenarios.md") from None

    def _pool_of(self, value: Mapping[str, Any], path: str) -> Maker:
        pool = self._pool(value["$pool"], path)
        return lambda drawing: drawing.draw.choice(pool)

    def _choice(self, value: Mapping[str, Any], path: str) -> Maker:
        options = value["$choice"]
        if isinstance(options, dict):
            options = [item for item, weight in options.items() for _ in range(int(weight))]
        makers = [self._maker(item, path) for item in options]
        if not makers:
            raise ValueError("no choices")
        return lambda drawing: drawing.draw.choice(makers)(drawing)

    def _int(self, value: Mapping[str, Any], _path: str) -> Maker:
        low, high = map(int, value["$int"])
        return lambda drawing: low + drawing.draw.below(high - low + 1)

    def _number(self, value: Mapping[str, Any], _path: str) -> Maker:
        low, high = map(float, value["$number"])
        digits = int(value.get("digits", 4))
        return lambda drawing: round(low + (high - low) * drawing.draw.unit(), digits)

    def _counter(self, value: Mapping[str, Any], _path: str) -> Maker:
        start = int(value["$counter"])
        return lambda drawing: start + drawing.index

    def _copy(self, value: Mapping[str, Any], _path: str) -> Maker:
        return lambda drawing: _look(drawing.row, value["$copy"])

    def _time(self, value: Mapping[str, Any], path: str) -> Maker:
        zone = str(value.get("zone", "UTC"))
        there = ZoneInfo(self._settings[zone[1:]] if zone[0] == "$" else zone)
        write = _time_writer(value["$time"], there)
        if "after" in value:
            source, (low, high) = value["after"], value["plus_s"]

            def moment(drawing: Drawing) -> datetime:
                plus_ms = drawing.draw.below(int((high - low) * 1000) + 1)
                # A scenario may have set the other time to a text or a number of its own.
                base = drawing.times.get(source) or self._written_time(drawing, source, there, path)
                return base + timedelta(seconds=low, milliseconds=plus_ms)

        else:
            start, step = parse_time(str(value["from"])), float(value.get("step_s", 0))
            jitter_ms = int(float(value.get("jitter_s", 0)) * 1000)

            def moment(drawing: Drawing) -> datetime:
                moved_ms = drawing.draw.below(jitter_ms + 1)
                return start + timedelta(seconds=step * drawing.index, milliseconds=moved_ms)

        def make(drawing: Drawing) -> Any:
            drawn = moment(drawing)
            drawing.times[path] = drawn
            return write(drawn)

        return make

    def _written_time(self, drawing: Drawing, source: str, zone: ZoneInfo, path: str) -> datetime:
        try:
            value = _look(drawing.row, source)
            moment = from_epoch_ms(value) if isinstance(value, int) else datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)
        except (LookupError, TypeError, ValueError, OverflowError):
            raise self._problem(path, f"'after: {source}'", "another time that stands before it in the row") from None

    def _some(self, value: Mapping[str, Any], path: str) -> Maker:
        makers = [self._maker(item, path) for item in value["$some"]]
        least = int(value.get("least", 0))
        return lambda drawing: _present(
            make(drawing) for make in makers[: least + drawing.draw.below(len(makers) - least + 1)]
        )

    def _maybe(self, value: Mapping[str, Any], path: str) -> Maker:
        maker, chance = self._maker(value["$maybe"], path), float(value.get("chance", 0.5))
        return lambda drawing: maker(drawing) if drawing.draw.unit() < chance else ABSENT

    def _pool(self, name: str, path: str) -> Sequence[Any]:
        if not self._pools.get(name):
            raise self._problem(path, f"the pool {name!r}", f"one of {', '.join(self._pools) or 'none'}")
        return self._pools[name]

    def _problem(self, path: str, found: str, expected: str) -> ConfigError:
        return ConfigError(f"{self._source}: {path}: found {found}, expected {expected}")


_GAPS = "{n}, {uuid}, {UUID}, {hex:N}, {base62:N}, {lower:N}, {digits:N}, {pool:NAME} or {field:PATH}"
_DIRECTIVES: dict[str, Callable[[Template, Mapping[str, Any], str], Maker]] = {
    "$pool": Template._pool_of,
    "$choice": Template._choice,
    "$int": Template._int,
    "$number": Template._number,
    "$counter": Template._counter,
    "$copy": Template._copy,
    "$time": Template._time,
    "$some": Template._some,
    "$maybe": Template._maybe,
}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the fields of `over` in place of its own, mappings merged inside."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and not any(k[:1] == "$" for k in (*old, *value)):
            value = merged(old, value)
        result[key] = value
    return result


def _present(values: Any) -> list[Any]:
    return [value for value in values if value is not ABSENT]


def _look(row: Mapping[str, Any], path: str) -> Any:
    found: Any = row
    for step in path.split("."):
        found = found[step]
    return found


def _time_writer(form: str, zone: ZoneInfo) -> Callable[[datetime], Any]:
    if form == "epoch_ms":
        return epoch_ms
    if form == "iso_ms":
        return lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    return lambda moment: moment.astimezone(zone).strftime(form)
