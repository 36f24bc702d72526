"""How a client is pointed here: the vendor's own SDK, or MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from localruns.engine.vendor import ClientHelp
from localruns.vendors.oracle_aidp import keys as rsa_keys

PLATFORM = "ocid1.aidataplatform.oc1.iad.localruns"
WORKSPACE = "default"


def keys(credentials: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What `credentials("oracle-aidp")` shows: an API signing key, and a bearer token for MLflow."""
    user = next((item["id"] for item in credentials if "public_key" in item), "")
    tenancy, _, rest = user.partition("/")
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


def tracking_uri(url: str) -> str:
    """What MLflow wants as its tracking URI."""
    return f"{base(url)}/20260430/aiDataPlatforms/{PLATFORM}/workspaces/{WORKSPACE}/mlops"


def environment(url: str, keys: Mapping[str, str]) -> Mapping[str, str]:
    """MLflow reads both."""
    return {"MLFLOW_TRACKING_URI": tracking_uri(url), "MLFLOW_TRACKING_TOKEN": keys["bearer_token"]}


def snippet(url: str, keys: Mapping[str, str]) -> str:
    """Programs for the vendor's SDK and for MLflow that list all runs."""
    return f'''\
# pip install aidp-python-client mlflow-skinny
import os

os.environ["MLFLOW_TRACKING_URI"] = "{tracking_uri(url)}"
os.environ["MLFLOW_TRACKING_TOKEN"] = "{keys["bearer_token"]}"

from aidp_python_client.aidataplatform_dp import MLOpsClient
from aidp_python_client.aidataplatform_dp.models import ListExperimentRunsDetails
from mlflow import MlflowClient

config = {{
    "tenancy": "{keys["tenancy"]}",
    "user": "{keys["user"]}",
    "fingerprint": "{keys["fingerprint"]}",
    "region": "{keys["region"]}",
    "key_content": """{keys["key_content"]}""",
}}
client = MLOpsClient(config, service_endpoint="{base(url)}")
token = None
while True:
    details = ListExperimentRunsDetails(experiment_ids=["1", "2"], max_results=10, page_token=token)
    page = client.list_experiment_runs("{PLATFORM}", "{WORKSPACE}", details).data
    for run in page.runs:
        print(run.info.run_id, run.info.run_name)
    token = page.next_page_token
    if not token:
        break

token = None
while True:
    runs = MlflowClient().search_runs(["1", "2"], max_results=10, page_token=token)
    for run in runs:
        print(run.info.run_id, run.info.run_name)
    token = runs.token
    if not token:
        break
'''


def curl(url: str, keys: Mapping[str, str]) -> str:
    """One page."""
    return (
        f"curl -s '{tracking_uri(url)}/api/2.0/mlflow/runs/search' -H 'Authorization: Bearer {keys['bearer_token']}'"
        """ -H 'Content-Type: application/json' -d '{"experiment_ids": ["1"], "max_results": 5}'"""
    )


HELP = ClientHelp("aidp-python-client", keys, base, environment, snippet, curl)
