"""The virtual time of a test's namespace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localruns.testing.handle import Handle


class Clock:
    """The virtual time of a namespace; it ticks with real time until frozen."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    @property
    def now(self) -> datetime:
        """The virtual time, aware, in UTC."""
        return datetime.fromisoformat(self._handle.call("GET", "clock")["now"])

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return bool(self._handle.call("GET", "clock")["frozen"])

    def freeze(self, at: datetime | str | None = None) -> None:
        """Stop time, at `at` (aware, or ISO 8601 text) or where it is."""
        moment = at.isoformat() if isinstance(at, datetime) else at
        self._act("freeze", {} if moment is None else {"at": moment})

    def advance(self, step: float | timedelta) -> None:
        """Jump ahead; a frozen clock stays frozen. Units: seconds, or a timedelta."""
        self._act("advance", {"seconds": step.total_seconds() if isinstance(step, timedelta) else step})

    def reset(self) -> None:
        """Back to the scenario's start, ticking."""
        self._act("reset", {})

    def _act(self, action: str, details: Mapping[str, Any]) -> None:
        self._handle.call("PUT", "clock", content={"action": action, **details})
