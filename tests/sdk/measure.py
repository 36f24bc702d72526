"""What each real SDK makes of each error: `python -m tests.sdk.measure > tests/golden/sdk-errors.json`.

Each SDK asks a live server that refuses every call with one error. Written down is the exception that comes out, and
how many requests came in. All settings of the SDKs are their defaults. Two things are not as in a user's process:
`time.sleep` returns at once, so that back-offs cost nothing; and each Oracle client has a circuit breaker of its own,
with the default limits, because the default one is shared by a whole process: one error would tell on the next.
"""

from __future__ import annotations

import asyncio
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from localruns import yamlio
from localruns.engine.emulator import Emulator, Options
from localruns.engine.faults.armed import Fault
from localruns.engine.message import ErrorRow
from localruns.surfaces.edge import Edge
from localruns.surfaces.http import App, refuser
from localruns.vendors import all_vendors

OAUTH = ("invalid_request", "unsupported_grant_type", "invalid_grant", "invalid_client")
WAIT_STATUSES = (413, 429, 503)  # those that any of the SDKs reads a wait from
PACKAGES = (
    "aidp-python-client",
    "alibabacloud_aiworkspace20210204",
    "foundry-platform-sdk",
    "mlflow-skinny",
    "ncloud-vserver",
)
Ask = Callable[[], object]


@dataclass(frozen=True)
class Sdk:
    """One way to ask. Shape: `asks(url, oauth)` makes a call; `shows` are the attributes of its exceptions."""

    name: str
    asks: Callable[[str, bool], Ask]
    shows: Sequence[str]


def _keys(vendor: str) -> Mapping[str, str]:
    return all_vendors()[vendor].client.keys(all_vendors()[vendor].credentials())


def _alibaba(url: str, _oauth: bool) -> Ask:
    from alibabacloud_aiworkspace20210204.client import Client
    from alibabacloud_aiworkspace20210204.models import ListRunsRequest
    from alibabacloud_tea_openapi.utils_models import Config

    client = Client(Config(endpoint=url.removeprefix("http://"), protocol="http", **_keys("alibaba-pai")))
    return lambda: client.list_runs(ListRunsRequest())


def _aidp(url: str, _oauth: bool) -> Ask:
    import oci
    from aidp_python_client.aidataplatform_dp import MLOpsClient
    from aidp_python_client.aidataplatform_dp.models import ListExperimentRunsDetails

    from localruns.vendors.oracle_aidp.client import PLATFORM, WORKSPACE

    config = {name: value for name, value in _keys("oracle-aidp").items() if name != "bearer_token"}
    breaker = oci.circuit_breaker.CircuitBreakerStrategy()
    client = MLOpsClient(config, service_endpoint=url, circuit_breaker_strategy=breaker)
    details = ListExperimentRunsDetails(experiment_ids=["1"])
    return lambda: client.list_experiment_runs(PLATFORM, WORKSPACE, details)


def _mlflow(url: str, _oauth: bool) -> Ask:
    from mlflow import MlflowClient

    from localruns.vendors.oracle_aidp.client import tracking_uri

    client = MlflowClient(tracking_uri(url, all_vendors()["oracle-aidp"].resources))
    return lambda: client.search_runs(["1"])


def _ncloud(url: str, _oauth: bool) -> Ask:
    from ncloud_vserver import ApiClient, Configuration

    configuration, keys = Configuration(), _keys("naver-nsml")
    configuration.host = f"{url}/nsml/v1"
    configuration.access_key, configuration.secret_key = keys["access_key"], keys["secret_key"]
    client = ApiClient(configuration)
    return lambda: client.call_api(
        "/projects/runs",
        "GET",
        header_params={"x-ncp-apigw-api-key": keys["api_key"]},
        auth_settings=["x-ncp-iam"],
        response_type="object",
    )


def _foundry_auth(oauth: bool) -> Any:
    from foundry_sdk import ConfidentialClientAuth, UserTokenAuth

    keys = _keys("palantir-foundry")
    if oauth:
        return ConfidentialClientAuth(keys["client_id"], keys["client_secret"])
    return UserTokenAuth(keys["token"])


def _foundry(url: str, oauth: bool) -> Ask:
    from foundry_sdk import Config, FoundryClient

    client = FoundryClient(_foundry_auth(oauth), url.removeprefix("http://"), config=Config(scheme="http"))
    return lambda: client.models.ModelStudio.Run.list(_studio(), preview=True)


def _foundry_async(url: str, oauth: bool) -> Ask:
    from foundry_sdk import AsyncFoundryClient, Config

    async def ask() -> None:
        host, config = url.removeprefix("http://"), Config(scheme="http")
        runs = AsyncFoundryClient(_foundry_auth(oauth), host, config=config, preview=True).models.ModelStudio.Run
        try:
            async for _ in runs.list(_studio(), preview=True):
                pass
        finally:
            await runs._api_client._client.aclose()

    return lambda: asyncio.run(ask())


