"""How the reference clients send a request: over Werkzeug's test client, or over real HTTP with httpx."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.clients.pagers import SEARCH, STUDIO

PATHS = {
    "alibaba-pai": "/api/v1/runs",
    "oracle-aidp": SEARCH,
    "naver-nsml": "/nsml/v1/projects/runs",
    "palantir-foundry": f"/api/v2/models/modelStudios/{STUDIO}/runs",
}
Row = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """Asks for a page.

    Shape: `asked` goes into the query of a GET, and is the body of a POST; `credential` is whatever the vendor knows.
    """

    vendor: str
    asked: Mapping[str, Any]
    credential: str

    @property
    def method(self) -> str:
        return "POST" if self.vendor == "oracle-aidp" else "GET"

    @property
    def target(self) -> str:
        path = PATHS[self.vendor]
        return f"{path}?{urlencode(self.asked)}" if self.method == "GET" and self.asked else path

    @property
    def body(self) -> bytes:
        return json.dumps(self.asked).encode() if self.method == "POST" else b""

    @property
    def headers(self) -> dict[str, str]:
        """What stands for credentials; signatures are left to the SDKs, so these are for the mode `present`."""
        kind = {"Content-Type": "application/json"}
        if self.vendor == "alibaba-pai":
            signed = f"ACS3-HMAC-SHA256 Credential={self.credential},SignedHeaders=host,Signature=00"
            return {"Authorization": signed}
        if self.vendor == "naver-nsml":
            names = ("x-ncp-apigw-timestamp", "x-ncp-apigw-api-key", "x-ncp-apigw-signature-v2")
            return {**kind, "x-ncp-iam-access-key": self.credential, **dict.fromkeys(names, "1")}
        return {**kind, "Authorization": f"Bearer {self.credential}"}


@dataclass(frozen=True)
class Answer:
    """Shape: `body` is the parsed JSON."""

    status: int
    body: Any


Send = Callable[[Request], Answer]


class Refused(Exception):
    """An answer that is not a 200."""


def over_werkzeug(client: Any) -> Send:
    """In process."""

    def send(request: Request) -> Answer:
        answer = client.open(request.target, method=request.method, headers=request.headers, data=request.body)
        return Answer(answer.status_code, json.loads(answer.get_data()))

    return send


def over_httpx(client: Any) -> Send:
    """Over the wire; the client has a `base_url`."""

    def send(request: Request) -> Answer:
        answer = client.request(request.method, request.target, headers=request.headers, content=request.body)
        return Answer(answer.status_code, answer.json())

    return send


def get(send: Send, request: Request) -> Any:
    """The body. Raises Refused."""
    answer = send(request)
    if answer.status != 200:
        raise Refused(f"{answer.status}: {answer.body}")
    return answer.body
