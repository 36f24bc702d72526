"""Who may call: access key, signature, API key, rights. The wire says as little as the vendor does.

**Source**: CLOVA NSML overview, API Gateway troubleshooting; outcomes and order are assumed, see this folder's README.
"""

from __future__ import annotations

import hmac
import re

from localruns import clock
from localruns.engine.call import Call
from localruns.engine.credentials import flaw
from localruns.engine.draw import LOWER, code_text
from localruns.engine.message import Request
from localruns.errors import ApiError
from localruns.vendors.naver_nsml.headers import (
    ACCESS_KEY,
    API_KEY,
    SIGNATURE_V1,
    SIGNATURE_V2,
    TIMESTAMP,
)
from localruns.vendors.naver_nsml.problems import invalid, missing
from localruns.vendors.naver_nsml.signature import verify

_DIGITS = re.compile(r"[0-9]{1,18}")


def authenticate(call: Call) -> Call:
    """Refuse a request without usable credentials, as far as the mode asks."""
    if call.state.auth == "off":
        return call
    verifying = call.state.auth == "verify"
    accepted = _accepted(call) if verifying else (SIGNATURE_V2, SIGNATURE_V1)
    signature = _present(call.request, accepted)
    presented = identify(call.request)
    problem = flaw(call, presented)
    if verifying:
        _fresh(call)
    if problem:
        raise invalid(f"the access key {presented} is {problem} in the scenario")
    if verifying:
        verify(call, signature)
    return call


def subscription(call: Call) -> Call:
    """Refuse an API key that nobody holds (mode verify), or whose holder has no subscription."""
    if call.state.auth == "off":
        return call
    given = (call.request.header(API_KEY) or "").encode("latin-1", "replace")
    own = call.state.credentials.get(call.entry.credential, {})
    holders = [
        known
        for known in (own, *call.state.credentials.values())
        if hmac.compare_digest(known.get("api_key", "").encode(), given)
    ]
    if not holders and call.state.auth == "verify":
        raise invalid(f"no credential of the scenario has the API key of {API_KEY}")
    if holders and holders[0].get("subscribed") is False:
        raise ApiError(code="210", detail=f"the API key of {holders[0]['id']} has `subscribed: false` in the scenario")
    return call


def identify(request: Request) -> str:
    """The access key."""
    return (request.header(ACCESS_KEY) or "").strip()


def own_credentials(name: str) -> list[dict[str, str]]:
    """What a namespace of that name has in the place of the well-known credential."""
    key, api_key = (code_text(LOWER, 16, "naver-nsml", what, name).upper() for what in ("access key", "API key"))
    return [{"id": f"LRNS{key}", "secret": f"localruns-naver-secret-{name}", "api_key": f"LRNS{api_key}"}]


def _accepted(call: Call) -> tuple[str, ...]:
    return (SIGNATURE_V2, SIGNATURE_V1) if call.settings["accept_signature_v1"] else (SIGNATURE_V2,)


def _present(request: Request, signatures: tuple[str, ...]) -> str:
    """The name of the signature header that counts; all others are there too."""
    there = [name for name in signatures if _has(request, name)]
    absent = [name for name in (TIMESTAMP, ACCESS_KEY, API_KEY) if not _has(request, name)]
    if not there:
        absent.append(" or ".join(signatures))
    if not absent:
        return there[0]
    detail = f"missing or empty: {', '.join(absent)}"
    if not there and _has(request, SIGNATURE_V1):
        detail += f"; {SIGNATURE_V1} is there, which counts with the setting accept_signature_v1 only"
    raise missing(detail)


def _has(request: Request, name: str) -> bool:
    return bool((request.header(name) or "").strip())


def _fresh(call: Call) -> None:
    """Refuse a timestamp at the border of the window or beyond. Units: milliseconds."""
    text = (call.request.header(TIMESTAMP) or "").strip()
    if not _DIGITS.fullmatch(text):
        raise invalid(f"{TIMESTAMP} is {text[:60]!r}, expected milliseconds since 1970 in digits")
    now_ms = clock.epoch_ms(clock.wall_now())
    ahead_ms, window_ms = int(text) - now_ms, call.settings["clock_skew_ms"]
    if abs(ahead_ms) >= window_ms:
        hint = ", it looks like seconds" if len(text) == 10 else ""
        where = f"{abs(ahead_ms)} ms {'ahead of' if ahead_ms > 0 else 'behind'} now ({now_ms})"
        raise invalid(f"{TIMESTAMP} is {text}, {where}, expected less than {window_ms}{hint}")
