"""Who may call: the bearer token's form, whose it is, its life, its scope, rights on studios.

**Source**: Conjure wire specification (bearer tokens), Foundry's Errors and Authentication pages; the token alphabet
is that of RFC 6750.
"""

from __future__ import annotations

import re

from localruns.engine.call import Call
from localruns.engine.credentials import flaw
from localruns.engine.draw import digest
from localruns.engine.message import Request
from localruns.errors import Forbidden, Unauthorized
from localruns.vendors.palantir_foundry import grants, oauth

SCOPE = "api:models-read"
_BEARER = re.compile(r"Bearer ([A-Za-z0-9\-._~+/]+=*)")


def header(call: Call) -> Call:
    """Refuse a request without exactly one well-formed bearer token; the prefix is case-sensitive."""
    presented = call.request.header_values("authorization")
    if call.state.auth == "off":
        return call
    if not presented:
        raise Unauthorized(code="MissingCredentials", detail="there is no Authorization header")
    if len(presented) > 1:
        raise Unauthorized(code="Conjure:MalformedCredentials", detail="Authorization is there more than once")
    if not _BEARER.fullmatch(presented[0]):
        detail = f"Authorization {_form(presented[0])}, expected 'Bearer <token>' with one token of RFC 6750"
        raise Unauthorized(code="Conjure:MalformedCredentials", detail=detail)
    return call


def token(call: Call) -> Call:
    """Refuse a token that is disabled or expired in the scenario; in the mode `verify` also one that does not hold."""
    if call.state.auth == "off":
        return call
    text = _bearer(call.request)
    holder = _holder(call, text)
    name = holder or f"unknown-{digest(text, size=4).hex()}"
    problem = flaw(call, name)
    if problem:
        raise _unauthorized(f"{name} is {problem} in the scenario", problem == "expired")
    if call.state.auth == "verify":
        _verify(call, text, holder)
    return call


def scope(call: Call) -> Call:
    """Refuse a token that was not given the scope for reading models, mode `verify`."""
    if call.state.auth != "verify":
        return call
    grant = grants.of(call).get(_bearer(call.request))
    known = call.state.credentials.get(call.entry.credential, {})
    scopes = grant.scopes if grant else known.get("scopes")
    if scopes is not None and SCOPE not in scopes:
        detail = f"the token's scopes are {', '.join(scopes) or 'none'}, expected {SCOPE} among them"
        raise Forbidden(code="ApiUsageDenied", detail=detail, parameters={"missingScope": SCOPE})
    return call


def identify(request: Request) -> str:
    """The bearer token, or the OAuth client: of a token given out here, of the form, of Basic."""
    text = _bearer(request)
    return grants.client_of(text) or text or oauth.client_id(request)


def presented(request: Request) -> str:
    """The bearer token itself: a renewed one is another credential."""
    return _bearer(request)


def own_credentials(name: str) -> list[dict[str, str]]:
    """What a namespace of that name has in the place of the well-known credentials."""
    return [
        {"id": f"localruns-user-{name}", "token": f"localruns-token-{name}"},
        {"id": f"localruns-client-{name}", "secret": f"localruns-foundry-secret-{name}"},
    ]


def _bearer(request: Request) -> str:
    match = _BEARER.fullmatch(request.header("authorization") or "")
    return match[1] if match else ""


def _holder(call: Call, text: str) -> str:
    """The id of the credential that the token belongs to, or ""."""
    if client := grants.client_of(text):
        return client
    known = call.state.credentials.items()
    return next((name for name, credential in known if text == bearer_of(credential)), "")


def bearer_of(credential: grants.Credential) -> str | None:
    """A credential's bearer token: its own, else its id when it is no OAuth client."""
    token: str | None = credential.get("token", None if "secret" in credential else credential["id"])
    return token


def _verify(call: Call, text: str, holder: str) -> None:
    grant = grants.of(call).get(text)
    if grant is None:
        if not holder or grants.client_of(text):
            raise _unauthorized("the token is neither one of the scenario nor one given out in this namespace")
    elif grant.renews or grant.revoked:
        what = "was revoked" if grant.revoked else "is a refresh token"
        raise _unauthorized(f"the token of {grant.client} {what}")
    elif call.space.clock.now() >= grant.expires:
        raise _unauthorized(f"the token of {grant.client} expired at {grant.expires.isoformat()}", expired=True)


def _unauthorized(detail: str, expired: bool = False) -> Unauthorized:
    """**Source** of the parameter: a live reply to an expired token, quoted by a public client."""
    return Unauthorized(detail=detail, parameters={"error": "EXPIRED"} if expired else {})


def _form(value: str) -> str:
    """What a header looks like, without its secret."""
    first, space, _ = value.partition(" ")
    if not value:
        return "is empty"
    return f"begins with {first!r}" if space and first.isalpha() and len(first) <= 12 else "has no scheme"
