"""The checks of an ACS3-HMAC-SHA256 signature, in the order in which `access` makes them.

**Source**: Request syntax and signature method V3; codes from the gateway's error table and public issue logs.
"""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta

from localruns import clock
from localruns.engine.call import Call
from localruns.engine.message import Request
from localruns.errors import ApiError
from localruns.vendors.alibaba_pai.canonical import ALGORITHM, Authorization, canonicals
from localruns.vendors.alibaba_pai.mismatch import explain
from localruns.vendors.alibaba_pai.nonces import Nonces

MUST_SIGN = (
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def require_form(request: Request, authorization: Authorization) -> None:
    """Refuse another algorithm, a missing field, and a header that must be signed and is not."""
    if authorization.algorithm != ALGORITHM:
        words = f"{authorization.algorithm} is a real algorithm of the SDKs, not emulated here"
        raise ApiError(code="IncompleteSignature", detail=f"{words}: use {ALGORITHM}, or the mode present")
    for name, text in (("SignedHeaders", authorization.signed_headers), ("Signature", authorization.signature)):
        if not text:
            raise ApiError(code="IncompleteSignature", detail=f"Authorization has no {name}")
    unsigned = [name for name in MUST_SIGN if name not in authorization.names]
    carried = {name for name, _ in request.headers}
    absent = [name for name in authorization.names if name not in carried]
    if unsigned:
        raise ApiError(code="IncompleteSignature", detail=f"SignedHeaders lacks {', '.join(unsigned)}")
    if absent:
        words = f"SignedHeaders names {', '.join(absent)[:200]}, which the request does not carry"
        raise ApiError(code="IncompleteSignature", detail=words)


def require_fresh(call: Call) -> None:
    """Refuse a date of another form, or further from the wall time than the setting `signature_skew_s`."""
    moment, allowed_s = _date(call.request), call.settings["signature_skew_s"]
    ahead_s = (moment - clock.wall_now()).total_seconds()
    if abs(ahead_s) > allowed_s or not allowed_s:
        where = f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} the wall time"
        detail = f"x-acs-date lies {where}, signature_skew_s allows {allowed_s}"
        raise ApiError(code="InvalidTimeStamp.Expired", detail=detail)


def require_match(call: Call, authorization: Authorization, secret: str) -> None:
    """Refuse a signature that the secret does not give; the journal learns which path it was given for."""
    forms = tuple(canonicals(call.request, authorization))
    body_holds = (call.request.header("x-acs-content-sha256") or "").strip() == forms[0].payload
    held = [form for form in forms if _same(form.signature(secret), authorization.signature)]
    if not (secret and held and body_holds):
        raise ApiError(
            code="SignatureDoesNotMatch",
            detail=explain(call, authorization, secret, forms),
            parameters={"string_to_sign": forms[0].string_to_sign},
        )
    if prefix := call.request.prefix:
        without = "with" if held[0] is not forms[0] else "without"
        call.entry.note(f"the signature holds for the path {held[0].path!r}, {without} the prefix {prefix!r}")


def require_new(call: Call, authorization: Authorization) -> None:
    """Refuse a nonce that the key has used; called last, so that only a good signature uses one up."""
    nonce = (call.request.header("x-acs-signature-nonce") or "").strip()
    seen: Nonces = call.state.memory.setdefault("nonces", Nonces())
    now = clock.wall_now()
    # A date may lie ahead: the request could come again until that date is out of the window.
    until = max(now, _date(call.request)) + timedelta(seconds=call.settings["signature_skew_s"])
    if not seen.take((authorization.credential, nonce), now, until):
        detail = f"the nonce {nonce[:80]!r} came before with {authorization.credential}, in a request that was verified"
        raise ApiError(code="SignatureNonceUsed", detail=detail)


def _date(request: Request) -> datetime:
    text = (request.header("x-acs-date") or "").strip()
    try:
        if _DATE.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        pass
    detail = f"x-acs-date is {text[:60]!r}, expected a UTC time such as 2026-01-15T09:00:00Z"
    raise ApiError(code="InvalidTimeStamp.Format", detail=detail)


def _same(computed: str, presented: str) -> bool:
    return hmac.compare_digest(computed.encode(), presented.encode("utf-8", "replace"))
