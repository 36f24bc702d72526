"""One request and what a real platform answered to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from localruns.engine.message import Reply, Request, parse_query

Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded exchange.

    Shape: `reply.raw` the body as it came, decompressed; `at` when the request was sent, "" where that is unknown;
    `failed` why the platform did not answer at all, the reply then being the recorder's own. Units: milliseconds.
    """

    request: Request
    reply: Reply
    at: str = ""
    took_ms: float = 0.0
    failed: str = ""


def request_from(method: str, target: str, headers: Headers = (), body: bytes = b"") -> Request:
    """The request of these parts; header names in lower case, `target` with the query as it was sent."""
    path, _, query = target.partition("?")
    args, undecodable = parse_query(query)
    lowered = tuple((name.lower(), value) for name, value in headers)
    path = "/" + path.lstrip("/")
    return Request(method.upper(), target, path, "", query, args, lowered, body, undecodable)


def reply_from(status: int, headers: Headers = (), body: bytes = b"") -> Reply:
    """The reply of these parts; header names in lower case."""
    return Reply(status, headers=tuple((name.lower(), value) for name, value in headers), raw=body)


def json_of(body: bytes) -> Any:
    """The JSON of a body, None when it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
