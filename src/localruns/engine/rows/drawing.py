"""Rows being drawn, many at a time, and what the makers of their values share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localruns.engine.draw import Draw, words_of

Path = tuple[str | int, ...]
Pools = Mapping[str, Sequence[Any]]
ABSENT = object()


class Drawing(Draw):
    """One row being drawn: its index, its choices, what is in it so far. Units: `times` are epoch milliseconds."""

    __slots__ = ("index", "row", "times")

    def __init__(self, index: int, base: bytes) -> None:
        self.base = base
        self.words = words_of(base)
        self.index = index
        self.row: dict[str, Any] = {}
        self.times: dict[str, int] = {}


Batch = Sequence[Drawing]
Maker = Callable[[Batch], Sequence[Any]]
"""A value for each row of the batch; a maker of many rows is called as often as one of a single row."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What makers are made with.

    Shape: `maker(value, path)` makes the maker of any template value; `pools` by name; `settings` of the vendor.
    """

    maker: Callable[[Any, Path], Maker]
    pools: Pools
    settings: Mapping[str, Any]

    def pool(self, name: Any) -> Sequence[Any]:
        """The pool of that name. Raises ValueError."""
        if not isinstance(name, str) or not self.pools.get(name):
            raise ValueError(f"the pool {name!r}, expected one of {', '.join(self.pools) or 'none'}")
        return self.pools[name]


def field_name(path: Path) -> str:
    """`info.start_time`: the field at a path of the template, without list places and directives."""
    return ".".join(step for step in path if isinstance(step, str) and not step.startswith("$"))


def look(batch: Batch, name: str) -> Sequence[Any]:
    """The value of a field drawn earlier in each row. Raises ValueError."""
    found: Sequence[Any] = [drawing.row for drawing in batch]
    try:
        for step in name.split("."):
            found = [value[step] for value in found]
    except (KeyError, TypeError):
        raise ValueError(f"the field {name!r}, expected one that stands before it in the row") from None
    return found


def is_plain(value: Any) -> bool:
    """Whether a template value is the same in every row."""
    return not isinstance(value, (dict, list)) and not (isinstance(value, str) and "{" in value)


def present(values: Iterable[Any]) -> list[Any]:
    """The values that are there."""
    return [value for value in values if value is not ABSENT]


def may_be_absent(value: Any) -> bool:
    """Whether a template value may come to nothing."""
    if isinstance(value, dict):
        return "$maybe" in value or any(map(may_be_absent, value.values()))
    return isinstance(value, list) and any(map(may_be_absent, value))
