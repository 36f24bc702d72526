"""How a client is pointed here: the vendor's own SDK, or MLflow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from shlex import quote as shell
from typing import Any
from urllib.parse import quote

from localruns.engine.vendor import ClientHelp
from localruns.vendors.oracle_aidp import keys as rsa_keys
from localruns.vendors.oracle_aidp.access import SHARED_KEY

PLATFORM = "ocid1.aidataplatform.oc1.iad.localruns"
WORKSPACE = "default"


def keys(credentials: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What `credentials("oracle-aidp")` shows: an API signing key, and a bearer token for MLflow."""
    users = [item for item in credentials if "public_key" in item]
    # Only the holder of the shared key can sign here: the private keys of others are not ours.
    own = next((item["id"] for item in users if item["public_key"] == SHARED_KEY), "")
    tenancy, _, rest = (own or next((item["id"] for item in users), "")).partition("/")
    token = next((item["token"] for item in credentials if "token" in item), "")
    key = rsa_keys.shared_key()
    return {
        "tenancy": tenancy,
        "user": rest.partition("/")[0],
        "fingerprint": rsa_keys.fingerprint(key.public_key()),
        "key_content": rsa_keys.private_pem(key),
        "region": "us-ashburn-1",
        "bearer_token": token,
    }


def base(url: str) -> str:
    """The SDK's `service_endpoint`: without a trailing slash."""
    return url.rstrip("/")


def place(resources: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """The first platform, its first workspace, to which ungrouped rows belong, and the ids of its experiments."""
    platform, inner = next(iter(resources["platforms"].items()))
    workspace, held = next(iter(inner["workspaces"].items()))
    return platform, workspace, [item if isinstance(item, str) else item["id"] for item in held.get("experiments", ())]


def tracking_uri(url: str, resources: Mapping[str, Any]) -> str:
    """What MLflow wants as its tracking URI."""
    platform, workspace, _ = place(resources)
    return f"{base(url)}/20260430/aiDataPlatforms/{quote(platform)}/workspaces/{quote(workspace)}/mlops"


def environment(url: str, keys: Mapping[str, str], resources: Mapping[str, Any]) -> Mapping[str, str]:
    """MLflow reads both."""
    return {"MLFLOW_TRACKING_URI": tracking_uri(url, resources), "MLFLOW_TRACKING_TOKEN": keys["bearer_token"]}


def snippet(url: str, keys: Mapping[str, str], resources: Mapping[str, Any]) -> str:
    """A program that lists all runs of the first workspace: by the vendor's SDK, then by MLflow."""
    platform, workspace, experiments = place(resources)
    return f'''\
# pip install aidp-python-client mlflow-skinny
import os

os.environ["MLFLOW_TRACKING_URI"] = {tracking_uri(url, resources)!r}
os.environ["MLFLOW_TRACKING_TOKEN"] = {keys["bearer_token"]!r}

from aidp_python_client.aidataplatform_dp import MLOpsClient
from aidp_python_client.aidataplatform_dp.models import ListExperimentRunsDetails
from mlflow import MlflowClient

config = {{
    "tenancy": {keys["tenancy"]!r},
    "user": {keys["user"]!r},
    "fingerprint": {keys["fingerprint"]!r},
    "region": {keys["region"]!r},
    "key_content": """{keys["key_content"]}""",
}}
experiments = {experiments!r}

print("# with aidp-python-client")
client = MLOpsClient(config, service_endpoint={base(url)!r})
token = None
while True:
    details = ListExperimentRunsDetails(experiment_ids=experiments, max_results=10, page_token=token)
    page = client.list_experiment_runs({platform!r}, {workspace!r}, details).data
    for run in page.runs:
        print(run.info.run_id, run.info.run_name)
    token = page.next_page_token
    if not token:
        break

print("# with MLflow")
token = None
while True:
    runs = MlflowClient().search_runs(experiments, max_results=10, page_token=token)
    for run in runs:
        print(run.info.run_id, run.info.run_name)
    token = runs.token
    if not token:
        break
'''


def curl(url: str, keys: Mapping[str, str], resources: Mapping[str, Any]) -> str:
    """One page, with the bearer token; where the scenario has none, with any, which `present` takes."""
    asked = json.dumps({"experiment_ids": place(resources)[2], "max_results": 5}, ensure_ascii=False)
    line = (
        f"curl -s {shell(tracking_uri(url, resources) + '/api/2.0/mlflow/runs/search')}"
        f" -H {shell('Authorization: Bearer ' + (keys['bearer_token'] or 'any'))}"
        f" -H 'Content-Type: application/json' -d {shell(asked)}"
    )
    return line if keys["bearer_token"] else "# for the mode present: the scenario has no bearer token\n" + line


HELP = ClientHelp("aidp-python-client", keys, base, environment, snippet, curl)
