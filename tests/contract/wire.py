"""One request into an application as our own server hands it over, and an answer held against a document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator

from localruns.surfaces.edge.wsgi import add_body, add_request, header_part
from localruns.surfaces.http import App

PROBLEM = "application/problem+json"
TYPES = {
    "alibaba-pai": "application/json;charset=utf-8",
    "oracle-aidp": "application/json",
    "naver-nsml": "application/json;charset=UTF-8",
    "palantir-foundry": "application/json",
}


@dataclass(frozen=True)
class Sent:
    """A request. Shape: `target` the raw request target; texts hold a byte per character."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Got:
    """An answer, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The content type, "" when there is none."""
        return self.headers.get("content-type", "")


def send(app: App, sent: Sent) -> Got:
    """The answer of an application, without a socket."""
    environ: dict[str, Any] = {
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": "",
        "wsgi.url_scheme": "http",
    }
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.headers]
    environ |= header_part(fields)
    add_request(environ, sent.method.encode(), sent.target, "1.1")
    add_body(environ, sent.body)
    head: list[Any] = []
    answer = app.wsgi_app(environ, lambda status, headers, *_: head.extend((status, headers)) or (lambda data: None))
    body = b"".join(answer)
    getattr(answer, "close", bool)()
    return Got(int(head[0].split()[0]), {name.lower(): value for name, value in head[1]}, body)


class Documented:
    """What an OpenAPI document allows."""

    def __init__(self, vendor: str, document: dict[str, Any]) -> None:
        self.vendor = vendor
        self.document = document
        self.operations = [
            (method.upper(), re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), operation)
            for path, item in document["paths"].items()
            for method, operation in item.items()
        ]
        self.checked = 0

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """The operation of a request, None for a path or method that is not in the document."""
        found = (each for verb, pattern, each in self.operations if verb == method and pattern.fullmatch(path))
        return next(found, None)

    def check(self, sent: Sent, path: str, got: Got) -> None:
        """Assert that the answer is one of those described. `path` is the target's, without namespace and query."""
        operation = self.operation(sent.method, path)
        responses = operation["responses"] if operation else self._beside()
        assert str(got.status) in responses, f"{got.status} is not described: {got.body[:300]!r}"
        response = self._resolved(responses[str(got.status)])
        content = response.get("content", {})
        assert int(got.headers["content-length"]) == len(got.body) or sent.method == "HEAD"
        if sent.method == "HEAD" or not got.body:
            empty = not content or "no body" in response["description"]
            assert sent.method == "HEAD" or (empty and not got.kind), f"an empty body is not described for {got.status}"
            return
        plain = got.kind.partition(";")[0]
        assert plain in content, f"{got.kind} is not described for {got.status}"
        assert got.kind == (PROBLEM if plain == PROBLEM else TYPES[self.vendor])
        self._check_headers(response, got, plain)
        self._check_body(json.dumps(content[plain]["schema"]), json.loads(got.body))

    def _beside(self) -> dict[str, Any]:
        """What a path that is no operation can be answered with: anything but a good answer."""
        return {
            status: {"$ref": f"#/components/responses/{status}"} for status in self.document["components"]["responses"]
        }

    def _check_headers(self, response: dict[str, Any], got: Got, plain: str) -> None:
        for name, header in response.get("headers", {}).items():
            given = got.headers.get(name.lower())
            assert given is not None or not header["required"], f"{name} is missing"
            if given is not None and plain != PROBLEM and header["schema"].get("type") == "integer":
                assert int(given) >= header["schema"].get("minimum", int(given)), name

    def _check_body(self, schema: str, body: Any) -> None:
        """By the fast checker, and every fiftieth time by the slow one."""
        fast, slow = self._checkers(schema)
        found = next(iter(fast.iter_errors(body)), None)
        assert found is None, f"{found}"
        self.checked += 1
        if self.checked % 50 == 0:
            slow.validate(body)

    @cache  # noqa: B019
    def _checkers(self, schema: str) -> tuple[Any, Any]:
        whole = {**json.loads(schema), "components": self.document["components"]}
        slow = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
        return jsonschema_rs.Draft202012Validator(whole, validate_formats=True), slow

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        return self.document["components"]["responses"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
