"""The WSGI side of the edge: a request becomes an environ, an application's answer becomes bytes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

from localruns.engine.waiting import NotNow

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from localruns.engine.faults.wire import WirePlan

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Refuse = Callable[[int, str, str], tuple[int, Headers, bytes]]
"""(status, raw request target or "", reason in words) -> status, headers, body"""

SHARED_BYTES = 500

logger = logging.getLogger("localruns.edge")


class Answer(NamedTuple):
    """Finished bytes for the wire; `close` is to be called once they are handed to the transport.

    Shape: `plan` is a wire fault that the application left in `environ["localruns.wire"]`, else None; `cut_short` is
    to be called before `close` when not all of the bytes are sent.
    """

    wire: bytes
    keep_alive: bool
    close: Callable[[], object]
    plan: WirePlan | None = None
    cut_short: Callable[[], object] = lambda: None


def nothing() -> None:
    """Close an answer that has nothing to close."""


@lru_cache(maxsize=1024)
def header_names(name: bytes) -> tuple[str, str]:
    """A header's lower-case name and its environ key; no key for `a_b`, which would pass for `a-b`."""
    plain = name.decode("latin-1").lower()
    if "_" in plain:
        return plain, ""
    key = plain.upper().replace("-", "_")
    return plain, key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


@lru_cache(maxsize=1024)
def framing(name: str) -> str:
    """The lower-case name of a header that the server itself has to do with, "" for all others."""
    lower = name.lower()
    return lower if lower in ("connection", "content-length", "date") else ""


def header_field(name: bytes, value: bytes) -> tuple[tuple[str, str], str]:
    """A header as (lower-case name, value), and its environ key. Clients repeat theirs, so they share one copy."""
    return (_shared_field if len(value) <= SHARED_BYTES else _field)(name, value)


def _field(name: bytes, value: bytes) -> tuple[tuple[str, str], str]:
    plain, key = header_names(name)
    return (plain, value.decode("latin-1").rstrip(" \t")), key


_shared_field = lru_cache(maxsize=2048)(_field)


@lru_cache(maxsize=4)
def http_date(second: int) -> str:
    """A `Date` header's value. Units: seconds since 1970."""
    return formatdate(second, usegmt=True)


@lru_cache(maxsize=64)
def status_text(status: int) -> str:
    """`404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} "


def split_target(target: str) -> tuple[str, str]:
    """PATH_INFO and QUERY_STRING of a raw request target, of `http://host/path?query` too."""
    target = target.partition("#")[0]
    path, _, query = target.partition("?")
    if not path.startswith("/") and "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    if "%" in path:
        path = unquote_to_bytes(path).decode("latin-1")
    return path, query


def header_part(fields: list[tuple[bytes, bytes]]) -> Environ:
    """What headers come to in an environ. Shape: `localruns.headers` holds pairs of lower-case name and value."""
    part: Environ = {}
    headers = []
    for name, value in fields:
        field, key = header_field(name, value)
        headers.append(field)
        if key in part:
            part[key] += "," + field[1]
        elif key:
            part[key] = field[1]
    part["localruns.headers"] = tuple(headers)
    return part


def add_request(environ: Environ, method: bytes, target: str, version: str) -> None:
    """Write the first line of a request into an environ that has its headers."""
    environ["REQUEST_METHOD"] = method.decode("latin-1")
    environ["REQUEST_URI"] = environ["RAW_URI"] = target
    environ["PATH_INFO"], environ["QUERY_STRING"] = split_target(target)
    environ["SERVER_PROTOCOL"] = "HTTP/" + version


def add_body(environ: Environ, body: bytes) -> None:
    """Write the body of a request into its environ; a chunked one has its length from now on."""
    environ["localruns.body"] = body
    environ["wsgi.input"] = BytesIO(body)
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))


def respond(app: WSGIApplication, refuse: Refuse, environ: Environ, keep_alive: bool) -> Answer:
    """Call the application and encode what it answers; an exception of its becomes a 500. Raises NotNow."""
    close: Callable[[], object] = nothing
    try:
        status, headers, parts, close = collect(app, environ)
        wire, keep_alive = encode(environ, status, headers, parts, keep_alive)
        cut_short = environ.get("localruns.cut_short", nothing)
        return Answer(wire, keep_alive, close, environ.get("localruns.wire"), cut_short)
    except NotNow:
        raise
    except BaseException:  # sys.exit() in an application must not end the server either
        logger.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        close_quietly(close)
        return refusal(refuse, environ, 500, "the server failed to answer this request", keep_alive)


def collect(app: WSGIApplication, environ: Environ) -> tuple[str, Headers, list[bytes], Callable[[], object]]:
    """Call the application and read its answer to the end: status, headers, body parts, close."""
    started: list[tuple[str, Headers]] = []
    parts: list[bytes] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None, /) -> Callable[[bytes], object]:
        if started and exc_info is None:
            raise RuntimeError("start_response was called twice")
        started[:] = [(status, headers)]
        return parts.append

    chunks: Iterable[bytes] = app(environ, start_response)
    close: Callable[[], object] = getattr(chunks, "close", nothing)
    try:
        parts.extend(chunks)
        status, headers = started[0]
    except BaseException:
        close_quietly(close)
        raise
    return status, headers, parts, close


def close_quietly(close: Callable[[], object]) -> None:
    """Close an application's iterable; the answer is on its way, so a failure is only logged."""
    try:
        close()
    except Exception:
        logger.exception("close() of an answer failed")


