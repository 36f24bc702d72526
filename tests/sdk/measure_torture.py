"""What each real SDK makes of the torture catalogue.

`python -m tests.sdk.measure_torture > tests/golden/sdk-torture.json` writes it down.

Each lists all runs of each entry's scenario on a live server: with its own iterator where it has one, else with the
plain loop that the documentation of the platform asks for (that of `localruns env`). All settings are the defaults;
only `time.sleep` returns at once, and each Oracle client has a circuit breaker of its own. A server that has been asked
60 times refuses all that follows: whoever comes to that loops.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from localruns.engine.emulator import Emulator, Options
from localruns.engine.faults.armed import Fault
from localruns.surfaces.edge import Edge
from localruns.surfaces.http import App, refuser
from localruns.vendors import all_vendors
from localruns.vendors.oracle_aidp.client import PLATFORM, WORKSPACE, tracking_uri
from tests.clients.stories import ENTRIES
from tests.clients.torture import SIZES, judge, lived, reason, scenario
from tests.sdk import measure

BUDGET = 60
Keys = Iterator[str]


@dataclass(frozen=True)
class Sdk:
    """One way of listing.

    Shape: `list(url, size)` yields row keys; `how` in words; `only` for this entry, "" for all.
    """

    name: str
    vendor: str
    style: str
    how: str
    list: Callable[[str, int], Keys]
    only: str = ""


def _alibaba(url: str) -> Callable[..., Any]:
    from alibabacloud_aiworkspace20210204.client import Client
    from alibabacloud_aiworkspace20210204.models import ListRunsRequest
    from alibabacloud_tea_openapi.utils_models import Config

    keys = measure._keys("alibaba-pai")
    client = Client(Config(endpoint=url.removeprefix("http://"), protocol="http", **keys))
    return lambda **asked: client.list_runs(ListRunsRequest(**asked)).body


def _alibaba_by_token(url: str, size: int) -> Keys:
    ask, token = _alibaba(url), 0
    while True:
        page = ask(max_results=size, page_token=token)
        yield from (run.run_id for run in page.runs)
        token = page.next_page_token
        if not token:
            return


def _alibaba_by_number(url: str, size: int) -> Keys:
    ask, number, seen = _alibaba(url), 1, 0
    while True:
        page = ask(page_number=number, page_size=size)
        yield from (run.run_id for run in page.runs)
        number, seen = number + 1, seen + len(page.runs)
        if not page.runs or seen >= page.total_count:
            return


def _aidp(url: str, size: int) -> Keys:
    import oci
    from aidp_python_client.aidataplatform_dp import MLOpsClient
    from aidp_python_client.aidataplatform_dp.models import ListExperimentRunsDetails

    config = {name: value for name, value in measure._keys("oracle-aidp").items() if name != "bearer_token"}
    breaker = oci.circuit_breaker.CircuitBreakerStrategy()
    client, token = MLOpsClient(config, service_endpoint=url, circuit_breaker_strategy=breaker), None
    while True:
        details = ListExperimentRunsDetails(experiment_ids=["1"], max_results=size, page_token=token)
        page = client.list_experiment_runs(PLATFORM, WORKSPACE, details).data
        yield from (run.info.run_id for run in page.runs)
        token = page.next_page_token
        if not token:
            return


def _mlflow(url: str, _size: int) -> Keys:
    import mlflow

    mlflow.set_tracking_uri(tracking_uri(url, all_vendors()["oracle-aidp"].resources))
    runs = mlflow.search_runs(experiment_ids=["1"], output_format="list")
    yield from (run.info.run_id for run in runs)


def _ncloud(url: str, size: int) -> Keys:
    from ncloud_vserver import ApiClient, Configuration

    class Client(ApiClient):
        def update_params_for_auth(self, method: Any, path: Any, headers: Any, *rest: Any) -> None:
            super().update_params_for_auth(method, path, headers, *rest)
            headers["x-ncp-apigw-signature-v2"] = headers.pop("x-ncp-apigw-signature-v1")

    configuration, keys = Configuration(), measure._keys("naver-nsml")
    configuration.host = f"{url}/nsml/v1"
    configuration.access_key, configuration.secret_key = keys["access_key"], keys["secret_key"]
    client, number, seen = Client(configuration), 1, 0
    while True:
        body, _, _ = client.call_api(
            "/projects/runs",
            "GET",
            query_params=[("page", str(number)), ("pageSize", str(size))],
            header_params={"x-ncp-apigw-api-key": keys["api_key"], "Content-Type": "application/json"},
            auth_settings=["x-ncp-iam"],
            response_type="object",
        )
        yield from (f"{run['projectId']}/{run['runName']}" for run in body["runList"])
        number, seen = number + 1, seen + len(body["runList"])
        if not body["runList"] or seen >= body["totalCount"]:
            return


def _foundry(oauth: bool) -> Callable[[str, int], Keys]:
    def walk(url: str, size: int) -> Keys:
        from foundry_sdk import Config, FoundryClient

        auth = measure._foundry_auth(oauth)
        client = FoundryClient(auth, url.removeprefix("http://"), config=Config(scheme="http"))
        try:
            for run in client.models.ModelStudio.Run.list(measure._studio(), page_size=size, preview=True):
                yield run.build_rid
        finally:
            if oauth:
                auth._stop_refresh_event.set()

    return walk


def _foundry_async(url: str, size: int) -> Keys:
    from foundry_sdk import AsyncFoundryClient, Config

    async def ask() -> list[str]:
        host, config = url.removeprefix("http://"), Config(scheme="http")
        runs = AsyncFoundryClient(measure._foundry_auth(False), host, config=config, preview=True)
        listed = runs.models.ModelStudio.Run
        try:
            return [run.build_rid async for run in listed.list(measure._studio(), page_size=size, preview=True)]
        finally:
            await listed._api_client._client.aclose()

    yield from asyncio.run(ask())


_LOOP, _ITERATOR = "the documented loop", "its own iterator"
SDKS: Sequence[Sdk] = (
    Sdk("alibabacloud_aiworkspace20210204", "alibaba-pai", "token", f"{_LOOP}, by token", _alibaba_by_token),
    Sdk("alibabacloud_aiworkspace20210204", "alibaba-pai", "page", f"{_LOOP}, by page number", _alibaba_by_number),
    Sdk("aidp-python-client", "oracle-aidp", "token", _LOOP, _aidp),
    Sdk("mlflow-skinny", "oracle-aidp", "token", "`mlflow.search_runs`", _mlflow),
    Sdk("ncloud-vserver", "naver-nsml", "page", _LOOP, _ncloud),
    Sdk("foundry-platform-sdk", "palantir-foundry", "token", f"{_ITERATOR}, user token", _foundry(False)),
    Sdk(
        "foundry-platform-sdk",
        "palantir-foundry",
        "token",
        f"{_ITERATOR}, OAuth client",
        _foundry(True),
        only="auth_expiry_mid_walk",
    ),
    Sdk("foundry-platform-sdk", "palantir-foundry", "token", f"{_ITERATOR}, async", _foundry_async),
)


def walked(app: App, url: str, entry: str, sdk: Sdk) -> dict[str, Any]:
    """Shape: `verdict`, `requests`, and `raises` where it ends with an exception."""
    space = app.emulator.space("default")
    space.load(app.emulator.store(scenario(entry)))
    budget = Fault({"when": {"vendor": sdk.vendor, "calls": [BUDGET + 1, 2**31]}, "refuse": "bad_request"})
    space.faults.insert(0, budget)
    error: Exception | None = None
    try:
        keys = list(sdk.list(url, SIZES.get(entry, 10)))
    except Exception as raised:
        error, keys = raised, None
    asked = sum(item.endpoint != "GetToken" for item in space.journal)
    told = "loops" if budget.fired else judge(keys, lived(app, sdk.vendor), str(error or ""))
    raised_as = {"raises": type(error).__name__} if told == "raises" else {}
    return {"verdict": told, **raised_as, "requests": asked - budget.fired}


def measured() -> Mapping[str, Any]:
    """The content of the golden file."""
    found: dict[str, Any] = {}
    with TemporaryDirectory() as folder, measure._alone():
        app = App(Emulator(all_vendors(), "quickstart", Options(cache=Path(folder))))
        with Edge(app, refuser(app.emulator)) as server:
            for entry in ENTRIES:
                able = [sdk for sdk in SDKS if sdk.only in ("", entry) and not reason(entry, sdk.vendor, sdk.style)]
                found[entry] = {f"{sdk.name}, {sdk.how}": walked(app, server.url, entry, sdk) for sdk in able}
    packages = dict.fromkeys(sdk.name for sdk in SDKS)
    return {"versions": {name: version(name) for name in packages}, "entries": found}


if __name__ == "__main__":
    print(json.dumps(measured(), indent=1))
