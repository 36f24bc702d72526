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
from typing import Any

from localruns import schemas
from localruns.engine.draw import BASE62, LOWER, choices, hexes, texts, uuids
from localruns.engine.rows.directives import DIRECTIVES
from localruns.engine.rows.drawing import (
    ABSENT,
    Batch,
    Drawing,
    Maker,
    Path,
    Pools,
    Workshop,
    field_name,
    is_plain,
    look,
    may_be_absent,
    present,
)
from localruns.errors import ConfigError

MAX_TEXT = 10_000
Where = Callable[[Path, str], str]
_GAP = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_NUMBER_FORM = re.compile(r"0?[1-9]?[0-9]?[dxX]?")
_ALPHABETS = {"base62": BASE62, "lower": LOWER, "digits": "0123456789", "hex": "0123456789abcdef"}
_GAPS = "{n}, {uuid}, {UUID}, {hex:N}, {base62:N}, {lower:N}, {digits:N}, {pool:NAME} or {field:PATH}"


class Template:
    """A compiled template: `rows(drawings)` draws that many rows at once.

    Shape: `where(path, words)` is a line that says where in a file a path of the template stands.
    """

    def __init__(
        self, content: Mapping[str, Any], pools: Pools, where: Where, settings: Mapping[str, Any] | None = None
    ) -> None:
        self._where = where
        self._shop = Workshop(self._maker, pools, settings or {})
        self._fields = [(name, self._maker(value, (name,)), may_be_absent(value)) for name, value in content.items()]

    def rows(self, batch: Batch) -> list[dict[str, Any]]:
        """A fresh dict for each of the drawings. Raises ConfigError for a value that cannot be drawn."""
        name = ""
        rows = [drawing.row for drawing in batch]
        try:
            for name, make, absent in self._fields:
                _set(rows, name, make(batch), absent)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            if len(batch) > 1:  # one by one, to find the first row that cannot be drawn
                return [row for drawing in batch for row in self.rows((Drawing(drawing.index, drawing.base),))]
            raise self._problem((name,), f"{error} (row {batch[0].index + 1} of the block)") from None
        return rows

    def _maker(self, value: Any, path: Path) -> Maker:
        if is_plain(value):
            return lambda batch: [value] * len(batch)
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, list):
            return self._list(value, path)
        directive = next((key for key in value if key.startswith("$")), "")
        return self._directive(directive, value, path) if directive else self._mapping(value, path)

    def _list(self, value: list[Any], path: Path) -> Maker:
        makers = [self._maker(item, (*path, index)) for index, item in enumerate(value)]
        if not makers:
            return lambda batch: [[] for _ in batch]
        if not any(map(may_be_absent, value)):
            return lambda batch: list(map(list, zip(*[make(batch) for make in makers], strict=True)))
        return lambda batch: list(map(present, zip(*[make(batch) for make in makers], strict=True)))

    def _mapping(self, value: Mapping[str, Any], path: Path) -> Maker:
        name = field_name(path)
        if "." not in name and not any(isinstance(step, int) for step in path):
            return self._growing(value, path, name)
        makers = self._parts({key: item for key, item in value.items() if not is_plain(item)}, path)
        form = dict(value)

        def make(batch: Batch) -> list[dict[str, Any]]:
            targets = [form.copy() for _ in batch]
            for key, maker, absent in makers:
                _set(targets, key, maker(batch), absent)
            return targets

        return make

    def _growing(self, value: Mapping[str, Any], path: Path, name: str) -> Maker:
        """A mapping at the top of the row is set in place at once, so that `$copy` finds what is in it already."""
        makers = self._parts(value, path)

        def make(batch: Batch) -> list[dict[str, Any]]:
            targets: list[dict[str, Any]] = [{} for _ in batch]
            for drawing, target in zip(batch, targets, strict=True):
                drawing.row.setdefault(name, target)
            for key, maker, absent in makers:
                _set(targets, key, maker(batch), absent)
            return targets

        return make

    def _parts(self, value: Mapping[str, Any], path: Path) -> list[tuple[str, Maker, bool]]:
        """(key, maker, whether it may come to nothing) of each entry of a mapping."""
        return [(key, self._maker(item, (*path, key)), may_be_absent(item)) for key, item in value.items()]

    def _text(self, text: str, path: Path) -> Maker:
        form, end = "", 0
        makers: list[Maker] = []
        for gap in _GAP.finditer(text):
            form += text[end : gap.start()].replace("%", "%%") + "%s"
            makers.append(self._gap(gap[1], gap[2] or "", path))
            end = gap.end()
        form += text[end:].replace("%", "%%")
        if not makers:
            return lambda batch: [text] * len(batch)
        if len(makers) == 1:
            only, (head, tail) = makers[0], form.replace("%%", "%").split("%s", 1)
            return lambda batch: [f"{head}{part}{tail}" for part in only(batch)]
        return lambda batch: [form % parts for parts in zip(*[make(batch) for make in makers], strict=True)]

    def _gap(self, name: str, argument: str, path: Path) -> Maker:
        if name == "n" and _NUMBER_FORM.fullmatch(argument):
            return lambda batch: [format(drawing.index + 1, argument) for drawing in batch]
        if name in ("uuid", "UUID") and not argument:
            return uuids if name == "uuid" else lambda batch: [drawn.upper() for drawn in uuids(batch)]
        if name == "field" and argument:
            return lambda batch: look(batch, argument)
        if name == "pool":
            return self._pool(argument, path)
        length = int(argument) if argument.isascii() and argument.isdigit() and len(argument) < 6 else 0
        if name not in _ALPHABETS or not 0 < length <= MAX_TEXT:
            found = f"the gap {{{name}{':' + argument if argument else ''}}}"
            raise self._problem(path, f"{found}, expected {_GAPS}, N from 1 to {MAX_TEXT:,}")
        alphabet = _ALPHABETS[name]
        if name == "hex":
            return lambda batch: hexes(batch, length)
        return lambda batch: texts(batch, alphabet, length)

    def _pool(self, name: str, path: Path) -> Maker:
        try:
            pool = self._shop.pool(name)
        except ValueError as error:
            raise self._problem(path, str(error)) from None
        return lambda batch: choices(batch, pool)

    def _directive(self, name: str, value: Mapping[str, Any], path: Path) -> Maker:
        if name not in DIRECTIVES:
            near = schemas.near(name, list(DIRECTIVES))
            raise self._problem((*path, name), f"{name!r}{near}, expected one of {', '.join(DIRECTIVES)}")
        build, options = DIRECTIVES[name]
        for key in value:
            if key not in options and key != name:
                words = f"{key!r}{schemas.near(key, sorted(options))}, expected beside {name}: "
                raise self._problem((*path, key), words + (", ".join(sorted(options)) or "nothing"))
        try:
            return build(self._shop, value, path)
        except (LookupError, TypeError, OSError) as error:
            words = f"{name} with unusable values ({error}), expected the form in docs/scenarios.md"
            raise self._problem(path, words) from None
        except ValueError as error:
            raise self._problem(path, str(error)) from None

    def _problem(self, path: Path, words: str) -> ConfigError:
        return ConfigError(self._where(path, f"found {words}"))


def _set(rows: Sequence[dict[str, Any]], name: str, values: Sequence[Any], absent: bool) -> None:
    """Put a value into each row; `absent`: some may be nothing."""
    if not absent:
        for row, value in zip(rows, values, strict=True):
            row[name] = value
        return
    for row, value in zip(rows, values, strict=True):
        if value is not ABSENT:
            row[name] = value
        else:
            row.pop(name, None)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the fields of `over` in place of its own, mappings merged inside."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and not any(k[:1] == "$" for k in (*old, *value)):
            value = merged(old, value)
        result[key] = value
    return result
