"""Who may call: API version, credentials, permission.

**Source**: Request syntax and signature method V3; the gateway's published error tables.
"""

from __future__ import annotations

import re

from localruns.engine.call import Call
from localruns.engine.credentials import flaw
from localruns.engine.message import Request
from localruns.errors import ApiError, Forbidden, Unauthorized

VERSION = "2021-02-04"
_AUTHORIZATION = re.compile(r"ACS3-[A-Z0-9-]+ +(?P<fields>\S.*)")


def version(call: Call) -> Call:
    """Refuse another API version; a request that names none is let through."""
    asked = call.request.header("x-acs-version")
    if asked not in (None, VERSION):
        raise ApiError(code="InvalidVersion", detail=f"x-acs-version is {asked!r}, expected {VERSION!r}")
    return call


def authenticate(call: Call) -> Call:
    """Refuse a request without usable credentials, as far as the mode asks."""
    if call.state.auth == "off":
        return call
    presented = _presented(call.request)
    problem = flaw(call, presented)
    if problem == "disabled":
        raise ApiError(code="InvalidAccessKeyId.Inactive", detail=f"{presented} is disabled in the scenario")
    if problem == "expired":
        raise Unauthorized(code="InvalidSecurityToken.Expired", detail=f"{presented} has expired")
    return call


def permission(call: Call) -> Call:
    """Refuse a good key that the scenario gives no right to list runs."""
    known = call.state.credentials.get(call.entry.credential, {})
    if call.state.auth != "off" and known.get("allow") is False:
        raise Forbidden(detail=f"{known['id']} has `allow: false` in the scenario")
    return call


def identify(request: Request) -> str:
    """The access key id, or the bearer token."""
    authorization = request.header("authorization") or ""
    match = _AUTHORIZATION.fullmatch(authorization.strip())
    if match:
        return authorization_fields(match["fields"]).get("Credential", "")
    return request.header("x-acs-bearer-token") or ""


def authorization_fields(text: str) -> dict[str, str]:
    """`Credential`, `SignedHeaders` and `Signature` of an Authorization header."""
    pairs = (part.strip().partition("=") for part in text.split(","))
    return {name: value for name, _, value in pairs}


def _presented(request: Request) -> str:
    bearer = request.header("x-acs-bearer-token")
    if bearer and (request.header("x-acs-signature-type") or "").upper() == "BEARERTOKEN":
        return bearer
    authorization = (request.header("authorization") or "").strip()
    if not authorization:
        raise ApiError(code="MissingAccessKeyId", detail="neither Authorization nor x-acs-bearer-token is there")
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None or not authorization_fields(match["fields"]).get("Credential"):
        scheme = authorization.split(" ", 1)[0][:40]
        detail = f"Authorization begins with {scheme!r}, expected 'ACS3-HMAC-SHA256 Credential=...'"
        raise ApiError(code="IncompleteSignature", detail=detail)
    return identify(request)
