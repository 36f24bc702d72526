"""How a client is pointed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from localruns.engine.vendor import ClientHelp


def keys(credentials: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What `credentials("alibaba-pai")` shows."""
    return {"access_key_id": credentials[0]["id"], "access_key_secret": credentials[0].get("secret", "")}


def environment(_url: str, keys: Mapping[str, str]) -> Mapping[str, str]:
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


def snippet(url: str, keys: Mapping[str, str]) -> str:
    """A program for the real SDK that lists all runs."""
    return f"""\
# pip install alibabacloud_aiworkspace20210204
from alibabacloud_aiworkspace20210204.client import Client
from alibabacloud_aiworkspace20210204.models import ListRunsRequest
from alibabacloud_tea_openapi.utils_models import Config

client = Client(Config(
    access_key_id="{keys["access_key_id"]}",
    access_key_secret="{keys["access_key_secret"]}",
    endpoint="{base(url)}",
    protocol="{urlsplit(url).scheme}",
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


def curl(url: str, keys: Mapping[str, str]) -> str:
    """One page; the signature is looked at in the mode `verify` only."""
    authorization = f"ACS3-HMAC-SHA256 Credential={keys['access_key_id']},SignedHeaders=host,Signature=00"
    return f"curl -s '{url}/api/v1/runs?MaxResults=5' -H 'Authorization: {authorization}'"


HELP = ClientHelp("alibabacloud_aiworkspace20210204", keys, base, environment, snippet, curl)
