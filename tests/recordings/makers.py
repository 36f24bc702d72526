"""Exchanges and HAR files made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from localruns.engine.recorded.exchange import Exchange, reply_from, request_from

STUDIO = "ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890"
AUTH = [("authorization", "ACS3-HMAC-SHA256 Credential=LTAI5tLocalruns00000001,SignedHeaders=host,Signature=00")]
Row = dict[str, Any]


def run(number: int, **more: Any) -> Row:
    """A run of alibaba-pai; those with smaller numbers are newer."""
    created = f"2026-01-{28 - number:02}T08:00:00.000Z"
    row = {"RunId": f"run-{number}", "Name": f"wide-net-{number}", "ExperimentId": "exp-1", "WorkspaceId": "145883"}
    return {**row, "GmtCreateTime": created, "GmtModifiedTime": created, **more}


def page(rows: Iterable[Row], token: int, total: int | None = None, **asked: Any) -> Exchange:
    """A good answer of alibaba-pai; `token` is the one it gives out."""
    content: dict[str, Any] = {"requestId": "R", "Runs": list(rows), "NextPageToken": token}
    if total is not None:
        content["TotalCount"] = total
    return alibaba(200, content, **asked)


def refused(status: int, code: str, headers: Mapping[str, str] | None = None, **asked: Any) -> Exchange:
    """An error of alibaba-pai."""
    content = {"RequestId": "R", "HostId": "aiworkspace.cn-hangzhou.aliyuncs.com", "Code": code, "Message": "No."}
    return alibaba(status, content, headers or {}, **asked)


def alibaba(status: int, content: Any, headers: Mapping[str, str] | None = None, **asked: Any) -> Exchange:
    """An exchange of alibaba-pai's ListRuns."""
    request = request_from("GET", f"/api/v1/runs?{urlencode(asked)}", AUTH)
    told = [("content-type", "application/json"), *(headers or {}).items()]
    return Exchange(request, reply_from(status, told, json.dumps(content).encode()), "2026-02-01T08:00:00Z", 20.0)


def entry(exchange: Exchange, url: str = "https://aiworkspace.cn-hangzhou.aliyuncs.com", **more: Any) -> dict[str, Any]:
    """The exchange as an entry of a HAR file, with as little in it as there may be."""
    request, reply = exchange.request, exchange.reply
    asked: dict[str, Any] = {"method": request.method, "url": url + request.target, "headers": named(request.headers)}
    if request.body:
        asked["postData"] = {"mimeType": "application/json", "text": request.body.decode()}
    content = {"size": len(reply.body), "mimeType": "application/json", "text": reply.body.decode()}
    answered = {"status": reply.status, "headers": named(reply.headers), "content": content}
    return {"startedDateTime": exchange.at, "time": exchange.took_ms, "request": asked, "response": answered, **more}


def named(headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Headers as a HAR file has them."""
    return [{"name": name, "value": value} for name, value in headers]


def har(path: Path, entries: Iterable[Any], start: bytes = b"") -> Path:
    """A HAR file."""
    log = {"version": "1.2", "creator": {"name": "by hand", "version": "1"}, "entries": list(entries)}
    path.write_bytes(start + json.dumps({"log": log}).encode())
    return path
