"""Chaos profiles: faults by chance, drawn from a seed and written out call by call, so that what they find replays.

What strikes a call depends on (seed, profile, vendor, call) alone: not on time, on the order of requests, on other
vendors, or on how long the schedule is. A profile is expanded when a scenario is read; from then on its faults are like
any others. No profile stalls a connection: each stall would cost a client the whole of its timeout, or for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localruns.engine.draw import Draw
from localruns.engine.faults.pages import CATALOGUE, EARLIEST, why_not
from localruns.engine.vendor import Vendor

if TYPE_CHECKING:
    from localruns.engine.scenario import Scenario

CALLS = 200
WINDOW = 20  # calls; within them at most one page fault acts, so that an endless list ends with them
LATEST_PAGE = 4
PLAIN_BYTES = 2_000  # cuts fall within them: a short page has about as many

Spec = dict[str, Any]
Make = Callable[[Draw], Spec]


@dataclass(frozen=True, slots=True)
class Profile:
    """What may strike. Shape: `chance` that a call is struck at all; `kinds` (weight, the fault without its trigger).

    `page_chance` that a page fault acts within a window of calls: one of `page_faults`, empty means all.
    """

    about: str
    chance: float
    kinds: Sequence[tuple[int, Make]]
    page_chance: float = 0.0
    page_faults: Sequence[str] = ()


def stated(order: Mapping[str, Any], seed: int) -> Spec:
    """Profile, seed and length in calls, defaults filled in; `seed` is that of the scenario."""
    return {"profile": order["profile"], "seed": order.get("seed", seed), "calls": order.get("calls", CALLS)}


def summary(scenario: Scenario) -> str:
    """`chaos flaky-network, seed 8812: 51 faults for VENDOR, ...`; "" for a scenario without a profile."""
    if not scenario.chaos:
        return ""
    counts = Counter(fault["when"]["vendor"] for fault in scenario.faults)
    listed = ", ".join(f"{count} faults for {vendor}" for vendor, count in counts.items()) or "no fault"
    profile, seed, calls = (scenario.chaos[key] for key in ("profile", "seed", "calls"))
    return f"chaos {profile}, seed {seed}: {listed} within {calls} calls of each; `localruns freeze` writes them out"


def expand(
    order: Mapping[str, Any], vendors: Sequence[Vendor], seed: int, after: Mapping[str, int] | None = None
) -> list[Spec]:
    """The faults of a profile as a scenario writes them, vendor by vendor, in the order of calls.

    Shape: `order` is `profile` and, where it states them, `seed` and `calls`; `seed` is that of the scenario; `after`
    the calls that a vendor has answered already.
    """
    asked = stated(order, seed)
    return [fault for vendor in vendors for fault in _of_vendor(vendor, (after or {}).get(vendor.id, 0), **asked)]


def _of_vendor(vendor: Vendor, after: int, profile: str, seed: int, calls: int) -> Iterator[Spec]:
    what, parts = PROFILES[profile], ("chaos", seed, profile, vendor.id)
    for call in range(1, calls + 1):
        if call % WINDOW == 1:
            last = min(call + WINDOW - 1, calls)
            yield from _page_fault(what, vendor, [after + call, after + last], Draw(*parts, "page", call))
        draw = Draw(*parts, call)
        if draw.unit() < what.chance:
            yield {"when": {"vendor": vendor.id, "call": after + call}, **_weighted(what.kinds, draw)(draw)}


def _page_fault(profile: Profile, vendor: Vendor, calls: list[int], draw: Draw) -> Iterator[Spec]:
    known = [name for name in profile.page_faults or CATALOGUE if not why_not(vendor, name)]
    if not known or draw.unit() >= profile.page_chance:
        return
    when: Spec = {"vendor": vendor.id, "calls": calls}
    entry = draw.choice(known)
    if entry in EARLIEST:
        when["page"] = EARLIEST[entry] + draw.below(LATEST_PAGE - EARLIEST[entry] + 1)
    yield {"when": when, "page_fault": entry}


def _weighted(kinds: Sequence[tuple[int, Make]], draw: Draw) -> Make:
    at = draw.below(sum(weight for weight, _ in kinds))
    for weight, make in kinds:
        at -= weight
        if at < 0:
            return make
    raise AssertionError("unreachable")


def _between(low: int, high: int, draw: Draw) -> int:
    return low + draw.below(high - low + 1)


def _latency(low_ms: int, doublings: int) -> Make:
    """Mostly short, sometimes long; whole numbers all the way, which are the same on every machine."""

    def make(draw: Draw) -> Spec:
        floor_ms = low_ms << draw.below(doublings)
        return {"wire": {"latency_ms": floor_ms + draw.below(floor_ms)}}

    return make


def _cut(name: str) -> Make:
    return lambda draw: {"wire": {name: draw.below(PLAIN_BYTES)}}


def _wire(name: str, value: Any = True) -> Make:
    return lambda draw: {"wire": {name: value}}


def _bandwidth(draw: Draw) -> Spec:
    return {"wire": {"bandwidth_bytes_per_s": 1_000 * _between(20, 200, draw)}}


def _dribble(draw: Draw) -> Spec:
    return {"wire": {"dribble": {"bytes": _between(50, 500, draw), "every_ms": _between(2, 20, draw)}}}


def _garbage(draw: Draw) -> Spec:
    return {"wire": {"garbage_bytes": _between(1, PLAIN_BYTES, draw)}}


def _refuse(kind: str, longest_wait_s: int = 0) -> Make:
    def make(draw: Draw) -> Spec:
        wait = {"retry_after_s": _between(1, longest_wait_s, draw)} if longest_wait_s else {}
        return {"refuse": kind, **wait}

    return make


_BREAKS = (
    (3, _wire("reset_after_bytes", 0)),
    (2, _cut("reset_after_bytes")),
    (3, _cut("truncate_body_after_bytes")),
    (2, _wire("empty_reply")),
    (1, _wire("malformed_chunk")),
)
_BUSY = (
    (5, _refuse("throttled", longest_wait_s=2)),
    (3, _refuse("unavailable", longest_wait_s=2)),
    (2, _refuse("server_error")),
)
_SPOILT = (
    (2, _garbage),
    (2, _wire("invalid_json")),
    (2, _wire("content_type", "text/html; charset=utf-8")),
    (1, _wire("gzip_mislabelled")),
)
_AUTH = ((4, _refuse("unauthorized")), (1, _refuse("forbidden")))

PROFILES: Mapping[str, Profile] = {
    "flaky-network": Profile(
        "connections are reset, closed early or without a word; some answers are late",
        0.25,
        (*_BREAKS, (5, _latency(10, 5))),
    ),
    "slow-network": Profile(
        "nothing breaks, everything takes longer: latency, little bandwidth, answers that dribble in",
        0.8,
        ((6, _latency(10, 5)), (3, _bandwidth), (2, _dribble), (1, _latency(400, 1))),
    ),
    "overloaded": Profile(
        "throttled or unavailable with a wait to keep, server errors, late answers",
        0.35,
        (*_BUSY, (3, _latency(50, 4))),
    ),
    "flaky-auth": Profile(
        "good credentials are refused now and then, or expire in the middle of a walk",
        0.15,
        _AUTH,
        page_chance=0.5,
        page_faults=("auth_expiry_mid_walk",),
    ),
    "torture": Profile(
        "all of these, bodies that cannot be read, and the torture catalogue",
        0.3,
        (*_BREAKS, *_BUSY, *_SPOILT, *_AUTH, (4, _latency(10, 4)), (1, _bandwidth), (1, _dribble)),
        page_chance=0.8,
    ),
}
