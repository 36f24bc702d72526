"""Faults of a scenario, armed in a namespace: what triggers them, and how often they fired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localruns.engine.message import ErrorTable
from localruns.errors import KINDS, ApiError


@dataclass(frozen=True, slots=True)
class Moment:
    """What a trigger can ask about: counts of one vendor in one namespace, the present call included."""

    vendor: str
    operation: str
    call: int
    page: int
    rows: int


@dataclass(slots=True)
class Fault:
    """One armed fault. Shape: `spec` as in the scenario file."""

    spec: Mapping[str, Any]
    fired: int = 0

    def strikes(self, moment: Moment) -> bool:
        """Whether the fault fires now; firing is counted."""
        times = self.spec.get("times")
        if (times is not None and self.fired >= times) or not _matches(self.spec["when"], moment):
            return False
        self.fired += 1
        return True

    def refusal(self, table: ErrorTable) -> ApiError:
        """The refusal that this fault asks for."""
        return injected(
            table,
            self.spec["refuse"],
            retry_after_s=self.spec.get("retry_after_s"),
            detail=f"fault {words(self.spec)}, fired {self.fired} times",
        )


def injected(table: ErrorTable, name: str, **rest: Any) -> ApiError:
    """The refusal of a neutral kind or a vendor's own code."""
    if name in table.kinds:
        # A bad request that nobody sent has no parameter to name, so all kinds are made alike.
        error = ApiError(code=table.kinds[name], injected=True, **rest)
        error.kind = KINDS[name].kind
        return error
    return ApiError(code=name, injected=True, **rest)


def words(spec: Mapping[str, Any]) -> str:
    """`refuse throttled at page 3` for the journal."""
    triggers = [f"{key} {value}" for key, value in spec["when"].items() if key != "vendor"]
    return f"refuse {spec['refuse']} at {', '.join(triggers) or 'every call'}"


def _matches(when: Mapping[str, Any], moment: Moment) -> bool:
    if when["vendor"] != moment.vendor:
        return False
    low, high = when.get("calls", (1, moment.call))
    return bool(
        when.get("operation", moment.operation) == moment.operation
        and when.get("call", moment.call) == moment.call
        and low <= moment.call <= high
        and when.get("page", moment.page) == moment.page
        and moment.call % when.get("every", 1) == 0
        and moment.rows >= when.get("after_rows", 0)
    )
