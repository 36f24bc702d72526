"""What came back from a recording beside what went in."""

from __future__ import annotations

from typing import Any

from localruns import placeholders


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same, or the second is a placeholder for the first."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other) or placeholders.holds(str(other))