def _studio() -> str:
    return next(iter(all_vendors()["palantir-foundry"].resources["studios"]))


SDKS: Mapping[str, Sequence[Sdk]] = {
    "alibaba-pai": (Sdk("alibabacloud_aiworkspace20210204", _alibaba, ("status_code", "code")),),
    "oracle-aidp": (
        Sdk("aidp-python-client", _aidp, ("status", "code")),
        Sdk("mlflow-skinny", _mlflow, ("error_code",)),
    ),
    "naver-nsml": (Sdk("ncloud-vserver", _ncloud, ("status",)),),
    "palantir-foundry": (
        Sdk("foundry-platform-sdk", _foundry, ("name", "error_code")),
        Sdk("foundry-platform-sdk, async", _foundry_async, ("name", "error_code")),
    ),
}


class Refusing:
    """A live server with data for all vendors, which refuses everything with the error it was last given."""

    def __init__(self, folder: Path) -> None:
        vendors = {vendor: {"runs": [{"generate": 1}]} for vendor in all_vendors()}
        path = folder / "measured.yaml"
        path.write_text(yamlio.dump({"scenario": "measured", "vendors": vendors}), "utf-8")
        self._app = App(Emulator(all_vendors(), str(path), Options(cache=folder)))
        self._space = self._app.emulator.space("default")
        self._wish = ""
        self.edge = Edge(self._answer, refuser(self._app.emulator))

    def arm(self, vendor: str, row: ErrorRow, wait_s: int | None = None) -> None:
        """Refuse with this from now on; errors of the token endpoint, which knows no faults, by `Prefer`."""
        self._space.reset()
        wait = {} if wait_s is None else {"retry_after_s": wait_s}
        self._space.faults = [Fault({"when": {"vendor": vendor}, "refuse": row.code, **wait})]
        self._wish = f"code={row.status}; error={row.code}" if row.code in OAUTH else ""

    @property
    def requests(self) -> int:
        """How many came in since then."""
        return self._space.journal.count

    def _answer(self, environ: Any, start_response: Any) -> Any:
        if self._wish:
            environ["localruns.headers"] = [*environ["localruns.headers"], ("prefer", self._wish)]
        return self._app(environ, start_response)


def measure(vendor: str) -> dict[str, dict[str, Any]]:
    """What comes of each error of a vendor.

    Shape: code -> SDK -> `raises`, the attributes it shows, `requests`; `with_wait` the same for an answer that names a
    wait, where that makes a difference.
    """
    with TemporaryDirectory() as folder, _alone():
        server = Refusing(Path(folder))
        with server.edge:
            rows = all_vendors()[vendor].errors.rows
            return {row.code: {sdk.name: _both(server, vendor, row, sdk) for sdk in SDKS[vendor]} for row in rows}


def measured() -> dict[str, Any]:
    """The content of the golden file."""
    return {
        "versions": {package: version(package) for package in PACKAGES},
        "errors": {vendor: measure(vendor) for vendor in SDKS},
    }


def _both(server: Refusing, vendor: str, row: ErrorRow, sdk: Sdk) -> dict[str, Any]:
    found = _one(server, vendor, row, sdk)
    if row.status in WAIT_STATUSES:
        waiting = _one(server, vendor, row, sdk, wait_s=1)
        if waiting != found:
            found["with_wait"] = waiting
    return found


def _one(server: Refusing, vendor: str, row: ErrorRow, sdk: Sdk, wait_s: int | None = None) -> dict[str, Any]:
    server.arm(vendor, row, wait_s)
    ask = sdk.asks(server.edge.url, row.code in OAUTH)
    try:
        ask()
    except Exception as error:
        shown = {name: getattr(error, name) for name in sdk.shows if getattr(error, name, None) is not None}
        return {"raises": type(error).__name__, **shown, "requests": server.requests}
    raise AssertionError(f"{sdk.name} raised nothing for {row.code}")


@contextmanager
def _alone() -> Iterator[None]:
    """No waiting, no proxies, no settings of this machine, no warnings."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("MLFLOW_", "OCI_"))}
    kept = {name: value for name, value in kept.items() if not name.upper().endswith("_PROXY")}
    own = {**kept, "MLFLOW_TRACKING_TOKEN": "localruns-token"}
    with (
        warnings.catch_warnings(),
        patch.dict(os.environ, own, clear=True),
        patch("time.sleep", lambda _seconds: None),
    ):
        warnings.simplefilter("ignore")
        yield


if __name__ == "__main__":
    print(json.dumps(measured(), indent=1))
