"""Real SDKs walk a platform through the recorder; then it is gone, and they walk its recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localruns.surfaces.recorder import Recorder
from localruns.testing import LocalRuns
from localruns.vendors import all_vendors

pytest.importorskip("alibabacloud_aiworkspace20210204")

from alibabacloud_aiworkspace20210204.client import Client
from alibabacloud_aiworkspace20210204.models import ListRunsRequest
from alibabacloud_tea_openapi.utils_models import Config

mlflow = pytest.importorskip("mlflow")
pytestmark = [
    pytest.mark.sdk,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning"),
]

Walk = Callable[[str], list[Any]]


def alibaba(url: str) -> list[Any]:
    """The pages of a walk of the vendor's SDK, each as plain values."""
    vendor = all_vendors()["alibaba-pai"]
    endpoint, keys = vendor.client.base(url), vendor.client.keys(vendor.credentials())
    client, pages, token = Client(Config(endpoint=endpoint, protocol="http", **keys)), [], 0
    while token or not pages:
        page = client.list_runs(ListRunsRequest(max_results=10, page_token=token, verbose=True)).body
        rows = [{**run, "OwnerId": "", "UserId": ""} for run in page.to_map()["Runs"]]  # a recording has no account ids
        pages.append({**page.to_map(), "Runs": rows})
        token = page.next_page_token
    return pages


def mlflows(url: str) -> list[Any]:
    """The same of MLflow's own client, with a filter and an order."""
    vendor = all_vendors()["oracle-aidp"]
    uri = vendor.client.environment(url, {"bearer_token": ""}, vendor.resources)["MLFLOW_TRACKING_URI"]
    client = mlflow.MlflowClient(uri)
    pages, token = [], None
    while token or not pages:
        page = client.search_runs(["1", "2"], "", max_results=7, order_by=["start_time ASC"], page_token=token)
        pages.append([run.to_dictionary() for run in page])
        token = page.token
    return pages


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials with which the platform is to be asked, where the SDKs and the recorder look for them."""
    keys = all_vendors()["alibaba-pai"].client.keys(all_vendors()["alibaba-pai"].credentials())
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", keys["access_key_id"])
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys["access_key_secret"])
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "localruns-token")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.parametrize(("vendor", "walk"), [("alibaba-pai", alibaba), ("oracle-aidp", mlflows)])
def test_an_sdk_gets_from_a_cassette_what_the_platform_told_it(tmp_path: Path, vendor: str, walk: Walk) -> None:
    place = tmp_path / "walk.yaml"
    with LocalRuns("quickstart", auth="verify") as platform, Recorder(vendor, platform.url, place) as recorder:
        told = walk(recorder.url)
        assert platform.count == len(told) > 2
    with LocalRuns(place) as replayed:
        assert walk(replayed.url) == told
        replayed.assert_all_played()
        ledger = replayed.walk(vendor)
        assert (ledger.complete, ledger.expected, ledger.duplicates) == (True, 25, [])
        assert walk(f"{replayed.url}/ns/{replayed.open('another').name}") == told


def test_a_cassette_asks_an_sdk_for_its_signature_when_told_to(tmp_path: Path) -> None:
    place = tmp_path / "walk.yaml"
    with LocalRuns("quickstart", auth="verify") as platform, Recorder("alibaba-pai", platform.url, place) as recorder:
        told = alibaba(recorder.url)
    with LocalRuns(place, auth="verify") as replayed:
        assert alibaba(replayed.url) == told
