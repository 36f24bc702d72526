"""What the published clients know of the platform, held against schemas and paths; and all ways in which they ask."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from localruns.engine.routing import Router
from localruns.paths import schemas_dir
from localruns.vendors import all_vendors
from localruns.vendors.oracle_aidp import VENDOR
from localruns.vendors.oracle_aidp.client import PLATFORM, WORKSPACE, tracking_uri
from tests.clients.pagers import SEARCH
from tests.sdk.test_oracle_aidp import dp, keys, mlflow, oci, sdk, search
from tests.sdk.test_oracle_aidp import pytestmark as pytestmark

requests = pytest.importorskip("requests")
BASE = SEARCH.removesuffix("runs/search")


def schema(name: str) -> Any:
    return json.loads((schemas_dir() / "oracle-aidp" / f"{name}.json").read_text("utf-8"))


def fields(model: str) -> list[str]:
    """The names of a model's members on the wire."""
    return sorted(getattr(dp.models, model)().attribute_map.values())


@pytest.mark.parametrize("model", schema("list-runs")["$defs"])
def test_a_part_of_a_run_has_the_members_that_the_sdk_reads(model: str) -> None:
    assert sorted(schema("list-runs")["$defs"][model]["properties"]) == fields(model)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("list-runs", "ExperimentRunCollection"),
        ("list-runs-request", "ListExperimentRunsDetails"),
        ("get-experiment", "ExperimentResponse"),
        ("search-experiments", "ExperimentCollection"),
        ("search-experiments-request", "ListExperimentsDetails"),
    ],
)
def test_a_body_has_the_members_that_the_sdk_writes_or_reads(name: str, model: str) -> None:
    assert sorted(schema(name)["properties"]) == fields(model)


def test_an_experiment_has_the_members_that_the_sdk_reads_and_mlflows_workspace() -> None:
    shown = schema("get-experiment")["$defs"]["Experiment"]["properties"]
    assert sorted(shown) == sorted([*fields("Experiment"), "workspace"])


def test_the_sdk_knows_the_same_values() -> None:
    def values(model: str, prefix: str) -> set[str]:
        kind = getattr(dp.models, model)
        return {getattr(kind, name) for name in vars(kind) if name.startswith(prefix)}

    info = schema("list-runs")["$defs"]["ExperimentRunInfo"]["properties"]
    assert set(info["status"]["enum"]) == values("ExperimentRunInfo", "STATUS_")
    views = schema("list-runs-request")["properties"]["run_view_type"]["enum"]
    assert set(views) - {None} == values("ListExperimentRunsDetails", "RUN_VIEW_TYPE_")


def test_each_operation_of_the_sdk_in_a_workspace_is_served_or_known() -> None:
    source = inspect.getsource(dp.MLOpsClient)
    found = re.findall(r'resource_path = "(/[^"]+/workspaces/[^"]+)"\s+method = "(\w+)"', source)
    router = Router(all_vendors().values())
    for path, method in found:
        for prefix in VENDOR.prefixes:
            route = router.find(method, prefix.rstrip("/") + re.sub(r"\{\w+\}", "x", path))
            assert route, path
            assert route.endpoint or route.neighbour, path
    assert len(found) > 20


@pytest.mark.parametrize("ending", ["", "/", "/20260430", "/ns/default"])
def test_each_form_of_the_endpoint_is_signed_and_served(live: Callable[..., str], ending: str) -> None:
    client = sdk(live("quickstart", auth="verify") + ending)
    assert len(search(client).data.runs) == 25
    # Nothing asked matches nothing.
    assert client.list_experiment_runs(PLATFORM, WORKSPACE, dp.models.ListExperimentRunsDetails()).data.runs == []
    with pytest.raises(oci.exceptions.ServiceError) as raised:
        client.list_experiment_runs(PLATFORM, WORKSPACE, None)
    assert (raised.value.status, raised.value.code) == (400, "MissingParameter")


def test_the_sdks_request_id_comes_back(live: Callable[..., str]) -> None:
    client = sdk(live("quickstart"))
    details = dp.models.ListExperimentRunsDetails(experiment_ids=["1"], max_results=1)
    answer = client.list_experiment_runs(PLATFORM, WORKSPACE, details, opc_request_id="mine-1_A")
    assert answer.request_id == "mine-1_A"
    assert re.fullmatch("[0-9A-F]{32}", search(client, max_results=1).request_id)


def test_the_sdk_reads_experiments(live: Callable[..., str]) -> None:
    client = sdk(live("quickstart", auth="verify"))
    one = client.get_experiment_by_id(PLATFORM, WORKSPACE, "1").data.experiment
    assert (one.name, one.creation_time, one.last_update_time) == ("experiment-1", 1577836800000, 1577836800000)
    assert client.get_experiment_by_name(PLATFORM, WORKSPACE, "experiment-2").data.experiment.experiment_id == "2"
    asked = dp.models.ListExperimentsDetails(max_results=1)
    first = client.list_experiments(PLATFORM, WORKSPACE, asked).data
    asked.page_token = first.next_page_token
    last = client.list_experiments(PLATFORM, WORKSPACE, asked).data
    assert [page.experiments[0].experiment_id for page in (first, last)] == ["1", "2"]
    assert last.next_page_token is None


