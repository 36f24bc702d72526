"""Mockoon's command line."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid5

from benchmarks import asks
from benchmarks.asks import Ask
from benchmarks.peers.peer import JSON_TYPE, Peer, Place


def mockoon(place: Place) -> Peer:
    """`mockoon-cli start` with one route, whose rules choose the page; templating and its log file are off."""
    program = place.script("mockoon-cli")
    pages = {"page-50": asks.page(50), "page-10": asks.page(10)}
    responses = [_response(name, ask, place.pages[name]) for name, ask in pages.items()]
    environment = place.file("mockoon/environment.json", json.dumps(_environment(pages["page-50"], responses)))
    run = [program, "start", "--data", str(environment), "--hostname", "127.0.0.1", "--disable-log-to-file", "--repair"]
    return Peer("Mockoon", place.npm_version("@mockoon/cli"), lambda port: [*run, "--port", str(port)], pages)


def _environment(ask: Ask, responses: list[object]) -> object:
    route = {
        "uuid": _id("route"),
        "type": "http",
        "method": "get",
        "endpoint": urlsplit(ask.path).path.lstrip("/"),
        "responses": responses,
    }
    return {
        "uuid": _id("environment"),
        "lastMigration": 33,
        "name": "pages",
        "hostname": "127.0.0.1",
        "routes": [route],
        "rootChildren": [{"type": "route", "uuid": _id("route")}],
        "cors": False,
    }


def _response(name: str, ask: Ask, body: bytes) -> object:
    rules = [
        {"target": "query", "modifier": key, "value": values[0], "invert": False, "operator": "equals"}
        for key, values in parse_qs(urlsplit(ask.path).query).items()
    ]
    return {
        "uuid": _id(name),
        "body": body.decode(),
        "bodyType": "INLINE",
        "statusCode": 200,
        "headers": [{"key": "Content-Type", "value": JSON_TYPE}],
        "rules": rules,
        "rulesOperator": "AND",
        "disableTemplating": True,
        "default": name == "page-50",
    }


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"localruns/benchmarks/{name}"))
