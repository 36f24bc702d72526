"""How a client is pointed here."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from localruns.engine.vendor import ClientHelp


def keys(credentials: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What `credentials("alibaba-pai")` shows: the first permanent key."""
    permanent = (credential for credential in credentials if "secret" in credential and "token" not in credential)
    first = next(permanent, {})
    return {"access_key_id": first.get("id", ""), "access_key_secret": first.get("secret", "")}


def environment(_url: str, keys: Mapping[str, str], _resources: Mapping[str, Any]) -> Mapping[str, str]:
    """The SDK reads its keys from these when it is imported; the endpoint goes into its Config."""
    return {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": keys["access_key_id"],
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": keys["access_key_secret"],
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
    }


def base(url: str) -> str:
    """`host:port/prefix`: the SDK wants its endpoint without a scheme."""
    parts = urlsplit(url)
    return parts.netloc + parts.path.rstrip("/")


def snippet(url: str, keys: Mapping[str, str], _resources: Mapping[str, Any]) -> str:
    """A program for the real SDK that lists all runs of the default workspace."""
    return f"""\
# pip install alibabacloud_aiworkspace20210204; HTTP_PROXY must not be set, it takes even calls to loopback
from alibabacloud_aiworkspace20210204.client import Client
from alibabacloud_aiworkspace20210204.models import ListRunsRequest
from alibabacloud_tea_openapi.utils_models import Config

client = Client(Config(
    access_key_id={keys["access_key_id"]!r},
    access_key_secret={keys["access_key_secret"]!r},
    endpoint={base(url)!r},
    protocol={urlsplit(url).scheme!r},
))
token = 0
while True:
    page = client.list_runs(ListRunsRequest(max_results=10, page_token=token)).body
    for run in page.runs:
        print(run.run_id, run.name)
    token = page.next_page_token
    if not token:
        break
"""


def curl(url: str, keys: Mapping[str, str], _resources: Mapping[str, Any]) -> str:
    """One page; the signature is looked at in the mode `verify` only."""
    authorization = f"ACS3-HMAC-SHA256 Credential={keys['access_key_id'] or 'any'},SignedHeaders=host,Signature=00"
    return (
        "# for the mode present; verify refuses it, because it carries no signature\n"
        f"curl -s {shlex.quote(url.rstrip('/') + '/api/v1/runs?MaxResults=5')}"
        f" -H {shlex.quote('Authorization: ' + authorization)}"
    )


HELP = ClientHelp("alibabacloud_aiworkspace20210204", keys, base, environment, snippet, curl)
