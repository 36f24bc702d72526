"""Signing anew for the real host: every signature of this vendor's current form covers `host`.

The older form (`acs KEY:SIGNATURE`, HMAC-SHA1) and other hashes are signed anew in the current form, which every
gateway takes.

**Source**: Request syntax and signature method V3; the variables are those of the SDK's default credential provider.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256

from localruns import clock
from localruns.engine.message import Request
from localruns.engine.recorded.resigning import Resigning, Signer, with_headers
from localruns.errors import ConfigError
from localruns.vendors.alibaba_pai.canonical import ALGORITHM, Authorization, canonicals, read

_KEY, _SECRET, _TOKEN = (f"ALIBABA_CLOUD_{name}" for name in ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN"))
# What the client's own signature brought along; from `date` on, that of the older form.
_OLD = (
    "authorization",
    "x-acs-accesskey-id",
    "x-acs-security-token",
    "x-acs-content-sm3",
    "date",
    "x-acs-signature-method",
    "x-acs-signature-version",
)


def needed(request: Request) -> bool:
    """Whether the request is signed with an access key; a bearer token goes anywhere."""
    return (request.header("authorization") or "").lstrip().startswith(("ACS3-", "acs "))


def signer(environment: Mapping[str, str]) -> Signer | None:
    """Who signs with the key of the environment, with its security token if it is a temporary one."""
    key, secret, token = (environment.get(name, "") for name in (_KEY, _SECRET, _TOKEN))
    if not key and not secret:
        return None
    if not key or not secret:
        raise ConfigError(f"{_KEY if secret else _SECRET} is not set, expected it beside {_SECRET if secret else _KEY}")
    return Signer(partial(sign, key=key, secret=secret, token=token), [text for text in (secret, token) if text])


def sign(request: Request, key: str, secret: str, token: str = "") -> Request:
    """The request under a new date, nonce and signature; what else the client signed is signed again."""
    added = [
        ("x-acs-date", clock.wall_now().strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("x-acs-signature-nonce", secrets.token_hex(16)),
        ("x-acs-content-sha256", sha256(request.body).hexdigest()),
    ]
    if token:
        added += [("x-acs-accesskey-id", key), ("x-acs-security-token", token)]
    given = read(request.header("authorization") or "")
    unsigned = replace(request, headers=with_headers(request, _OLD, added))
    wanted = {"host", *(given.names if given else ("content-type",))}
    carried = {name for name, _ in unsigned.headers}
    names = sorted(name for name in carried if name in wanted or name.startswith("x-acs-"))
    form = next(canonicals(unsigned, Authorization(ALGORITHM, key, ";".join(names), "")))
    value = f"{ALGORITHM} Credential={key},SignedHeaders={form.signed_headers},Signature={form.signature(secret)}"
    return replace(unsigned, headers=(*unsigned.headers, ("authorization", value)))


RESIGNING = Resigning(needed, signer, f"{_KEY} and {_SECRET}")
