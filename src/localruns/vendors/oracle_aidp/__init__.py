"""Oracle AI Data Platform, MLflow-compatible: `POST .../mlops/api/2.0/mlflow/runs/search`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from localruns.engine.credentials import permission
from localruns.engine.recorded.traffic import Traffic
from localruns.engine.steps import decide, listing
from localruns.engine.vendor import Check, Endpoint, Neighbour, Vendor
from localruns.vendors.oracle_aidp import access, asking, client, contract, experiments, plain, problems, resign, runs

_PREFIXES = ("/20260430/", "/api/20260430/")
_MLFLOW = "aiDataPlatforms/{aiDataPlatformId}/workspaces/{workspaceKey}/mlops/api/2.0/mlflow/"
_BEFORE: tuple[Check, ...] = (access.authenticate, access.existence, permission, problems.request_id)

_NEIGHBOURS = {
    "POST": """experiments/create experiments/update experiments/delete experiments/restore
        experiments/set-experiment-tag experiments/delete-experiment-tag runs/create runs/update runs/delete
        runs/restore runs/log-metric runs/log-parameter runs/log-batch runs/set-tag runs/delete-tag
        runs/log-inputs runs/log-model runs/outputs logged-models/search internal/runs/update-tags
        internal/experiments/update-experiment-tags model-versions/create""",
    "GET": "runs/get metrics/get-history artifacts/list",
}
# Registry and deployments belong to a platform, not to one of its workspaces.
_WHOLE = "aiDataPlatforms/{aiDataPlatformId}/mlops/api/2.0/"
_FAMILIES = ("mlflow/registered-models", "mlflow/model-versions", "model-deployments")


def _endpoints() -> Iterator[Endpoint]:
    for prefix in _PREFIXES:
        path = prefix + _MLFLOW
        search = (*_BEFORE, asking.parse, decide)
        yield Endpoint("runs/search", "POST", path + "runs/search", search, listing(runs.render))
        for method, name, answer in experiments.OPERATIONS:
            yield Endpoint(name, method, path + name, (*_BEFORE, decide), answer)


def _scopes(resources: Mapping[str, Any]) -> list[str]:
    return [
        access.scope(platform, workspace)
        for platform, inner in resources["platforms"].items()
        for workspace in inner["workspaces"]
    ]


def _neighbours() -> Iterator[Neighbour]:
    for prefix in _PREFIXES:
        for method, names in _NEIGHBOURS.items():
            for name in names.split():
                yield Neighbour(name, method, prefix + _MLFLOW + name)
            for family in _FAMILIES:
                yield Neighbour(family.removeprefix("mlflow/"), method, f"{prefix}{_WHOLE}{family}/{{operation}}")


VENDOR = Vendor(
    id="oracle-aidp",
    title="Oracle AI Data Platform",
    prefixes=_PREFIXES,
    endpoints=tuple(_endpoints()),
    neighbours=tuple(_neighbours()),
    errors=problems.TABLE,
    rows=runs.ROWS,
    resources={"platforms": {plain.PLATFORM: {"workspaces": {plain.WORKSPACE: {"experiments": ["1", "2"]}}}}},
    credentials=lambda: [
        {"id": access.WELL_KNOWN_USER, "public_key": access.SHARED_KEY},
        {"id": "localruns", "token": "localruns-token"},
    ],
    scopes=_scopes,
    identify=access.identify,
    refuse=problems.refuse,
    unknown=problems.unknown,
    own_credentials=access.own_credentials,
    presented=access.identify,
    authenticate=(access.authenticate,),
    paging=("text",),
    client=client.HELP,
    traffic=Traffic(
        endpoint="runs/search",
        place="body",
        size=("max_results",),
        token=("page_token",),
        rows_at="runs",
        next_at="next_page_token",
        code_at=("code",),
        code_else_at=("error_code",),
        ends=("absent", "empty text"),
        token_form=".+",
        order=asking.order_of,
    ),
    cannot={"total_absent": "its answers state no total", "total_stale": "its answers state no total"},
    contract=contract.CONTRACT,
    aliases=plain.ALIASES,
    resigning=resign.RESIGNING,
)
