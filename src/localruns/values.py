"""Values that are made with each request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, eq_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """A slotted dataclass that never changes, which the type checker sees to.

    The guard of `frozen=True` makes a value three times as dear to make, and some are made with each request.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
