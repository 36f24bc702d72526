"""How a client is pointed here.

**Source**: foundry-platform-sdk 1.111.0; it takes the scheme from its Config only, and reads the addresses of services
from a file when it is to speak plain HTTP without a change of code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from localruns.engine.draw import digest
from localruns.engine.vendor import ClientHelp
from localruns.paths import cache_dir

STUDIO = "ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def keys(credentials: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What `credentials("palantir-foundry")` shows: the first bearer token, the first OAuth client."""
    tokens = (credential["token"] for credential in credentials if credential.get("token"))
    clients = (credential for credential in credentials if credential.get("secret"))
    client = next(clients, {})
    return {
        "token": next(tokens, ""),
        "client_id": client.get("id", ""),
        "client_secret": client.get("secret", ""),
    }


def environment(url: str, keys: Mapping[str, str]) -> Mapping[str, str]:
    """Token and host; for plain HTTP also a file that names the services, written to the cache folder.

    The variable is left out where the file cannot be written.
    """
    names = {"FOUNDRY_TOKEN": keys["token"], "FOUNDRY_HOSTNAME": base(url)}
    if urlsplit(url).scheme != "http":
        return names
    root = url.rstrip("/")
    # JSON is YAML, and the SDK reads it as such.
    text = json.dumps({"api-gateway": [f"{root}/api"], "multipass": [f"{root}/multipass/api"]}, indent=1)
    path = cache_dir() / f"foundry-{digest(text, size=6).hex()}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError:
        return names
    return {**names, "FOUNDRY_SERVICE_DISCOVERY_V2": str(path)}


def base(url: str) -> str:
    """`host:port/prefix`: the SDK puts the scheme of its Config before it."""
    parts = urlsplit(url)
    return parts.netloc + parts.path.rstrip("/")


def snippet(url: str, keys: Mapping[str, str]) -> str:
    """A program for the real SDK that lists all runs."""
    return f"""\
# pip install foundry-platform-sdk
from foundry_sdk import Config, FoundryClient, UserTokenAuth

client = FoundryClient(
    auth=UserTokenAuth("{keys["token"]}"),
    hostname="{base(url)}",
    config=Config(scheme="{urlsplit(url).scheme}"),
)
studio = "{STUDIO}"
for run in client.models.ModelStudio.Run.list(studio, page_size=10, preview=True):
    print(run.run_id, run.build_status, run.started_time)
"""


def curl(url: str, keys: Mapping[str, str]) -> str:
    """One page."""
    target = f"{url.rstrip('/')}/api/v2/models/modelStudios/{STUDIO}/runs?pageSize=5&preview=true"
    return f"curl -s '{target}' -H 'Authorization: Bearer {keys['token']}'"


HELP = ClientHelp("foundry-platform-sdk", keys, base, environment, snippet, curl)
