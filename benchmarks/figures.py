"""A measured figure beside its limit, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# How a value of each unit is written; seconds are shown in milliseconds while they are few.
_WRITTEN: dict[str, Callable[[float], str]] = {
    "times": lambda value: f"{value:.2f} x" if value < 10 else f"{value:,.0f} x",
    "s": lambda value: f"{value * 1000:,.2f} ms" if value < 1 else f"{value:,.2f} s",
    "us": lambda value: f"{value:,.0f} us",
    "MB": lambda value: f"{value:,.0f} MB",
    "/s": lambda value: f"{value:,.0f}/s",
    "rows/s": lambda value: f"{value:,.0f} rows/s",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. Shape: `value` is None when it could not be measured; without a `limit` nothing is judged."""

    name: str
    value: float | None
    unit: str
    limit: float | None = None
    at_most: bool = True

    @property
    def passed(self) -> bool | None:
        """Whether the limit holds; None when there is none, or no value."""
        if self.value is None or self.limit is None:
            return None
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    @property
    def verdict(self) -> str:
        """`pass`, `miss` or `not measured`; empty without a limit."""
        if self.value is None:
            return "not measured"
        return {None: "", True: "pass", False: "miss"}[self.passed]

    def row(self) -> list[str]:
        """Name, value, limit and verdict as they are shown."""
        limit = (
            ""
            if self.limit is None
            else f"{'at most' if self.at_most else 'at least'} {written(self.limit, self.unit)}"
        )
        return [self.name, written(self.value, self.unit), limit, self.verdict]

    def told(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit,
            "at_most": self.at_most,
            "verdict": self.verdict,
        }


def written(value: float | None, unit: str) -> str:
    """A value with its unit; a dash when there is none."""
    return "-" if value is None else _WRITTEN[unit](value)


def figure(told: Mapping[str, Any]) -> Figure:
    """A figure out of JSON."""
    return Figure(told["name"], told["value"], told["unit"], told["limit"], told["at_most"])
