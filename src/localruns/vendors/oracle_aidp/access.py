"""Who may call, and what exists: credentials, then platform and workspace, then permission.

**Source**: Request Signatures; the order keeps a 404 from telling strangers what exists.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any

from localruns.engine.call import Call
from localruns.engine.credentials import flaw
from localruns.engine.kept import kept
from localruns.engine.message import Request
from localruns.engine.scenario import Site
from localruns.errors import BadRequest, NotFound, Unauthorized
from localruns.vendors.oracle_aidp import signature

WELL_KNOWN_USER = "ocid1.tenancy.oc1..localruns/ocid1.user.oc1..localruns"
SHARED_KEY = "shared"
# 2020-01-01, before the oldest run that 100,000 generated rows have: no experiment is younger than its runs.
CREATED_MS = 1_577_836_800_000


def authenticate(call: Call) -> Call:
    """Refuse a request without usable credentials, as far as the mode asks."""
    if call.state.auth == "off":
        return call
    authorization = call.request.header("authorization") or ""
    if not authorization.partition(" ")[2].strip():
        raise Unauthorized(detail=f"Authorization is {authorization[:40]!r}, expected Signature, Bearer or Basic")
    known = _known(call, identify(call.request))
    problem = flaw(call, known.get("id", identify(call.request)))
    if problem:
        raise Unauthorized(detail=f"{known['id']} is {problem} in the scenario")
    if call.state.auth == "verify":
        _verify(call, authorization, known)
    return call


def existence(call: Call) -> Call:
    """Refuse a platform or workspace that is not declared."""
    platform, workspace = call.params["aiDataPlatformId"], call.params["workspaceKey"]
    if call.settings["strict_ocid"] and not platform.startswith("ocid1."):
        message = f"aiDataPlatformId is {platform[:200]!r}, expected an OCID"
        raise BadRequest("aiDataPlatformId", platform, code="InvalidParameter", message=message)
    known = call.resources["platforms"]
    if platform not in known:
        raise NotFound(detail=f"platform {platform[:200]!r} is not declared, expected one of: {', '.join(known)}")
    if workspace not in known[platform]["workspaces"]:
        listed = ", ".join(known[platform]["workspaces"])
        raise NotFound(detail=f"workspace {workspace[:200]!r} is not declared, expected one of: {listed}")
    return call


def scope(platform: str, workspace: str) -> str:
    """The name of a workspace that rows belong to."""
    return f"{platform}/{workspace}"


def scope_of(call: Call) -> str:
    """The workspace that the path names."""
    return scope(call.params["aiDataPlatformId"], call.params["workspaceKey"])


def experiments_of(call: Call) -> list[dict[str, Any]]:
    """The declared experiments of the workspace that the path names, each as the platform shows one."""
    return declared(call.params["workspaceKey"], call.params["aiDataPlatformId"], call.site)


@kept
def declared(workspace: str, platform: str, site: Site) -> list[dict[str, Any]]:
    """The experiments of a workspace, the newest first, else in the order of the scenario; to be read only."""
    held = (site.resources["platforms"][platform]["workspaces"][workspace] or {}).get("experiments", ())
    shown = [_shown({"id": item} if isinstance(item, str) else item) for item in held]
    return sorted(shown, key=lambda item: -item["creation_time"])


def _shown(given: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment as the platform shows it: times always, tags where it has any."""
    created = given.get("creation_time", CREATED_MS)
    tags = {"tags": given["tags"]} if given.get("tags") else {}
    return {
        "experiment_id": given["id"],
        "name": given.get("name", f"experiment-{given['id']}"),
        "artifact_location": given.get("artifact_location", f"mlflow-artifacts:/{given['id']}"),
        "lifecycle_stage": given.get("lifecycle_stage", "active"),
        "creation_time": created,
        "last_update_time": given.get("last_update_time", created),
        **tags,
    }


def identify(request: Request) -> str:
    """The key id of a signature, the bearer token, or the user name of Basic."""
    scheme, _, rest = (request.header("authorization") or "").partition(" ")
    if scheme.lower() == "signature":
        return signature.fields(rest).get("keyId", "")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return rest.strip() if scheme.lower() == "bearer" else ""


def own_credentials(name: str) -> list[dict[str, str]]:
    """What a namespace of that name has in the place of the well-known credentials."""
    tenancy = WELL_KNOWN_USER.partition("/")[0]
    return [
        {"id": f"{tenancy}/ocid1.user.oc1..ns-{name}", "public_key": SHARED_KEY},
        {"id": f"ns-{name}", "token": f"localruns-token-{name}"},
    ]


def _known(call: Call, presented: str) -> Mapping[str, Any]:
    """The scenario's credential: by id, by `tenancy/user` of a key id, or by token."""
    credentials = call.state.credentials
    for name in (presented, presented.rpartition("/")[0]):
        if name in credentials:
            return credentials[name]
    return next((item for item in credentials.values() if presented and item.get("token") == presented), {})


def _verify(call: Call, authorization: str, known: Mapping[str, Any]) -> None:
    scheme = authorization.partition(" ")[0].lower()
    if scheme == "signature":
        signature.verify(call, known, SHARED_KEY)
        return
    presented = authorization.partition(" ")[2].strip()
    if scheme == "basic":
        presented = base64.b64decode(presented).decode().partition(":")[2] if known else ""
    if not hmac.compare_digest(known.get("token", "").encode(), presented.encode()) or not presented:
        raise Unauthorized(detail=f"the {scheme} token is not one of the scenario's")
