"""A walk of a million runs, by a real SDK where it can, gets each run once, and the server's memory stays small."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localruns.vendors.oracle_aidp import VENDOR
from localruns.vendors.oracle_aidp.client import tracking_uri
from localruns.vendors.palantir_foundry import STUDIO
from localruns.vendors.palantir_foundry.client import HELP
from tests.clients.processes import Served, serving

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning"),
]

Serve = Callable[..., Served]
ROWS = 1_000_000
MAX_MB = 300


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A server of its own that holds a million runs of a vendor."""
    running: list[Any] = []

    def start(vendor: str, **settings: int) -> Served:
        scenario, part = tmp_path / "million.yaml", {"runs": [{"generate": ROWS}], "settings": settings}
        scenario.write_text(json.dumps({"scenario": "million", "vendors": {vendor: part}}), "utf-8")
        running.append(serving(str(scenario), "--cache-dir", str(tmp_path / "cache")))
        served: Served = running[0].__enter__()
        assert served.url, served.errors
        return served

    yield start
    for each in running:
        each.__exit__(None, None, None)


def judge(served: Served, keys: list[str], pages: int) -> None:
    """The client has each run once, and the ledger says the same of a server that stayed small."""
    assert len(keys) == len(set(keys)) == ROWS
    status, told = served.get("/__admin/walks")
    assert status == 200
    (walk,) = told["walks"]
    assert (walk["pages"], walk["delivered"], walk["expected"]) == (pages, ROWS, ROWS)
    assert (walk["missed"], walk["duplicates"], walk["complete"]) == ([], [], True)
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{served.process.pid}/status").read_text())
    assert peak
    assert int(peak[1]) / 1024 < MAX_MB


def test_the_sdk_of_alibaba_pai(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("alibabacloud_aiworkspace20210204")
    from alibabacloud_aiworkspace20210204.client import Client
    from alibabacloud_aiworkspace20210204.models import ListRunsRequest
    from alibabacloud_tea_openapi.utils_models import Config
    from darabonba.runtime import RuntimeOptions

    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    served = serve("alibaba-pai")
    config = Config(
        access_key_id="LTAI5tLocalruns00000001",
        access_key_secret="localruns-alibaba-secret",
        endpoint=f"127.0.0.1:{served.port}",
        protocol="http",
    )
    client, token, keys, pages = Client(config), 0, list[str](), 0
    while token or not pages:
        asked = ListRunsRequest(page_token=token, max_results=1000)
        page = client.list_runs_with_options(asked, {}, RuntimeOptions()).body
        keys += [run.run_id for run in page.runs]
        token, pages = page.next_page_token, pages + 1
    judge(served, keys, ROWS // 1000)


def test_the_client_of_mlflow(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "localruns-token")
    served = serve("oracle-aidp")
    client = mlflow.MlflowClient(tracking_uri(served.url, VENDOR.resources))
    token, keys, pages = None, list[str](), 0
    while token or not pages:
        page = client.search_runs(["1"], max_results=10_000, page_token=token)
        keys += [run.info.run_id for run in page]
        token, pages = page.token, pages + 1
    judge(served, keys, ROWS // 10_000)


def test_pages_by_number_of_naver_nsml(serve: Serve) -> None:
    import httpx

    signed = ("x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-api-key", "x-ncp-apigw-signature-v2")
    served, keys = serve("naver-nsml"), list[str]()
    with httpx.Client(base_url=served.url, headers=dict.fromkeys(signed, "any"), timeout=60) as client:
        for number in range(1, ROWS // 10_000 + 1):
            answer = client.get("/nsml/v1/projects/runs", params={"pageSize": 10_000, "page": number})
            keys += [f"{row['projectId']}/{row['runName']}" for row in json.loads(answer.content)["runList"]]
    judge(served, keys, ROWS // 10_000)


def test_the_sdk_of_palantir_foundry(serve: Serve) -> None:
    foundry_sdk = pytest.importorskip("foundry_sdk")
    served = serve("palantir-foundry", max_page_size=1000)
    client = foundry_sdk.FoundryClient(
        auth=foundry_sdk.UserTokenAuth("localruns-token"),
        hostname=HELP.base(served.url),
        config=foundry_sdk.Config(scheme="http"),
    )
    keys = [run.build_rid for run in client.models.ModelStudio.Run.list(STUDIO, page_size=1000, preview=True)]
    judge(served, keys, ROWS // 1000)
