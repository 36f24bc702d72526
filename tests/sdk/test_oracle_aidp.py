"""The vendor's SDK and MLflow's own client against a live server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localruns.vendors.oracle_aidp import VENDOR
from localruns.vendors.oracle_aidp import client as help_
from localruns.vendors.oracle_aidp.client import PLATFORM, WORKSPACE, tracking_uri

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning"),
]

oci = pytest.importorskip("oci")
dp = pytest.importorskip("aidp_python_client.aidataplatform_dp")
mlflow = pytest.importorskip("mlflow")


def keys() -> dict[str, str]:
    credentials = [
        {"id": "ocid1.tenancy.oc1..localruns/ocid1.user.oc1..localruns", "public_key": "shared"},
        {"id": "localruns", "token": "localruns-token"},
    ]
    return dict(help_.keys(credentials))


def sdk(url: str, **changed: str) -> Any:
    """The vendor's client, without retries and without its process-wide circuit breaker."""
    config = {name: value for name, value in keys().items() if name != "bearer_token"}
    return dp.MLOpsClient(
        {**config, **changed},
        service_endpoint=url,
        retry_strategy=oci.retry.NoneRetryStrategy(),
        circuit_breaker_strategy=oci.circuit_breaker.NoCircuitBreakerStrategy(),
    )


def search(client: Any, **details: Any) -> Any:
    asked = dp.models.ListExperimentRunsDetails(experiment_ids=["1", "2"], **details)
    return client.list_experiment_runs(PLATFORM, WORKSPACE, asked)


def walk(client: Any, size: int) -> Iterator[Any]:
    token = None
    while True:
        answer = search(client, max_results=size, page_token=token)
        assert answer.next_page == answer.data.next_page_token
        yield from answer.data.runs
        token = answer.data.next_page_token
        if not token:
            return


@pytest.fixture
def tracking(live: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`tracking(scenario, ...)` points MLflow's client at a live server."""
    for name, value in {"MAX_RETRIES": "0", "BACKOFF_FACTOR": "0", "BACKOFF_JITTER": "0", "TIMEOUT": "5"}.items():
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", value)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "localruns-token")

    def point(*args: Any, **options: Any) -> Any:
        uri = tracking_uri(live(*args, **options), VENDOR.resources)
        mlflow.set_tracking_uri(uri)
        return mlflow.MlflowClient(uri)

    return point


@pytest.mark.parametrize("auth", ["present", "verify"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_vendors_sdk_walks_all_pages(live: Callable[..., str], size: int, auth: str) -> None:
    runs = list(walk(sdk(live("quickstart", auth=auth)), size))
    assert len({run.info.run_id for run in runs}) == len(runs) == 25
    starts = [run.info.start_time for run in runs]
    assert starts == sorted(starts, reverse=True)


def test_a_trailing_slash_on_the_endpoint_is_signed_and_served(live: Callable[..., str]) -> None:
    assert len(list(walk(sdk(live("quickstart", auth="verify") + "/"), 10))) == 25


def test_a_namespace_prefix_is_signed_and_served(live: Callable[..., str]) -> None:
    assert len(list(walk(sdk(live("quickstart", auth="verify") + "/ns/default"), 10))) == 25


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_mlflows_client_walks_all_pages(tracking: Callable[..., Any], size: int) -> None:
    client, token, runs = tracking("quickstart", auth="verify"), None, []
    while True:
        page = client.search_runs(["1", "2"], max_results=size, page_token=token)
        runs += page
        token = page.token
        if not token:
            break
    assert len({run.info.run_id for run in runs}) == len(runs) == 25
    starts = [run.info.start_time for run in runs]
    assert starts == sorted(starts, reverse=True)


def test_mlflow_filters_and_orders(tracking: Callable[..., Any]) -> None:
    client = tracking("quickstart")
    found = client.search_runs(["1"], "metrics.rmse < 1 and tags.team = 'alpha'", order_by=["metrics.rmse DESC"])
    values = [run.data.metrics["rmse"] for run in found]
    assert values == sorted(values, reverse=True)
    assert values
    assert max(values) < 1


def test_mlflow_finds_runs_by_experiment_name(tracking: Callable[..., Any]) -> None:
    experiments = [{"id": "1", "name": "forecasting"}]
    platforms = {PLATFORM: {"workspaces": {WORKSPACE: {"experiments": experiments}}}}
    tracking(vendor="oracle-aidp", resources={"platforms": platforms}, settings={"error_code": True})
    runs = mlflow.search_runs(experiment_names=["forecasting"], output_format="list")
    assert len(runs) == 25
    assert mlflow.get_experiment_by_name("nope") is None
    assert len(mlflow.search_runs(search_all_experiments=True, output_format="list")) == 25


@pytest.mark.parametrize(
    ("code", "status"),
    [("InvalidParameter", 400), ("NotAuthenticated", 401), ("NotAuthorized", 403), ("NotAuthorizedOrNotFound", 404),
     ("IncorrectState", 409), ("TooManyRequests", 429), ("InternalServerError", 500), ("ServiceUnavailable", 503)],
)  # fmt: skip
def test_the_vendors_sdk_raises_what_the_platform_refused_with(
    live: Callable[..., str], code: str, status: int
) -> None:
    fault = {"when": {"vendor": "oracle-aidp"}, "refuse": code}
    url = live({"scenario": "refusing", "vendors": {"oracle-aidp": {"runs": []}}, "faults": [fault]})
    with pytest.raises(oci.exceptions.ServiceError) as raised:
        search(sdk(url))
    assert (raised.value.status, raised.value.code) == (status, code)
    assert raised.value.request_id


@pytest.mark.parametrize("error_code", [True, False])
def test_mlflow_sees_the_error_by_its_own_name_when_asked_for(tracking: Callable[..., Any], error_code: bool) -> None:
    client = tracking(vendor="oracle-aidp", settings={"error_code": error_code})
    with pytest.raises(mlflow.exceptions.RestException) as raised:
        client.search_runs(["1"], "metrics.rmse < x")
    assert raised.value.error_code == ("INVALID_PARAMETER_VALUE" if error_code else "INTERNAL_ERROR")
    assert "at character 16" in str(raised.value)


def test_another_key_is_refused_when_signatures_are_verified(live: Callable[..., str], tmp_path: Any) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from localruns.vendors.oracle_aidp.keys import private_pem

    other = private_pem(rsa.generate_private_key(65537, 2048))
    with pytest.raises(oci.exceptions.ServiceError) as raised:
        search(sdk(live("quickstart", auth="verify"), key_content=other))
    assert (raised.value.status, raised.value.code) == (401, "NotAuthenticated")
