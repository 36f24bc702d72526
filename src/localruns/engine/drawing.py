"""One row being drawn, and what the makers of its values share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localruns.engine.draw import Draw

Path = tuple[str | int, ...]
Pools = Mapping[str, Sequence[Any]]
ABSENT = object()


@dataclass(slots=True)
class Drawing:
    """One row being drawn: its index, its choices, what is in it so far. Units: `times` are epoch milliseconds."""

    index: int
    draw: Draw
    row: dict[str, Any] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)


Maker = Callable[[Drawing], Any]


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


def look(row: Mapping[str, Any], name: str) -> Any:
    """The value of a field drawn earlier in the row. Raises ValueError."""
    found: Any = row
    for step in name.split("."):
        if not isinstance(found, dict) or step not in found:
            raise ValueError(f"the field {name!r}, expected one that stands before it in the row")
        found = found[step]
    return found


def is_plain(value: Any) -> bool:
    """Whether a template value is the same in every row."""
    return not isinstance(value, (dict, list)) and not (isinstance(value, str) and "{" in value)


def present(values: Iterable[Any]) -> list[Any]:
    """The values that are there."""
    return [value for value in values if value is not ABSENT]