def test_oracles_signer_is_enough_without_the_sdk(live: Callable[..., str]) -> None:
    url, config = live("quickstart", auth="verify"), keys()
    signer = oci.signer.Signer(
        config["tenancy"], config["user"], config["fingerprint"], None, private_key_content=config["key_content"]
    )
    body = {"experiment_ids": ["1"], "max_results": 2}
    assert len(requests.post(url + SEARCH, json=body, auth=signer).json()["runs"]) == 2
    got = requests.get(url + "/api" + BASE + "experiments/get?experiment_id=1", auth=signer)
    assert got.json()["experiment"]["name"] == "experiment-1"
    generic = oci.base_client.BaseClient(
        "aidp", {**config, "log_requests": False}, signer, {}, service_endpoint=url, base_path="/20260430"
    )
    answer = generic.call_api(
        SEARCH.removeprefix("/20260430"), "POST", header_params={"content-type": "application/json"}, body=body,
        response_type="object",
    )  # fmt: skip
    assert len(answer.data["runs"]) == 2


@pytest.fixture
def quick_mlflow(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """`quick_mlflow(url)`: MLflow's client of a server, which asks once."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return lambda url: mlflow.MlflowClient(tracking_uri(url, VENDOR.resources) + "/")


def test_mlflow_may_sign_like_the_sdk(
    live: Callable[..., str], quick_mlflow: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking.request_auth.abstract_request_auth_provider import RequestAuthProvider
    from mlflow.tracking.request_auth.registry import _request_auth_provider_registry as registry

    class Signed(RequestAuthProvider):  # type: ignore[misc]
        def get_name(self) -> str:
            return "oci-sig"

        def get_auth(self) -> Any:
            config = keys()
            content = config["key_content"]
            return oci.signer.Signer(
                config["tenancy"], config["user"], config["fingerprint"], None, private_key_content=content
            )

    monkeypatch.setattr(registry, "_registry", [*registry._registry, Signed()])
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "oci-sig")
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
    client = quick_mlflow(live("quickstart", auth="verify"))
    page = client.search_runs(["1"], max_results=20)
    assert [len(page), len(client.search_runs(["1"], max_results=20, page_token=page.token))] == [20, 5]


def test_mlflow_walks_experiments_and_reads_their_times_and_tags(
    live: Callable[..., str], quick_mlflow: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "any")
    tags = [{"key": "team", "value": "vision"}]
    held = ["1", {"id": "2", "creation_time": 1700000000000, "last_update_time": 1700000000001, "tags": tags}, "3"]
    platforms = {PLATFORM: {"workspaces": {WORKSPACE: {"experiments": held}}}}
    client = quick_mlflow(live(vendor="oracle-aidp", resources={"platforms": platforms}))
    found, token = [], None
    while True:
        page = client.search_experiments(max_results=1, page_token=token)
        found += page
        token = page.token
        if not token:
            break
    assert [each.experiment_id for each in found] == ["2", "1", "3"]
    two = client.get_experiment("2")
    assert (two.creation_time, two.last_update_time, two.tags) == (1700000000000, 1700000000001, {"team": "vision"})


@pytest.mark.parametrize(
    ("code", "name"),
    [("InvalidParameter", "INVALID_PARAMETER_VALUE"), ("NotAuthenticated", "UNAUTHENTICATED"),
     ("NotAuthorized", "PERMISSION_DENIED"), ("NotAuthorizedOrNotFound", "RESOURCE_DOES_NOT_EXIST"),
     ("NotFound", "ENDPOINT_NOT_FOUND"), ("IncorrectState", "RESOURCE_CONFLICT")],
)  # fmt: skip
def test_mlflow_knows_an_error_by_the_name_that_the_setting_adds(
    live: Callable[..., str], quick_mlflow: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, code: str, name: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "any")
    fault = {"when": {"vendor": "oracle-aidp"}, "refuse": code}
    part = {"runs": [], "settings": {"error_code": True}}
    client = quick_mlflow(live({"scenario": "named", "vendors": {"oracle-aidp": part}, "faults": [fault]}))
    with pytest.raises(mlflow.exceptions.RestException) as raised:
        client.search_runs(["1"])
    assert raised.value.error_code == name


def test_mlflow_misses_an_experiment_by_name_only_with_the_setting(
    live: Callable[..., str], quick_mlflow: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "any")
    assert quick_mlflow(live(vendor="oracle-aidp", settings={"error_code": True})).get_experiment_by_name("no") is None
    with pytest.raises(mlflow.exceptions.RestException):
        quick_mlflow(live("quickstart")).get_experiment_by_name("no")
