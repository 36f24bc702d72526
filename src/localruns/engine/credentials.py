"""What a scenario says of the credential that a request presents."""

from __future__ import annotations

from localruns.clock import parse_time
from localruns.engine.call import Call
from localruns.errors import Forbidden


def flaw(call: Call, credential: str) -> str:
    """`disabled` or `expired` when the scenario marks the presented credential so, else an empty text."""
    call.entry.credential = credential
    known = call.state.credentials.get(credential, {})
    if known.get("disabled"):
        return "disabled"
    if "expires" in known and call.space.clock.now() >= parse_time(known["expires"]):
        return "expired"
    if "expires_after_calls" in known:
        uses: dict[str, int] = call.state.memory.setdefault("uses", {})
        uses[credential] = uses.get(credential, 0) + 1
        return "expired" if uses[credential] > known["expires_after_calls"] else ""
    return ""


def permission(call: Call) -> Call:
    """Refuse a good credential that the scenario gives no right to this. Raises Forbidden."""
    known = call.state.credentials.get(call.entry.credential, {})
    if call.state.auth != "off" and known.get("allow") is False:
        raise Forbidden(detail=f"{known['id']} has `allow: false` in the scenario")
    return call
