"""Faults of a scenario, armed in a namespace: what triggers them, and how often they fired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from localruns.engine.faults import wire
from localruns.engine.faults.wire import WirePlan
from localruns.engine.message import ErrorTable
from localruns.errors import KINDS, ApiError
from localruns.values import value

if TYPE_CHECKING:
    from localruns.engine.call import Call

KINDS_OF_FAULT = ("refuse", "page_fault", "wire")


@value
class Moment:
    """What a trigger can ask about: counts of one vendor in one namespace, the present call included."""

    vendor: str
    operation: str
    call: int
    page: int
    rows: int


@dataclass(slots=True)
class Fault:
    """One armed fault.

    Shape: `spec` as in the scenario file, `id` its number in the namespace; `kind` is `refuse`, `page_fault` or `wire`.
    """

    spec: Mapping[str, Any]
    id: int = 0
    fired: int = 0
    kind: str = field(init=False)
    _vendor: str = field(init=False)
    _call: int = field(init=False)

    def __post_init__(self) -> None:
        self.kind = next(kind for kind in KINDS_OF_FAULT if kind in self.spec)
        self._vendor, self._call = self.spec["when"]["vendor"], self.spec["when"].get("call", 0)

    def concerns(self, vendor: str, call: int) -> bool:
        """Whether that call of that vendor is worth a closer look: a chaos profile has hundreds of faults."""
        return self._call in (0, call) and self._vendor == vendor

    @property
    def used_up(self) -> bool:
        """Whether it has fired as often as it may; there is but one n-th call."""
        limit = self.spec.get("times", 1 if self._call else None)
        return limit is not None and self.fired >= limit

    def applies(self, moment: Moment) -> bool:
        """Whether a page fault may act on a call; at which page it does is its own business."""
        when = {key: value for key, value in self.spec["when"].items() if key != "page"}
        return not self.used_up and _matches(when, moment)

    def plan(self, call: Call) -> WirePlan:
        """The wire fault for one call, its choices drawn from (seed, namespace, vendor, call)."""
        parts = (call.space.scenario.seed, call.space.name, call.vendor.id, call.state.calls)
        return WirePlan(self.spec["wire"], parts)

    def due(self, moment: Moment) -> bool:
        """Whether the fault is to fire now."""
        return not self.used_up and _matches(self.spec["when"], moment)

    def strikes(self, moment: Moment) -> bool:
        """Whether the fault fires now; firing is counted."""
        due = self.due(moment)
        self.fired += due
        return due

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
    kind = next(kind for kind in KINDS_OF_FAULT if kind in spec)
    what = wire.words(spec["wire"]) if kind == "wire" else spec[kind]
    return f"{kind.replace('_', ' ')} {what} at {', '.join(triggers) or 'every call'}"


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