def refusal(refuse: Refuse, environ: Environ, status: int, reason: str, keep_alive: bool = False) -> Answer:
    """The product's own words for a request that no application answered.

    Shape: of `environ` only REQUEST_METHOD, RAW_URI and SERVER_PROTOCOL are read.
    """
    try:
        code, headers, body = refuse(status, environ["RAW_URI"], reason)
        wire, keep_alive = encode(environ, status_text(code), headers, [body], keep_alive)
    except Exception:
        logger.exception("the refusal %s (%s) could not be put into words", status, reason)
        plain = [("Content-Type", "text/plain; charset=utf-8")]
        wire, keep_alive = encode(environ, status_text(500), plain, [b"localruns failed\n"], False)
    return Answer(wire, keep_alive, nothing)


def encode(environ: Environ, status: str, headers: Headers, parts: list[bytes], keep_alive: bool) -> tuple[bytes, bool]:
    """Head and body, which comes in parts, as one piece of bytes, and whether the connection can stay open after it.

    Raises: ValueError for a line break or a character beyond latin-1 in the head.
    """
    lines = [f"HTTP/1.1 {status}\r\n"]
    bodiless = status.startswith(("204", "304"))
    length = date = None
    for name, value in headers:
        if kind := framing(name):
            if kind == "connection":
                keep_alive = keep_alive and value.lower() != "close"
                continue
            if kind == "date":
                date = value
            else:
                length = value
                if status.startswith("204"):
                    continue
        lines.append(f"{name}: {value}\r\n")
    silent = bodiless or environ["REQUEST_METHOD"] == "HEAD"
    size = sum(map(len, parts))
    if length is None and (size or not silent) and not bodiless:
        lines.append(f"Content-Length: {size}\r\n")
    elif length is not None and not silent and length != str(size):
        keep_alive = False  # a length that is wrong ends with the connection
    if date is None:
        lines.append(f"Date: {http_date(int(time.time()))}\r\n")
    if not keep_alive:
        lines.append("Connection: close\r\n")
    elif environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        lines.append("Connection: keep-alive\r\n")
    head = "".join(lines)
    if head.count("\n") != len(lines) or head.count("\r") != len(lines):
        raise ValueError("a line break in the status or in a header of the answer")
    return b"".join(((head + "\r\n").encode("latin-1"), *(() if silent else parts))), keep_alive
