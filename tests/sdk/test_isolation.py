"""Each vendor's real clients, kept apart by nothing but their credentials, on one live server."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.request import Request, urlopen

import pytest

from localruns.surfaces.edge import Edge
from localruns.surfaces.http import App, is_slow, refuser
from localruns.vendors.oracle_aidp import VENDOR
from localruns.vendors.oracle_aidp.client import PLATFORM, WORKSPACE, tracking_uri
from localruns.vendors.palantir_foundry import STUDIO

pytestmark = [pytest.mark.sdk, pytest.mark.filterwarnings("ignore")]

Keys = dict[str, str]


def alibaba(url: str, keys: Keys) -> list[str]:
    from alibabacloud_aiworkspace20210204.client import Client
    from alibabacloud_aiworkspace20210204.models import ListRunsRequest
    from alibabacloud_tea_openapi.utils_models import Config
    from darabonba.runtime import RuntimeOptions

    client = Client(Config(endpoint=url.partition("://")[2], protocol="http", **keys))
    token, found = 0, []
    while True:
        request = ListRunsRequest(page_token=token, max_results=10)
        page = client.list_runs_with_options(request, {}, RuntimeOptions()).body
        found += [run.run_id for run in page.runs]
        token = page.next_page_token
        if not token:
            return found


def oracle(url: str, keys: Keys) -> list[str]:
    import oci
    from aidp_python_client.aidataplatform_dp import MLOpsClient
    from aidp_python_client.aidataplatform_dp.models import ListExperimentRunsDetails

    config = {name: value for name, value in keys.items() if name != "bearer_token"}
    plain = {"retry_strategy": oci.retry.NoneRetryStrategy(),
             "circuit_breaker_strategy": oci.circuit_breaker.NoCircuitBreakerStrategy()}  # fmt: skip
    client = MLOpsClient(config, service_endpoint=url, **plain)
    token, found = None, []
    while True:
        details = ListExperimentRunsDetails(experiment_ids=["1"], max_results=10, page_token=token)
        page = client.list_experiment_runs(PLATFORM, WORKSPACE, details).data
        found += [run.info.run_id for run in page.runs]
        token = page.next_page_token
        if not token:
            return found


def mlflow(url: str, keys: Keys) -> list[str]:
    from mlflow import MlflowClient

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_TOKEN", keys["bearer_token"])
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        client, token, found = MlflowClient(tracking_uri(url, VENDOR.resources)), None, []
        while True:
            page = client.search_runs(["1"], max_results=10, page_token=token)
            found += [run.info.run_id for run in page]
            token = page.token
            if not token:
                return found


def naver(url: str, keys: Keys) -> list[str]:
    from ncloud_vserver import ApiClient, Configuration

    class Renaming(ApiClient):
        def update_params_for_auth(self, method: Any, path: Any, headers: Any, *rest: Any) -> None:
            super().update_params_for_auth(method, path, headers, *rest)
            headers["x-ncp-apigw-signature-v2"] = headers.pop("x-ncp-apigw-signature-v1")

    configuration = Configuration()
    configuration.host = f"{url}/nsml/v1"
    configuration.access_key, configuration.secret_key = keys["access_key"], keys["secret_key"]
    client, page, found = Renaming(configuration), 1, []
    while True:
        body: Any = client.call_api("/projects/runs", "GET", query_params=[("page", str(page)), ("pageSize", "10")],
                                    header_params={"x-ncp-apigw-api-key": keys["api_key"]},
                                    auth_settings=["x-ncp-iam"], response_type="object",
                                    _return_http_data_only=True)  # fmt: skip
        found += [f"{run['projectId']}/{run['runName']}" for run in body["runList"]]
        page += 1
        if len(found) >= body["totalCount"]:
            return found


def foundry(url: str, keys: Keys) -> list[str]:
    from foundry_sdk import UserTokenAuth

    return _foundry(url, UserTokenAuth(keys["token"]))


def foundry_oauth(url: str, keys: Keys) -> list[str]:
    from foundry_sdk import ConfidentialClientAuth

    names = {name: keys[name] for name in ("client_id", "client_secret")}
    return _foundry(url, ConfidentialClientAuth(**names, should_refresh=False))


def _foundry(url: str, auth: Any) -> list[str]:
    from foundry_sdk import Config, FoundryClient

    client = FoundryClient(auth=auth, hostname=url.partition("://")[2], config=Config(scheme="http"))
    runs = client.models.ModelStudio.Run.list(STUDIO, page_size=10, preview=True)
    return [run.build_rid for run in runs]


CLIENTS = {
    "alibaba": ("alibaba-pai", alibaba, "alibabacloud_aiworkspace20210204"),
    "oracle": ("oracle-aidp", oracle, "aidp_python_client"),
    "mlflow": ("oracle-aidp", mlflow, "mlflow"),
    "naver": ("naver-nsml", naver, "ncloud_vserver"),
    "foundry": ("palantir-foundry", foundry, "foundry_sdk"),
    "foundry-oauth": ("palantir-foundry", foundry_oauth, "foundry_sdk"),
}


@pytest.fixture(autouse=True)
def _leave_nothing_open() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(params=["present", "verify"])
def server(request: pytest.FixtureRequest, make_app: Callable[..., App]) -> Iterator[str]:
    """One server for all, with other runs in each of its namespaces."""
    app = make_app("quickstart", auth=request.param)
    with Edge(app, refuser(app.emulator), slow=is_slow) as edge:
        yield edge.url


def admin(url: str, method: str, call: str, content: Any = None) -> Any:
    body = None if content is None else json.dumps(content).encode()
    with urlopen(Request(f"{url}/__admin/{call}", body, method=method)) as answer:
        return json.load(answer)


def opened(url: str, name: str, vendor: str, seed: int, rows: int) -> Keys:
    """The credentials for a namespace with runs of its own."""
    text = json.dumps({"scenario": name, "seed": seed, "vendors": {vendor: {"runs": [{"generate": rows}]}}})
    made = admin(url, "POST", "namespaces", {"name": name, "scenario": {"text": text}})
    return dict(made["credentials"][vendor])


@pytest.mark.parametrize("kind", CLIENTS)
def test_clients_that_can_set_neither_path_nor_headers_are_apart_by_their_credentials(server: str, kind: str) -> None:
    vendor, walk, library = CLIENTS[kind]
    pytest.importorskip(library)
    keys = {name: opened(server, name, vendor, seed, rows) for name, seed, rows in (("a", 1, 12), ("b", 2, 23))}
    well_known = admin(server, "GET", "namespaces/default")["credentials"][vendor]

    found = {name: walk(server, own) for name, own in {**keys, "default": well_known}.items()}

    assert [len(set(rows)) for rows in found.values()] == [12, 23, 25]
    for name, rows in found.items():
        shown = admin(server, "GET", f"requests?namespace={name}")["requests"]
        assert {entry["status"] for entry in shown} == {200}
        assert [key for entry in shown for key in entry["row_keys"]] == rows


@pytest.mark.parametrize("kind", ["alibaba", "naver", "foundry"])
def test_clients_at_the_same_time_each_see_their_own_runs(server: str, kind: str) -> None:
    vendor, walk, library = CLIENTS[kind]
    pytest.importorskip(library)
    keys = [opened(server, f"test-{number}", vendor, number, 11 + number) for number in range(12)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda own: walk(server, own), keys))

    assert [len(set(rows)) for rows in found] == [11 + number for number in range(12)]
    assert admin(server, "GET", "requests/count")["count"] == 0
