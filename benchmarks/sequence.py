"""The fixed requests of the hot path, as bytes into one connection of our own server, without a socket.

Everything between a client's bytes and ours is in it: the parser, the application, the engine, the schema check, the
journal, the walk ledger. Nothing else is: neither the kernel nor the event loop.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from localruns.engine.emulator import Emulator, Options
from localruns.surfaces.edge.connection import Connection
from localruns.surfaces.edge.shared import Site, base_environ
from localruns.surfaces.http import App, is_slow, refuser
from localruns.vendors import all_vendors

ROWS = 1_000
SCENARIO = f"""
scenario: hotpath
seed: 7
vendors:
  alibaba-pai: {{runs: [{{generate: {ROWS}}}]}}
  oracle-aidp: {{runs: [{{generate: {ROWS}}}]}}
  naver-nsml: {{runs: [{{generate: {ROWS}}}]}}
  palantir-foundry: {{runs: [{{generate: {ROWS}}}]}}
"""
PLATFORM = "ocid1.aidataplatform.oc1.iad.localruns"
SEARCH = f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/default/mlops/api/2.0/mlflow/runs/search"
STUDIO = "/api/v2/models/modelStudios/ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890/runs"
KEYS = {
    "alibaba-pai": "Authorization: ACS3-HMAC-SHA256 Credential=LTAI5tLocalruns00000001,SignedHeaders=host,Signature=00",
    "oracle-aidp": "Authorization: Bearer localruns-token\r\nContent-Type: application/json",
    "naver-nsml": "x-ncp-apigw-timestamp: 1\r\nx-ncp-iam-access-key: LOCALRUNSACCESSKEY01\r\n"
    "x-ncp-apigw-api-key: LOCALRUNSAPIKEY0001\r\nx-ncp-apigw-signature-v2: 00\r\nContent-Type: application/json",
    "palantir-foundry": "Authorization: Bearer localruns-token",
}
SORTED = "Verbose=true&MaxResults=50&OrderBy=Name%20ASC,GmtCreateTime%20DESC&WorkspaceId=145883"
FILTERED = {
    "experiment_ids": ["1", "2"],
    "max_results": 50,
    "filter": "attributes.status = 'FINISHED' AND metrics.rmse > 0.5",
    "order_by": ["metrics.rmse DESC", "attributes.start_time ASC"],
}

Ask = Callable[[bytes], bytes]


class Client:
    """A connection to the application, from inside. It stands where the event loop and the transport would."""

    def __init__(self, app: App) -> None:
        base = base_environ("127.0.0.1", 80, tls=False, threads=True)
        site = Site(app, refuser(app.emulator), is_slow, base, lambda job: job(), lambda: None)
        self._written: list[bytes] = []
        loop: Any = self
        self._connection = Connection(site, loop)
        transport: Any = self
        self._connection.connection_made(transport)

    def ask(self, request: bytes) -> bytes:
        """The answer to one request."""
        self._connection.data_received(request)
        answer = b"".join(self._written)
        self._written.clear()
        return answer

    def write(self, data: bytes) -> None:
        """Take what the server sends."""
        self._written.append(data)

    def writelines(self, parts: list[bytes]) -> None:
        """Take what the server sends in pieces."""
        self._written += parts

    def is_closing(self) -> bool:
        """Never."""
        return False

    def time(self) -> float:
        """The event loop's clock, which stands still."""
        return 0.0

    def call_later(self, *_: Any) -> asyncio.Handle | None:
        """Nothing is done later."""

    def get_extra_info(self, _name: str) -> None:
        """Nothing is known of the other side."""

    def set_write_buffer_limits(self, high: int) -> None:
        """All is taken at once."""

    def call_soon_threadsafe(self, act: Callable[..., None], *given: Any) -> None:
        """There is one thread only."""
        act(*given)

    def pause_reading(self) -> None:
        """Nothing comes unasked."""

    resume_reading = pause_reading


def application(cache: Path) -> App:
    """The application over 1,000 rows of each vendor, its snapshot kept in `cache`."""
    return App(Emulator(all_vendors(), (SCENARIO, "hotpath"), Options(cache=cache)))


def get(vendor: str, target: str, more: str = "") -> bytes:
    """A GET request; without `vendor` it carries no credentials."""
    head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
    return f"{head}{KEYS[vendor] + chr(13) + chr(10) if vendor else ''}{more}\r\n".encode()


def search(body: dict[str, Any], *, key: bool = True) -> bytes:
    """A search as the MLflow client sends it."""
    content, keys = orjson.dumps(body), KEYS["oracle-aidp"] if key else "Content-Type: application/json"
    head = (
        f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n{keys}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def cases(client: Client) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """(name, next request) of each case; a request may differ from the one before it."""
    number = count(1)
    alibaba, studio = "/api/v1/runs?", STUDIO + "?preview=true&"
    naver = "/nsml/v1/projects/runs?"
    requests = {
        "alibaba-pai first page": get("alibaba-pai", alibaba + "Verbose=true&MaxResults=50"),
        "alibaba-pai ten rows": get("alibaba-pai", alibaba + "Verbose=true&MaxResults=10"),
        "alibaba-pai next page": get("alibaba-pai", alibaba + "Verbose=true&MaxResults=50&PageToken=50"),
        "alibaba-pai sorted": get("alibaba-pai", alibaba + SORTED),
        "alibaba-pai refused": get("", alibaba + "Verbose=true&MaxResults=50"),
        "oracle-aidp first page": search({"experiment_ids": ["1", "2"], "max_results": 50}),
        "oracle-aidp filtered": search(FILTERED),
        "oracle-aidp refused": search(FILTERED, key=False),
        "naver-nsml first page": get("naver-nsml", naver + "page=1&pageSize=50"),
        "naver-nsml next page": get("naver-nsml", naver + "page=2&pageSize=50"),
        "naver-nsml refused": get("", naver + "page=1&pageSize=50"),
        "palantir-foundry first page": get("palantir-foundry", studio + "pageSize=50"),
        "palantir-foundry filtered": get("palantir-foundry", studio + "pageSize=50&configVersion=1"),
        "palantir-foundry refused": get("", studio + "pageSize=50"),
    }
    first = client.ask(requests["oracle-aidp first page"])
    token = orjson.loads(first.partition(b"\r\n\r\n")[2])["next_page_token"]
    body = {"experiment_ids": ["1", "2"], "max_results": 50, "page_token": token}
    requests["oracle-aidp next page"] = search(body)
    first = client.ask(requests["palantir-foundry first page"])
    token = orjson.loads(first.partition(b"\r\n\r\n")[2])["nextPageToken"]
    requests["palantir-foundry next page"] = get("palantir-foundry", f"{studio}pageSize=50&pageToken={token}")
    for name, request in sorted(requests.items()):
        yield name, lambda request=request: request
    # What no cache can know: another page, another signature, another time, with each request.
    signed = "Authorization: ACS3-HMAC-SHA256 Credential=LTAI5tLocalruns00000001,SignedHeaders=host,Signature="

    def unlike() -> bytes:
        mark = next(number)
        return get("", f"{alibaba}Verbose=true&MaxResults=50&PageToken={mark}", f"{signed}{mark:064x}\r\n")

    yield "alibaba-pai unlike any before", unlike


def expected_status(name: str) -> re.Pattern[bytes]:
    """How the answer to a case begins."""
    return re.compile(rb"HTTP/1.1 4\d\d " if name.endswith("refused") else rb"HTTP/1.1 200 ")
