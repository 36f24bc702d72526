"""What a list call asks, without a word of any vendor: filter, sort, then cut.

A row has *columns* (one value each) and *bags* (values under free keys, such as labels, tags or metrics).
A value that is missing matches no condition but `absent`, and sorts last whichever the direction.
A number may be NaN: it matches `!=` only, and sorts behind all numbers and before the missing ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "like", "ilike", "in", "not in", "contains", "present", "absent"]
Value = str | int | float | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Field:
    """A column (`bag` is empty), or the value that stands under `name` in a bag of the row."""

    name: str
    bag: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; a query's conditions must all hold.

    Shape: `value` is a text, a number, a tuple of texts (`in`, `not in`) or None (`present`, `absent`).
    `like` and `ilike` know `%` and `_` only, and cover the whole text.
    """

    field: Field
    operator: Operator
    value: Value = None


@dataclass(frozen=True, slots=True)
class Order:
    """One sort item."""

    field: Field
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Filter and sort of one list call.

    Shape: `scope` names the resource whose rows are meant (empty: the vendor has none); `order` is total,
    with the vendor's own tie-breaks already in it. Pages and walks are looked up by it: its hash is taken once.
    """

    vendor: str
    scope: str
    conditions: tuple[Condition, ...]
    order: tuple[Order, ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.vendor, self.scope, self.conditions, self.order)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Cut:
    """Which slice of the ordered rows one page is. Units: rows."""

    offset: int
    size: int
