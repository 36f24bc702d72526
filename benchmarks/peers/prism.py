"""Prism, Stoplight's mock server for OpenAPI documents."""

from __future__ import annotations

import json
from dataclasses import replace

from benchmarks import asks
from benchmarks.peers.peer import Peer, Place


def prism(place: Place) -> Peer:
    """`prism mock` of a small document; `Prefer: example=...` chooses the page."""
    document = place.file("prism/openapi.json", json.dumps(_document(place)))
    program = place.script("prism")
    pages = {"page-50": asks.page(50), "page-10": asks.page(10)}
    named = {name: replace(ask, headers={**ask.headers, "Prefer": f"example={name}"}) for name, ask in pages.items()}
    return Peer(
        "Prism",
        place.npm_version("@stoplight/prism-cli"),
        lambda port: [
            program,
            "mock",
            str(document),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--verboseLevel",
            "silent",
        ],
        named,
    )


def _document(place: Place) -> object:
    examples = {name: {"value": json.loads(body)} for name, body in place.pages.items()}
    query = [
        {"name": "MaxResults", "in": "query", "schema": {"type": "integer"}},
        {"name": "Verbose", "in": "query", "schema": {"type": "boolean"}},
    ]
    answer = {
        "description": "One page.",
        "content": {"application/json": {"schema": {"type": "object"}, "examples": examples}},
    }
    operation = {"operationId": "ListRuns", "parameters": query, "responses": {"200": answer}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "One page of runs", "version": "1"},
        "paths": {"/api/v1/runs": {"get": operation}},
    }
