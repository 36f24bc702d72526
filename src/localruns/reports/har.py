"""The journal as a HAR 1.2 archive, for the network panels of browsers and for other tools.

**Source**: HTTP Archive (HAR) 1.2 Spec. Secrets are left out; keys of our own begin with `_`, as the format asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import localruns
from localruns.engine.journal import Entry
from localruns.engine.message import Reply, Request
from localruns.reports import secrets
from localruns.reports.words import answered, asked, why

Node = dict[str, Any]
_UNKNOWN = -1


def archive(entries: Iterable[Entry], base: str, evicted: int = 0) -> Node:
    """The archive of these entries. `base` is scheme and host of the server; `evicted` entries gave way before."""
    log: Node = {"version": "1.2", "creator": {"name": "localruns", "version": localruns.__version__}}
    if evicted:
        log["comment"] = f"{evicted} earlier requests gave way and are not in here"
    return {"log": {**log, "entries": [_entry(entry, base) for entry in entries]}}


def url_of(request: Request, base: str) -> str:
    """The URL of a request, secrets left out."""
    target = secrets.target(request.target)
    return base + target if target.startswith("/") else target


def _entry(entry: Entry, base: str) -> Node:
    reason = why(entry)
    return {
        "startedDateTime": entry.at.isoformat().replace("+00:00", "Z"),
        "time": round(entry.took_ms, 3),
        "request": _request(entry.request, base),
        "response": _response(entry, entry.reply or Reply(0)),
        "cache": {},
        "timings": {"send": 0, "wait": round(entry.took_ms, 3), "receive": 0},
        "comment": f"{asked(entry)} -> {answered(entry)}" + (f", because {reason}" if reason else ""),
        "_id": entry.id,
        "_vendor": entry.vendor,
        "_endpoint": entry.endpoint,
    }


def _request(request: Request, base: str) -> Node:
    node: Node = {
        "method": request.method,
        "url": url_of(request, base),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs((name, secrets.header(name, value)) for name, value in request.headers),
        "queryString": _pairs(
            (n, secrets.GONE if value and secrets.is_secret(n) else value) for n, value in request.args
        ),
        "headersSize": _UNKNOWN,
        "bodySize": len(request.body),
    }
    if request.body:
        text = secrets.body(request)
        node["postData"] = {"mimeType": request.header("content-type") or "", "text": text or ""}
        if text is None:
            node["postData"]["comment"] = "the body is not UTF-8 text"
    return node


def _response(entry: Entry, reply: Reply) -> Node:
    mime = reply.content_type if reply.content is not None else "x-unknown"
    headers = [("Content-Type", mime)] if reply.content is not None else []
    known = reply.status in HTTPStatus._value2member_map_
    body = _content(entry, reply, mime)
    return {
        "status": reply.status,
        "statusText": HTTPStatus(reply.status).phrase if known else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs([*headers, *((name, secrets.header(name.lower(), value)) for name, value in reply.headers)]),
        "content": body,
        "redirectURL": "",
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN if entry.outlined else body["size"],
    }


def _content(entry: Entry, reply: Reply, mime: str) -> Node:
    if entry.outlined:
        return {"size": 0, "mimeType": mime, "comment": f"its {entry.outlined} rows are no longer kept"}
    shown = replace(reply, content=secrets.content(reply.content)).body.decode()
    return {"size": len(reply.body), "mimeType": mime, "text": secrets.without(shown, entry.request)}


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[Mapping[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
