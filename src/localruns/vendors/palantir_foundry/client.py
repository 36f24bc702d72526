"""How a client is pointed here.

**Source**: foundry-platform-sdk 1.111.0; it takes the scheme from its Config only, and reads the addresses of services
from a file when it is to speak plain HTTP without a change of code.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from localruns.engine.draw import digest
from localruns.engine.vendor import ClientHelp
from localruns.paths import cache_dir

STUDIO = "ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def keys(credentials: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What `credentials("palantir-foundry")` shows: the first bearer token, the first OAuth client."""
    # An id without a secret is a bearer token by itself.
    tokens = (item.get("token") or item["id"] for item in credentials if "token" in item or "secret" not in item)
    clients = (credential for credential in credentials if credential.get("secret"))
    client = next(clients, {})
    return {
        "token": next(tokens, ""),
        "client_id": client.get("id", ""),
        "client_secret": client.get("secret", ""),
    }


def environment(url: str, keys: Mapping[str, str], _resources: Mapping[str, Any]) -> Mapping[str, str]:
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


def snippet(url: str, keys: Mapping[str, str], resources: Mapping[str, Any]) -> str:
    """A program for the real SDK that lists all runs of the first studio: by a token, then as an OAuth2 client."""
    ways = {
        "token": f"UserTokenAuth({keys['token']!r})",
        "client_id": f"ConfidentialClientAuth({keys['client_id']!r}, {keys['client_secret']!r})",
    }
    auths = "".join(f"    {way},\n" for name, way in ways.items() if keys[name])
    return f"""\
# pip install foundry-platform-sdk
from foundry_sdk import Config, ConfidentialClientAuth, FoundryClient, UserTokenAuth

config = Config(scheme={urlsplit(url).scheme!r})
for auth in (
{auths}):
    print("# with", type(auth).__name__)
    client = FoundryClient(auth=auth, hostname={base(url)!r}, config=config)
    runs = client.models.ModelStudio.Run.list({studio(resources)!r}, page_size=10, preview=True)
    for run in runs:
        print(run.run_id, run.build_status, run.started_time)
"""


def studio(resources: Mapping[str, Any]) -> str:
    """The first studio, to which ungrouped rows belong."""
    return str(next(iter(resources["studios"])))


def curl(url: str, keys: Mapping[str, str], resources: Mapping[str, Any]) -> str:
    """One page."""
    target = f"{url.rstrip('/')}/api/v2/models/modelStudios/{studio(resources)}/runs?pageSize=5&preview=true"
    return f"curl -s {shlex.quote(target)} -H {shlex.quote('Authorization: Bearer ' + (keys['token'] or 'any'))}"


HELP = ClientHelp("foundry-platform-sdk", keys, base, environment, snippet, curl)
