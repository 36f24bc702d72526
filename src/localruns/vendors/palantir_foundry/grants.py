"""Tokens that the OAuth2 endpoint has given out in a namespace.

A token carries its client's id, so that a request made with it is known to be that client's before anything is
looked up; the rest of it depends on (seed, vendor, request number) only.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from localruns.engine.call import Call

MAX_GRANTS = 10_000
Credential = Mapping[str, Any]
_TOKEN = re.compile(r"lr[ar]\.([A-Za-z0-9_-]*)\.[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Grant:
    """What one token stands for.

    Shape: `scopes` None means all; `renews` marks a refresh token, which does not expire; `source` the refresh token
    an access token came with. Units: `expires` is virtual time.
    """

    client: str
    scopes: Sequence[str] | None
    expires: datetime
    renews: bool = False
    revoked: bool = False
    source: str = ""


def of(call: Call) -> dict[str, Grant]:
    """The grants of the namespace by token, oldest first."""
    known: dict[str, Grant] = call.state.memory.setdefault("grants", {})
    return known


def keep(call: Call, grant: Grant) -> str:
    """The new token of a grant; the oldest of too many is forgotten."""
    purpose, mark = ("refresh token", "lrr") if grant.renews else ("access token", "lra")
    client = base64.urlsafe_b64encode(grant.client.encode("utf-8", "replace")).decode().rstrip("=")
    token = f"{mark}.{client}.{call.hex(purpose, 40)}"
    known = of(call)
    known[token] = grant
    if len(known) > MAX_GRANTS:
        del known[next(iter(known))]
    return token


def revoke(call: Call, token: str) -> None:
    """The token, and the access tokens that came from it, hold no longer."""
    known = of(call)
    for text, grant in list(known.items()):
        if token in (text, grant.source):
            known[text] = replace(grant, revoked=True)


def client_of(token: str) -> str:
    """The client id that a token given out here carries, else ""."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return ""
    try:
        return base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)).decode()
    except ValueError:
        return ""
