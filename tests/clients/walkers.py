"""Each vendor's real client walks all pages of 10 and gives them as they came: a list of pages, each a list of rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from localruns.vendors.oracle_aidp.client import PLATFORM, WORKSPACE, tracking_uri
from localruns.vendors.palantir_foundry import STUDIO

Keys = Mapping[str, str]
Pages = list[list[dict[str, Any]]]
Walk = Callable[[str, Keys, int], Pages]


def alibaba(url: str, keys: Keys, size: int = 10, **config: Any) -> Pages:
    from alibabacloud_aiworkspace20210204.client import Client
    from alibabacloud_aiworkspace20210204.models import ListRunsRequest
    from alibabacloud_tea_openapi.utils_models import Config
    from darabonba.runtime import RuntimeOptions

    client = Client(Config(endpoint=url.partition("://")[2], protocol="http", **keys, **config))
    token, pages = 0, []
    while True:
        request = ListRunsRequest(page_token=token, max_results=size, verbose=True)
        page = client.list_runs_with_options(request, {}, RuntimeOptions()).body
        pages.append([run.to_map() for run in page.runs])
        token = page.next_page_token
        if not token:
            return pages


def oracle(url: str, keys: Keys, size: int = 10) -> Pages:
    import oci
    from aidp_python_client.aidataplatform_dp import MLOpsClient
    from aidp_python_client.aidataplatform_dp.models import ListExperimentRunsDetails

    config = {name: value for name, value in keys.items() if name != "bearer_token"}
    client = MLOpsClient(
        config,
        service_endpoint=url,
        retry_strategy=oci.retry.NoneRetryStrategy(),
        circuit_breaker_strategy=oci.circuit_breaker.NoCircuitBreakerStrategy(),
    )
    token, pages = None, []
    while True:
        details = ListExperimentRunsDetails(experiment_ids=["1", "2"], max_results=size, page_token=token)
        page = client.list_experiment_runs(PLATFORM, WORKSPACE, details).data
        pages.append([oci.util.to_dict(run) for run in page.runs])
        token = page.next_page_token
        if not token:
            return pages


def mlflow(url: str, keys: Keys, size: int = 10) -> Pages:
    from mlflow import MlflowClient

    from localruns.vendors.oracle_aidp import VENDOR

    plain = {"MAX_RETRIES": "0", "BACKOFF_FACTOR": "0", "BACKOFF_JITTER": "0", "TIMEOUT": "5"}
    variables = {f"MLFLOW_HTTP_REQUEST_{name}": value for name, value in plain.items()}
    with environment(**variables, MLFLOW_TRACKING_TOKEN=keys["bearer_token"]):
        client = MlflowClient(tracking_uri(url, VENDOR.resources))
        token, pages = None, []
        while True:
            runs = client.search_runs(["1", "2"], max_results=size, page_token=token)
            pages.append([run.to_dictionary() for run in runs])
            token = runs.token
            if not token:
                return pages


def naver(url: str, keys: Keys, size: int = 10) -> Pages:
    from ncloud_vserver import ApiClient, Configuration

    class Renaming(ApiClient):  # type: ignore[misc]
        def update_params_for_auth(self, method: Any, path: Any, headers: Any, *rest: Any) -> None:
            super().update_params_for_auth(method, path, headers, *rest)
            headers["x-ncp-apigw-signature-v2"] = headers.pop("x-ncp-apigw-signature-v1")

    configuration = Configuration()
    configuration.host = f"{url}/nsml/v1"
    configuration.access_key, configuration.secret_key = keys["access_key"], keys["secret_key"]
    client, pages, total = Renaming(configuration), [], 1
    while sum(map(len, pages)) < total:
        body = client.call_api(
            "/projects/runs",
            "GET",
            query_params=[("page", str(len(pages) + 1)), ("pageSize", str(size))],
            header_params={"x-ncp-apigw-api-key": keys["api_key"]},
            auth_settings=["x-ncp-iam"],
            response_type="object",
            _return_http_data_only=True,
        )
        pages.append(body["runList"])
        total = body["totalCount"]
    return pages


def foundry(url: str, keys: Keys, size: int = 10) -> Pages:
    import foundry_sdk

    return _foundry(url, foundry_sdk.UserTokenAuth(keys["token"]), size)


def foundry_oauth(url: str, keys: Keys, size: int = 10) -> Pages:
    import foundry_sdk

    who = {"client_id": keys["client_id"], "client_secret": keys["client_secret"]}
    return _foundry(url, foundry_sdk.ConfidentialClientAuth(**who, should_refresh=False), size)


def _foundry(url: str, auth: Any, size: int) -> Pages:
    import foundry_sdk
    from foundry_sdk._core import http_client

    config = foundry_sdk.Config(scheme="http", backoff_slot_size_ms=1)
    client = foundry_sdk.FoundryClient(auth=auth, hostname=url.partition("://")[2], config=config)
    token, pages = None, []
    try:
        while True:
            runs = client.models.ModelStudio.Run.list(STUDIO, page_size=size, page_token=token, preview=True)
            pages.append([run.to_dict() for run in runs.data])
            token = runs.next_page_token
            if not token:
                return pages
    finally:  # it keeps its connections for the life of the process
        http_client._get_transport(verify=True, proxy_url=None).close()


CLIENTS: dict[str, tuple[str, Walk]] = {
    "alibaba-pai": ("alibaba-pai", alibaba),
    "oracle-aidp": ("oracle-aidp", oracle),
    "mlflow": ("oracle-aidp", mlflow),
    "naver-nsml": ("naver-nsml", naver),
    "palantir-foundry": ("palantir-foundry", foundry),
    "foundry-oauth": ("palantir-foundry", foundry_oauth),
}


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Environment variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
