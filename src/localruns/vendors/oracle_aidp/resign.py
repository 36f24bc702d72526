"""Signing anew for the real host: an OCI signature covers `host` and the request's path.

**Source**: Request Signatures; SDK and CLI Configuration File; the signer of the public Python SDK.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING

from localruns import clock
from localruns.engine.message import Request
from localruns.engine.recorded.resigning import Resigning, Signer, with_headers
from localruns.vendors.oracle_aidp import profile, signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def needed(request: Request) -> bool:
    """Whether the request is signed; bearer tokens and passwords go anywhere."""
    return (request.header("authorization") or "").lower().startswith("signature ")


def signer(environment: Mapping[str, str]) -> Signer | None:
    """Who signs with the API key, or the session, of the environment or else of the configuration file."""
    found = profile.find(environment)
    return None if found is None else Signer(partial(sign, key_id=found.key_id, key=found.key), found.secrets)


def sign(request: Request, key_id: str, key: RSAPrivateKey) -> Request:
    """The request under a new date and signature; what else the client signed is signed again."""
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256

    added = [("date", format_datetime(clock.wall_now(), usegmt=True))]
    must = signature.must_sign(request.method)
    if "x-content-sha256" in must:
        added += [
            ("content-length", str(len(request.body))),
            ("content-type", request.header("content-type") or "application/json"),
            ("x-content-sha256", signature.body_digest(request.body)),
        ]
    unsigned = replace(request, headers=with_headers(request, ("authorization", "x-date"), added))
    carried = {"(request-target)", *(name for name, _ in unsigned.headers)}
    given = signature.fields((request.header("authorization") or "").partition(" ")[2]).get("headers", "")
    names = [name for name in dict.fromkeys(["date", *must, *given.lower().split()]) if name in carried]
    text = signature.signing_text(unsigned, names, unsigned.target)
    raw = key.sign(text.encode("latin-1", "replace"), padding.PKCS1v15(), SHA256())
    value = (
        f'Signature algorithm="rsa-sha256",headers="{" ".join(names)}",keyId="{key_id}",'
        f'signature="{base64.b64encode(raw).decode()}",version="1"'
    )
    return replace(unsigned, headers=(*unsigned.headers, ("authorization", value)))


RESIGNING = Resigning(needed, signer, "OCI_CLI_USER and its like, or ~/.oci/config")
