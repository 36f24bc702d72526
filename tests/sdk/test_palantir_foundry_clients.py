"""What clients of `foundry-platform-sdk` meet: their settings, broken answers, rows, the operations beside the list."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from localruns import schemas
from localruns.surfaces.edge import Edge
from localruns.surfaces.http import App, refuser
from localruns.surfaces.tls import ca_file, tls_context
from localruns.vendors.palantir_foundry import STUDIO, VENDOR
from localruns.vendors.palantir_foundry.client import HELP
from tests.sdk.foundry_clients import CONFIDENTIAL, ask, auth, config, entries, foundry_sdk, gathered, sync

http_client = pytest.importorskip("foundry_sdk._core.http_client")
models = pytest.importorskip("foundry_sdk.v2.models.models")
pydantic = pytest.importorskip("pydantic")

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

EVERY = {"vendor": "palantir-foundry"}
OUTPUT = {"type": "model", "modelRid": "ri.models.main.model.m", "modelVersionRid": "ri.models.main.model-version.v"}
RUN = {
    "runId": "5e1f0a9c77b2",
    "buildRid": "ri.foundry-build.main.build.1",
    "jobRid": "ri.foundry-build.main.job.1",
    "configVersion": 2,
    "startedBy": "3d0c1c0e-6f0a-4b52-9a0e-0f5f6f1f2a10",
    "startedTime": "2025-03-04T05:06:07.089Z",
    "buildStatus": "SUCCEEDED",
    "resolvedOutputs": {"model": OUTPUT},
}


@pytest.mark.parametrize(
    ("options", "raw", "page", "requests"),
    [
        ({"max_retries": 2}, False, 1, 4),
        ({"max_retries": 1}, False, 1, 1),
        ({"propagate_qos": "PROPAGATE_429_AND_503_TO_CALLER"}, False, 1, 1),
        ({}, True, 1, 4),
        ({}, False, 2, 1 + 4),
    ],
)
def test_a_client_retries_as_often_as_it_is_told(
    foundry: Any, options: dict[str, Any], raw: bool, page: int, requests: int
) -> None:
    url, app = foundry(faults=[{"when": {**EVERY, "page": page}, "refuse": "throttled"}])
    runs = sync(url, **options)
    with pytest.raises(foundry_sdk.RateLimitError):
        list((runs.with_raw_response if raw else runs).list(STUDIO, page_size=10, preview=True))
    assert len(entries(app)) == requests


def test_the_sixteenth_attempt_at_the_first_page_still_counts(foundry: Any) -> None:
    url, app = foundry(faults=[{"when": EVERY, "refuse": "unavailable", "times": 15}])
    assert len(list(sync(url).list(STUDIO, preview=True))) == 25
    assert [entry.reply.status for entry in entries(app) if entry.reply] == [503] * 15 + [200]


@pytest.mark.parametrize(
    ("wire", "in_sync", "in_async"),
    [
        ({"empty_reply": True}, foundry_sdk.SDKInternalError, httpx.RemoteProtocolError),
        ({"truncate_body_after_bytes": 100}, foundry_sdk.SDKInternalError, httpx.RemoteProtocolError),
        ({"invalid_json": True}, foundry_sdk.SDKInternalError, json.JSONDecodeError),
    ],
)
@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_broken_answer_is_not_asked_for_again(
    foundry: Any, way: str, wire: dict[str, Any], in_sync: type[Exception], in_async: type[Exception]
) -> None:
    url, app = foundry(faults=[{"when": EVERY, "wire": wire}])
    with pytest.raises(in_sync if way == "sync" else in_async):
        ask(url, way)
    assert len(entries(app)) == 1


def test_a_wait_ends_with_the_clients_own_timeout(foundry: Any) -> None:
    url, app = foundry(faults=[{"when": EVERY, "wire": {"stall_after_bytes": 0}}])
    with pytest.raises(foundry_sdk.ReadTimeout):
        sync(url, timeout=0.2).list(STUDIO, preview=True)
    assert len(entries(app)) == 1


@pytest.mark.parametrize("form", ["http://{}", "https://{}/", "{}/ns/default", "http://{}/ns/default/"])
def test_the_scheme_comes_from_the_config_and_a_path_is_kept(foundry: Any, form: str) -> None:
    url, app = foundry(auth="verify")
    who = foundry_sdk.ConfidentialClientAuth(**CONFIDENTIAL, should_refresh=False)
    client = foundry_sdk.FoundryClient(auth=who, hostname=form.format(HELP.base(url)), config=config())
    assert len(list(client.models.ModelStudio.Run.list(STUDIO, preview=True))) == 25
    assert [entry.endpoint for entry in entries(app)] == ["GetToken", "ListModelStudioRuns"]


@pytest.mark.parametrize("trusted", [True, False])
def test_https_works_with_our_authority_in_the_config(foundry: Any, tmp_path: Path, trusted: bool) -> None:
    _, app = foundry(auth="verify")
    context, ca_pem = tls_context(tmp_path, ["127.0.0.1"])
    verify = str(ca_file(tmp_path)) if trusted else False
    with Edge(App(app.emulator, ca_pem), refuser(app.emulator), host="127.0.0.1", tls=context) as edge:
        assert len(list(sync(edge.url, scheme="https", verify=verify).list(STUDIO, preview=True))) == 25
        http_client._get_transport(verify=verify, proxy_url=None).close()


def test_an_async_list_asks_for_nothing_until_it_is_walked(foundry: Any) -> None:
    url, app = foundry()

    async def made() -> None:
        client = foundry_sdk.AsyncFoundryClient(auth=auth(), hostname=HELP.base(url), config=config(), preview=True)
        runs = client.models.ModelStudio.Run
        runs.list(STUDIO, preview=True)
        await runs._api_client._client.aclose()

    asyncio.run(made())
    assert entries(app) == []
    assert len(asyncio.run(gathered(url))) == 25


@pytest.mark.parametrize("way", ["with_raw_response", "with_streaming_response"])
def test_an_async_client_reads_raw_and_streaming_responses(foundry: Any, way: str) -> None:
    url, _ = foundry()

    async def read() -> Any:
        client = foundry_sdk.AsyncFoundryClient(auth=auth(), hostname=HELP.base(url), config=config(), preview=True)
        runs = client.models.ModelStudio.Run
        try:
            if way == "with_raw_response":
                return (await runs.with_raw_response.list(STUDIO, page_size=3, preview=True)).json()
            async with runs.with_streaming_response.list(STUDIO, page_size=3, preview=True) as streamed:
                return json.loads(b"".join([part async for part in streamed.aiter_bytes()]))
        finally:
            await runs._api_client._client.aclose()

    assert len(asyncio.run(read())["data"]) == 3


def test_each_page_is_asked_for_with_the_parameters_of_the_first(foundry: Any) -> None:
    url, app = foundry()
    page = sync(url).list(STUDIO, config_version=3, page_size=4, preview=True)
    token = page.next_page_token
    assert len(list(page)) > 4
    first, second = (entry.request.query for entry in entries(app)[:2])
    assert first == "configVersion=3&pageSize=4&preview=true"
    assert second == f"configVersion=3&pageSize=4&pageToken={token}&preview=true"


def test_headers_of_traces_and_of_the_config_are_let_through(foundry: Any) -> None:
    url, app = foundry()
    context = {
        foundry_sdk.TRACE_ID_VAR: "0123456789abcdef",
        foundry_sdk.SPAN_ID_VAR: "ab",
        foundry_sdk.SAMPLED_VAR: "1",
    }
    marks = {variable: variable.set(value) for variable, value in context.items()}
    try:
        runs = list(sync(url, default_headers={"X-Mine": "me"}).list(STUDIO, preview=True))
    finally:
        for variable, mark in marks.items():
            variable.reset(mark)
    assert len(runs) == 25
    names = ("x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-mine")
    (entry,) = entries(app)
    assert [entry.request.header(name) for name in names] == [*context.values(), "me"]


def test_an_error_has_an_id_and_its_description_when_the_scenario_says_so(foundry: Any) -> None:
    url, _ = foundry(settings={"error_description": True})
    ids = set()
    for _ in range(2):
        with pytest.raises(foundry_sdk.BadRequestError) as caught:
            sync(url).list(STUDIO)
        ids.add(uuid.UUID(caught.value.error_instance_id))
        assert caught.value.error_description == "This endpoint is in preview and asks for preview=true."
    assert len(ids) == 2


def test_an_expired_token_is_not_renewed_by_the_client(foundry: Any) -> None:
    url, app = foundry(auth="verify")
    runs = sync(url, foundry_sdk.ConfidentialClientAuth(**CONFIDENTIAL, should_refresh=False))
    runs.list(STUDIO, preview=True)
    app.emulator.space("default").clock.advance(3600)
    with pytest.raises(foundry_sdk.UnauthorizedError) as caught:
        runs.list(STUDIO, preview=True)
    assert (caught.value.name, caught.value.parameters) == ("Default:Unauthorized", {"error": "EXPIRED"})
    assert [entry.endpoint for entry in entries(app)] == ["GetToken", *["ListModelStudioRuns"] * 2]


def test_signing_in_a_person_ends_in_words(foundry: Any) -> None:
    url, _ = foundry()
    who = foundry_sdk.PublicClientAuth(
        client_id="x", redirect_url="http://localhost/", hostname=HELP.base(url), config=config()
    )
    answer = httpx.get(who.sign_in())
    assert answer.status_code == 501
    assert "Authorize is a real operation" in answer.json()["detail"]


ROWS = [
    {},
    {"buildStatus": None},
    {"startedTime": "2025-03-04T05:06:07.123456789+05:30"},
    {"startedBy": "3D0C1C0E-6F0A-4B52-9A0E-0F5F6F1F2A10"},
    {"resolvedOutputs": {}},
    {"resolvedOutputs": {"a b": {**OUTPUT, "experimentRid": None}, "c": {**OUTPUT, "newField": 1}}},
    {"configVersion": -1, "newField": [1, 2]},
]
NO_ROWS = [
    *({"startedTime": text} for text in ("2025-03-04T05:06:07", "2025-03-04", "2016-12-31T23:59:60Z")),
    *({"startedBy": text} for text in ("jane", "3d0c1c0e6f0a4b529a0e0f5f6f1f2a10", None)),
    *({"buildStatus": text} for text in ("CANCELLED", "QUEUED", "running", "")),
    *({"buildRid": text} for text in ("build-1", "ri.a.b.c", "ri.A.b.c.d", "ri.a.b.c.d e", "ri.a.b.c.d\n")),
    *({"configVersion": number} for number in (1.5, None)),
    *({"resolvedOutputs": {"m": output}} for output in (None, {**OUTPUT, "type": "dataset"}, {"type": "model"})),
    *({name: None} for name in ("runId", "jobRid", "startedTime", "resolvedOutputs")),
]


def test_each_row_that_may_be_sent_is_read_by_the_sdk(foundry: Any) -> None:
    rows = [{**RUN, "buildRid": f"ri.a..b.C_{number}", **odd} for number, odd in enumerate(ROWS)]
    url, _ = foundry(runs=rows)
    read = {run.build_rid: run for run in sync(url).list(STUDIO, preview=True)}
    assert set(read) == {row["buildRid"] for row in rows}
    for row in rows:
        known = read[row["buildRid"]].model_dump(by_alias=True, mode="json", exclude_unset=True)
        assert {name: known[name] for name in ("runId", "configVersion", "resolvedOutputs")} == {
            name: row[name] for name in ("runId", "configVersion", "resolvedOutputs")
        }


@pytest.mark.parametrize("odd", NO_ROWS, ids=str)
def test_what_the_sdk_cannot_read_is_never_sent(odd: dict[str, Any]) -> None:
    row = {**RUN, **odd}
    assert not schemas.validator("palantir-foundry/list-runs.json#/$defs/ModelStudioRun").is_valid(row)
    with pytest.raises(pydantic.ValidationError):
        models.ListModelStudioRunsResponse.model_validate({"data": [row]})


def operations() -> Iterator[tuple[str, str]]:
    """(method, path without the names of its variables) of each operation of the namespace, as the SDK has it."""
    for source in Path(models.__file__).parent.glob("*.py"):
        calls = re.findall(r'method="(\w+)",\s+resource_path="([^"]+)"', source.read_text("utf-8"))
        yield from ((method, re.sub(r"\{\w+\}", "{}", path)) for method, path in calls)


def test_the_neighbours_are_the_other_operations_of_the_sdk() -> None:
    served = [(endpoint.method, endpoint.path) for endpoint in (*VENDOR.endpoints, *VENDOR.neighbours)]
    models_only = [(method, path.removeprefix("/api")) for method, path in served if path.startswith("/api/v2/models")]
    ours = {(method, re.sub(r"(ri\.)?\{\w+\}", "{}", path)) for method, path in models_only}
    assert ours == set(operations())
