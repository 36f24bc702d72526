"""Rate limits: so many calls in so many seconds of virtual time, per vendor, credential and namespace."""

from __future__ import annotations

from collections import deque

from localruns.engine.call import Call
from localruns.engine.faults.armed import injected


def require_room(call: Call) -> None:
    """Raises the vendor's own throttling when this call is one too many; a refused call uses nothing up."""
    limit = call.space.scenario.rate_limits.get(call.vendor.id)
    if limit is None:
        return
    windows: dict[str, deque[float]] = call.state.memory.setdefault("rate windows", {})
    window = windows.setdefault(call.entry.credential, deque())
    now, per_s = call.space.clock.now().timestamp(), float(limit["per_s"])
    while window and window[0] <= now - per_s:
        window.popleft()
    if len(window) < limit["calls"]:
        window.append(now)
        return
    wait_s = window[0] + per_s - now
    words = f"rate limit of {limit['calls']} calls in {limit['per_s']} s: the next is free in {wait_s:.3f} s"
    if call.space.clock.frozen:
        words += " of virtual time, which is frozen and will never come to it"
    raise injected(call.vendor.errors, "throttled", retry_after_s=wait_s, detail=words)
