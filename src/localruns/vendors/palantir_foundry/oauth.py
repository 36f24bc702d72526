"""The OAuth2 endpoints: access tokens for a client's id and secret, renewed, revoked.

**Source**: foundry-platform-sdk 1.111.0 (what it sends and needs); RFC 6749 and RFC 7009 where Foundry's pages are
silent. The form of errors does not matter to the SDK.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from localruns.engine.call import Call
from localruns.engine.credentials import flaw
from localruns.engine.message import Reply, Request, parse_query
from localruns.errors import ApiError, NotEmulated, Unauthorized
from localruns.vendors.palantir_foundry import grants
from localruns.vendors.palantir_foundry.grants import Grant

_OFFLINE = "offline_access"


@dataclass(frozen=True, slots=True)
class Form:
    """A token request. Shape: `client` and `secret` from Basic, else from the form; "" when absent."""

    fields: Mapping[str, str]
    client: str
    secret: str

    @property
    def grant(self) -> str:
        """The grant type."""
        return self.fields.get("grant_type", "")


def parse(call: Call) -> Call:
    """The call with its form. Raises `invalid_request` for a field that stands twice."""
    pairs = _fields(call.request)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ApiError(code="invalid_request", detail="a field of the form stands twice")
    client, secret = _basic(call.request) or (fields.get("client_id", ""), fields.get("client_secret", ""))
    call.details = Form(fields, client, secret)
    return call


def grant_type(call: Call) -> Call:
    """Refuse a form without a grant type, or with one that the platform does not have."""
    form: Form = call.details
    if form.grant == "authorization_code":
        raise NotEmulated("Palantir Foundry: signing in a person (authorization_code) is not emulated here")
    if not form.grant:
        kind = call.request.header("content-type") or "no Content-Type"
        detail = f"found no grant_type in {kind[:80]}, expected a form (application/x-www-form-urlencoded)"
        raise ApiError(code="invalid_request", detail=detail)
    if form.grant not in _GRANTS:
        detail = f"grant_type is {form.grant[:80]!r}, expected one of: {', '.join(_GRANTS)}"
        raise ApiError(code="unsupported_grant_type", detail=detail)
    return call


def client(call: Call) -> Call:
    """Refuse a client that is missing or marked; in the mode `verify` also a wrong secret."""
    form: Form = call.details
    call.entry.credential = form.client
    if call.state.auth == "off":
        return call
    known = call.state.credentials.get(form.client, {})
    if not form.client:
        raise _invalid_client("there is no client id, neither in the form nor in Authorization: Basic")
    if problem := flaw(call, form.client):
        raise _invalid_client(f"{form.client} is {problem} in the scenario")
    if not form.secret and (form.grant == "client_credentials" or call.state.auth == "verify"):
        raise _invalid_client(f"there is no client secret for {form.client}")
    if call.state.auth == "verify" and "secret" not in known:
        raise _invalid_client(f"{form.client} is no OAuth client of the scenario")
    if call.state.auth == "verify" and form.secret != known["secret"]:
        raise _invalid_client(f"the client secret is not that of {form.client} in the scenario")
    return call


def give(call: Call) -> Reply:
    """A new access token. Units: `expires_in` seconds of virtual time."""
    scopes, source = _GRANTS[call.details.grant](call)
    ttl_s: int = call.settings["access_token_ttl_s"]
    expires = call.space.clock.now() + timedelta(seconds=ttl_s)
    if scopes is not None and _OFFLINE in scopes and not source:
        source = grants.keep(call, Grant(call.details.client, scopes, expires, renews=True))
    token = grants.keep(call, Grant(call.details.client, scopes, expires, source=source))
    call.entry.note(f"an access token for {ttl_s} s, scopes {'all' if scopes is None else ' '.join(scopes)}")
    content: dict[str, Any] = {"access_token": token, "token_type": "bearer", "expires_in": ttl_s}
    content |= {"refresh_token": source or None, "scope": None}
    return Reply(200, content, "palantir-foundry/token.json", NO_STORE)


def revoke(call: Call) -> Reply:
    """An empty 200, for a token that is unknown or another client's too (RFC 7009); that one stays as it was."""
    token = call.details.fields.get("token")
    if not token:
        raise ApiError(code="invalid_request", detail="there is no token in the form")
    grant = grants.of(call).get(token)
    if grant is None or grant.client != call.details.client:
        call.entry.note("nothing was revoked: the token was not given out to this client in this namespace")
    else:
        grants.revoke(call, token)
    return Reply(200)


def client_id(request: Request) -> str:
    """The client id that a token request presents, or ""."""
    basic = _basic(request)
    return basic[0] if basic else dict(_fields(request)).get("client_id", "")


Scopes = tuple[str, ...] | None


def _fresh(call: Call) -> tuple[Scopes, str]:
    """(scopes: those asked for that the client may have, no refresh token yet)."""
    allowed = call.state.credentials.get(call.details.client, {}).get("scopes")
    wanted = call.details.fields.get("scope", "").split()
    if not wanted:
        return (None if allowed is None else tuple(allowed)), ""
    return tuple(scope for scope in wanted if allowed is None or scope in (*allowed, _OFFLINE)), ""


def _renewed(call: Call) -> tuple[Scopes, str]:
    """(scopes of the refresh token, that token, which stays good)."""
    text = call.details.fields.get("refresh_token", "")
    grant = grants.of(call).get(text)
    if not text:
        raise ApiError(code="invalid_request", detail="there is no refresh_token in the form")
    if call.state.auth == "verify":
        if grant is None or not grant.renews or grant.client != call.details.client:
            raise ApiError(code="invalid_grant", detail="the refresh token was not given out to this client here")
        if grant.revoked:
            raise ApiError(code="invalid_grant", detail=f"the refresh token of {grant.client} was revoked")
    return (tuple(grant.scopes) if grant and grant.scopes is not None else None), text


_GRANTS: Mapping[str, Callable[[Call], tuple[Scopes, str]]] = {
    "client_credentials": _fresh,
    "refresh_token": _renewed,
}
NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


def _invalid_client(detail: str) -> Unauthorized:
    return Unauthorized(code="invalid_client", detail=detail)


def _fields(request: Request) -> tuple[tuple[str, str], ...]:
    return parse_query(request.body.decode("utf-8", "replace"))[0]


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, text = (request.header("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret
