"""Asks an application anything, over the wire or in process, and tells what shape the answer has."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from localruns.surfaces.http import App
from tests.clients.pagers import SEARCH, STUDIO

PREFIXES = {
    "alibaba-pai": ["/api/v1/"],
    "oracle-aidp": ["/20260430/", "/api/20260430/"],
    "naver-nsml": ["/nsml/"],
    "palantir-foundry": ["/api/v2/", "/multipass/"],
}
LISTS = {
    "alibaba-pai": ("GET", "/api/v1/runs"),
    "oracle-aidp": ("POST", SEARCH),
    "naver-nsml": ("GET", "/nsml/v1/projects/runs"),
    "palantir-foundry": ("GET", f"/api/v2/models/modelStudios/{STUDIO}/runs?preview=true"),
}
BODIES = {"oracle-aidp": b'{"experiment_ids": ["1"]}'}


class Answer(NamedTuple):
    """What came back. Shape: header names in lower case; `line` is the status line without the version."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def status(self) -> int:
        return int(self.line[:3])

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]


Ask = Callable[..., Answer]


def over_the_wire(base: str) -> Ask:
    """Ask a live server, with the request written as it is given."""
    where = (urlsplit(base).hostname, urlsplit(base).port)

    def ask(method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        fields = {"Host": "localhost", "Connection": "close", **(headers or {})}
        if body or method in ("POST", "PUT"):
            fields["Content-Length"] = str(len(body))
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in fields.items())
        with socket.create_connection(where, timeout=20) as sock:
            sock.sendall(head.encode("latin-1") + b"\r\n" + body)
            wire = b"".join(iter(lambda: sock.recv(1 << 16), b""))
        top, _, rest = wire.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        named = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines[1:]}
        return Answer(lines[0].partition(" ")[2], named, rest)

    return ask


def in_process(app: App) -> Ask:
    """Ask the application itself; the target goes in raw, past what Werkzeug would make of it."""
    client = app.test_client()

    def ask(method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        raw = {"REQUEST_METHOD": method, "REQUEST_URI": target, "QUERY_STRING": target.partition("?")[2]}
        answer = client.open("/", headers=headers, data=body, environ_overrides=raw)
        named = {key.lower(): value for key, value in answer.headers.items()}
        return Answer(answer.status, named, answer.data)

    return ask


def assert_vendor_shape(vendor: str, answer: Answer) -> None:
    """The body is that vendor's error, or empty where it sends none."""
    if vendor == "palantir-foundry" and not answer.body:
        return
    where = {"alibaba-pai": "Code", "oracle-aidp": "code", "naver-nsml": "error", "palantir-foundry": "errorName"}
    assert answer.kind == "application/json"
    assert where[vendor] in answer.json


def assert_problem(answer: Answer, status: int) -> dict[str, Any]:
    assert (answer.status, answer.kind) == (status, "application/problem+json")
    assert answer.json["status"] == status
    return answer.json
