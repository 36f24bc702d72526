"""Headers that every answer of the gateway carries.

**Source**: answers of sibling products in public SDK logs.
"""

from __future__ import annotations

from localruns.engine.call import Call

CONTENT_TYPE = "application/json;charset=utf-8"


def reply_headers(call: Call, request_id: str) -> tuple[tuple[str, str], ...]:
    """Request and trace id, and the cross-origin pair."""
    return (
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "*"),
        ("x-acs-request-id", request_id),
        ("x-acs-trace-id", call.hex("trace", 32)),
    )
