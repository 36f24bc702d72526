"""The journal as curl lines: each sends the request again, with a placeholder for each secret."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable, Iterator

from localruns.engine.journal import Entry
from localruns.engine.message import Request
from localruns.reports import secrets
from localruns.reports.har import url_of

SECRET = "SECRET"
_CURLS_OWN = ("content-length", "connection", "transfer-encoding", "accept-encoding", "expect")


def lines(entries: Iterable[Entry], base: str, evicted: int = 0) -> Iterator[str]:
    """A line for each entry, to be sent to the server at `base` (scheme and host)."""
    if evicted:
        yield f"# {evicted} earlier requests gave way and are not in here"
    for entry in entries:
        yield line(entry.request, base) if entry.request.method else f"# request {entry.id} could not be read"


def line(request: Request, base: str) -> str:
    """One command for a POSIX shell."""
    url = url_of(request, base).replace(secrets.GONE, SECRET)
    words = ["curl", "-sS", "-g", "--path-as-is", *_method(request), url]
    for name, value in _headers(request, base):
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if not request.body:
        return shlex.join(words)
    if request.header("content-type") is None:
        words += ["-H", "Content-Type:"]
    text = secrets.body(request, SECRET)
    if text is None or "\0" in text:
        piped = shlex.join(["printf", "%s", base64.b64encode(request.body).decode()])
        return f"{piped} | base64 -d | {shlex.join([*words, '--data-binary', '@-'])}"
    return shlex.join([*words, "--data-raw", text.replace(secrets.GONE, SECRET)])


def _method(request: Request) -> list[str]:
    if request.method == "HEAD":
        return ["-I"]
    return ["-X", request.method] if request.method != ("POST" if request.body else "GET") else []


def _headers(request: Request, base: str) -> Iterator[tuple[str, str]]:
    for name, value in request.headers:
        own = name in _CURLS_OWN or (name == "host" and base.endswith(f"://{value}"))
        if not own:
            yield name, secrets.stand_in(name, value, SECRET)
