"""Who may call: API version, credentials, permission.

**Source**: Request syntax and signature method V3; the gateway's published error tables. The order of the checks and
the refusals of bearer tokens are assumed, see this folder's README.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from localruns.engine.call import Call
from localruns.engine.credentials import flaw
from localruns.engine.draw import BASE62, code_text
from localruns.engine.message import Request
from localruns.errors import ApiError, Unauthorized
from localruns.vendors.alibaba_pai import signature
from localruns.vendors.alibaba_pai.canonical import ALGORITHM, Authorization, read

VERSION = "2021-02-04"
_LEGACY = re.compile(r"acs +(?P<id>[^:\s]+):\S*")


def version(call: Call) -> Call:
    """Refuse another API version; a request that names none is let through (a signed one must name it)."""
    asked = call.request.header("x-acs-version")
    if asked not in (None, VERSION):
        raise ApiError(code="InvalidVersion", detail=f"x-acs-version is {asked!r}, expected {VERSION!r}")
    return call


def authenticate(call: Call) -> Call:
    """Refuse a request without usable credentials, as far as the mode asks."""
    if call.state.auth == "off":
        return call
    bearer = _bearer(call.request)
    if bearer:
        _require_bearer(call, bearer)
    else:
        _require_key(call, _authorization(call.request))
    return call


def identify(request: Request) -> str:
    """The access key id, or the bearer token."""
    authorization = request.header("authorization") or ""
    parts = read(authorization)
    if parts:
        return parts.credential
    legacy = _LEGACY.fullmatch(authorization.strip())
    return legacy["id"] if legacy else request.header("x-acs-bearer-token") or ""


def own_credentials(name: str) -> list[dict[str, str]]:
    """What a namespace of that name has in the place of the well-known credential."""
    key = "LTAI5t" + code_text(BASE62, 17, "alibaba-pai", "access key", name)
    return [{"id": key, "secret": f"localruns-alibaba-secret-{name}"}]


def _require_key(call: Call, authorization: Authorization) -> None:
    """Form, key, date, signature, nonce: each in its turn."""
    verify = call.state.auth == "verify"
    if verify:
        signature.require_form(call.request, authorization)
    known = _require_usable(call, authorization.credential)
    if verify:
        _require_token(call, known)
        signature.require_fresh(call)
        signature.require_match(call, authorization, known.get("secret", ""))
        signature.require_new(call, authorization)


def _require_usable(call: Call, name: str) -> Mapping[str, Any]:
    """What the scenario says of the key; in the modes below verify it need not be known."""
    problem = flaw(call, name)
    known = call.state.credentials.get(name)
    if known is None and call.state.auth == "verify":
        raise ApiError(code="InvalidAccessKeyId.NotFound", detail=f"the scenario has no credential {name[:80]!r}")
    if problem == "disabled":
        raise ApiError(code="InvalidAccessKeyId.Inactive", detail=f"{name} is disabled in the scenario")
    if problem == "expired":
        raise Unauthorized(code="InvalidSecurityToken.Expired", detail=f"{name} has expired")
    return known or {}


def _require_token(call: Call, known: Mapping[str, Any]) -> None:
    """A temporary key comes with its security token, a permanent one with none."""
    presented, expected = call.request.header("x-acs-security-token"), known.get("token")
    if expected and not presented:
        detail = f"{known['id']} has a token in the scenario, the request carries no x-acs-security-token"
        raise ApiError(code="MissingSecurityToken", detail=detail)
    if presented and not (expected and _same(presented, expected)):
        words = "is not the one of" if expected else "came with a permanent key,"
        detail = f"x-acs-security-token {words} {known['id']}"
        raise ApiError(code="InvalidSecurityToken.MismatchWithAccessKey", detail=detail)


def _require_bearer(call: Call, bearer: str) -> None:
    """A credential with a token and no secret is a bearer token; the journal names it by its id, never itself."""
    named = (
        name
        for name, known in call.state.credentials.items()
        if "secret" not in known and _same(known.get("token", ""), bearer)
    )
    name = next(named, "")
    if name:
        _require_usable(call, name)
        return
    call.entry.credential = f"bearer {sha256(bearer.encode()).hexdigest()[:12]}"
    if call.state.auth == "verify":
        detail = "x-acs-bearer-token is the token of no credential that has a token and no secret"
        raise ApiError(code="InvalidSecurityToken.Malformed", detail=detail)


def _bearer(request: Request) -> str:
    """The bearer token. **Source**: the SDK sends it with this signature type and no Authorization."""
    kind = request.header("x-acs-signature-type") or ""
    return (request.header("x-acs-bearer-token") or "") if kind.upper() == "BEARERTOKEN" else ""


def _authorization(request: Request) -> Authorization:
    """The ACS3 header of a request. Raises ApiError when none can be read."""
    text = (request.header("authorization") or "").strip()
    parts = read(text)
    if parts and parts.credential:
        return parts
    if not text:
        words = "neither Authorization nor x-acs-bearer-token (with x-acs-signature-type: BEARERTOKEN) is there"
        raise ApiError(code="MissingAccessKeyId", detail=words)
    if _LEGACY.fullmatch(text):
        words = "Authorization is of the older form `acs KEY:SIGNATURE` (version 2, HMAC-SHA1), not emulated here"
        raise ApiError(code="IncompleteSignature", detail=f"{words}: use {ALGORITHM}")
    scheme = text.split(" ", 1)[0][:40]
    detail = f"Authorization begins with {scheme!r} and names no key, expected 'ACS3-HMAC-SHA256 Credential=...'"
    raise ApiError(code="MissingAccessKeyId", detail=detail)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
