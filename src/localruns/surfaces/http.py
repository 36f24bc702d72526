"""The Flask application: vendors at their real paths, the control API, an index; problems as RFC 9457.

Vendor requests are taken at WSGI level, before Flask's own routing: the vendors' clients sign the raw target, use
any method, and must never meet a redirect or an HTML page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_to_bytes

import flask
from werkzeug.exceptions import HTTPException

from localruns.engine.emulator import Emulator, problem, split_namespace
from localruns.engine.journal import Entry
from localruns.engine.kept import KEPT, KEPT_LENGTH, kept
from localruns.engine.message import Reply, Request, parse_query
from localruns.engine.namespace import Namespace
from localruns.engine.recorded.store import RecordedStore
from localruns.errors import ConfigError, EmulatorError, Problem
from localruns.reports.near import ignored, near_miss, nearest
from localruns.surfaces import admin, contract_api
from localruns.surfaces.hints import index

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_DETAIL = 1_000
_OWN = re.compile(r"/(__admin(/|\Z)|\Z)")
_QUICK = ("/__admin/health", "/__admin/version", "/__admin/reset", "/__admin/requests/count", "/__admin/ca.pem")


class App(flask.Flask):
    """The application of one emulator. `ca_pem` is what clients of an HTTPS server are to trust."""

    def __init__(self, emulator: Emulator, ca_pem: bytes = b"") -> None:
        super().__init__("localruns", static_folder=None)
        self.emulator = emulator
        self.json.sort_keys = False  # type: ignore[attr-defined]
        self.url_map.merge_slashes = False
        self.add_url_rule("/", view_func=lambda: index(emulator, admin.space_of(emulator)))
        # A certificate is public, and wanted before a token can be sent in confidence: it stands outside the guard.
        self.add_url_rule("/__admin/ca.pem", view_func=lambda: admin.certificate(ca_pem), endpoint="certificate")
        self.register_blueprint(admin.blueprint(emulator))
        self.register_blueprint(contract_api.blueprint(emulator))
        self.register_error_handler(Exception, self._failed)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Vendor paths to the engine, our own to Flask, the rest to nobody."""
        request, named = request_of(environ)
        route = self.emulator.router.find(request.method, request.path)
        if route is None and _OWN.match(own_path := _decoded(request.path)):
            environ["localruns.namespace"], environ["PATH_INFO"] = named, own_path
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(request.body), str(len(request.body))
            return super().wsgi_app(environ, start_response)
        try:
            if named is not None:
                self.emulator.space(named)  # an empty name is no name of a namespace
            if route is None:
                reply, space, entry = self._nowhere(request, named)
            else:
                resume = environ.get("localruns.resume")
                reply, space, entry = resume() if resume else self.emulator.answer(request, route, named)
        except EmulatorError as error:
            return _send(problem(error), start_response, request.method)
        if isinstance(space.store, RecordedStore):
            pass  # what the recording does not hold it has said itself
        elif route is None or route.endpoint is None:
            entry.near_miss = near_miss(self.emulator.router, request)
        elif hint := ignored(route.vendor, route.endpoint, request):
            entry.note(hint)
        body = _deliver(reply, entry, environ, start_response)
        sending = (_Sending if "localruns.headers" in environ else _Telling)(body)
        sending.close = lambda: self.emulator.sent(space, entry)
        return sending

    def make_default_options_response(self) -> flask.Response:
        """Which methods a path of ours has; nothing in the body."""
        response = super().make_default_options_response()
        response.status = _status(204)
        del response.headers["Content-Type"]
        return response

    def _nowhere(self, request: Request, named: str | None) -> tuple[Reply, Namespace, Entry]:
        """A path that is neither a vendor's nor ours is an exchange all the same. Raises Problem 404 (namespace)."""
        space = self.emulator.space_of(request, named)
        entry = space.journal.open(request, space.clock.now())
        best = nearest(self.emulator.router, request.path)
        hint = f"; the nearest endpoint is {best.method} {best.path}" if best else ""
        detail = f"nothing is served at {request.path[:500]}{hint}; GET / lists what is"
        entry.reply = self.emulator.elsewhere(space, entry) or problem(Problem(404, "not found", detail))
        space.journal.answered(entry)
        return entry.reply, space, entry

    def _failed(self, error: Exception) -> flask.Response:
        """What the control API answers when it cannot do what was asked."""
        headers: dict[str, str] = {}
        if isinstance(error, (ConfigError, OSError)):  # a file that the call names cannot be used
            error = Problem(400, "bad request", str(error)[:MAX_DETAIL])
        elif isinstance(error, HTTPException):
            error, headers = admin.misdirected(error)
        elif not isinstance(error, EmulatorError):
            self.logger.error("defect in the control API", exc_info=error)
            error = Problem(500, "localruns defect", f"{type(error).__name__}: {error}")
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        reply = problem(error)
        return flask.Response(reply.body, _status(reply.status), headers, content_type=reply.content_type)


class _Sending(list[bytes]):
    """The parts of a body; `close` tells that it has been written."""

    __slots__ = ("close",)
    close: Callable[[], None]


class _Telling(_Sending):
    """The same for a server that is not sure to close it: the end tells, too."""

    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        yield from super().__iter__()
        self.close()


def request_of(environ: WSGIEnvironment) -> tuple[Request, str | None]:
    """The request, and the namespace that its path names."""
    target: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    query = environ.get("QUERY_STRING", "")
    if not target or ("?" not in target and query):
        # Werkzeug's test client leaves the query out of the target when it was given apart from the path.
        path = target or quote(environ.get("PATH_INFO", "/").encode("latin-1"), safe="/:;=@!$&'()*+,~")
        target = f"{path}?{query}" if query else path
    wired = "localruns.headers" in environ
    headers = tuple(environ["localruns.headers"] if wired else _headers(environ))
    body = _body(environ)
    short = environ.get("localruns.headers_bytes", KEPT_LENGTH) + len(target) + len(body) <= KEPT_LENGTH
    return (_shared if short else _request)(target, environ["REQUEST_METHOD"], headers, body, wired)


def _request(
    target: str, method: str, headers: tuple[tuple[str, str], ...], body: bytes, wired: bool
) -> tuple[Request, str | None]:
    """A request with all that its target says, and the namespace that it names."""
    named, path, prefix, query = _read_target(target)
    args, undecodable = parse_query(query)
    return Request(method, target, path, prefix, query, args, headers, body, undecodable, wired), named


_shared = lru_cache(KEPT)(_request)
"""Clients ask the same again and again: equal requests are one in memory, in the journal above all."""


@kept
def _read_target(target: str) -> tuple[str | None, str, str, str]:
    """The namespace that a raw target names, the path that is routed on, the prefix before it, and the query."""
    raw_path, _, query = target.partition("?")
    if "://" in raw_path and not raw_path.startswith("/"):
        raw_path = "/" + raw_path.partition("://")[2].partition("/")[2]
    named, path = split_namespace("/" + raw_path.lstrip("/"))
    if named is None:
        return None, path, "", query
    return unquote(named), path, f"/ns/{named}", query


def is_slow(environ: WSGIEnvironment) -> bool:
    """Whether a request may take long enough to be kept off the event loop: compiling, making a key, long lists."""
    _, path = split_namespace("/" + environ["PATH_INFO"].lstrip("/"))
    ours = path == "/" or path.startswith("/__admin/")
    return ours and path not in _QUICK and environ["REQUEST_METHOD"] != "DELETE"


def refuser(emulator: Emulator) -> Callable[[int, str, str], tuple[int, list[tuple[str, str]], bytes]]:
    """What the edge asks when it cannot make a request of what came."""

    def refuse(status: int, target: str, reason: str) -> tuple[int, list[tuple[str, str]], bytes]:
        reply = emulator.refuse(status, target, reason)
        return reply.status, _reply_headers(reply, len(body := reply.body)), body

    return refuse


def _headers(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key[5:].replace("_", "-").lower(), value
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield key.replace("_", "-").lower(), value


def _body(environ: WSGIEnvironment) -> bytes:
    ready: bytes | None = environ.get("localruns.body")
    if ready is not None:
        return ready
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        return bytes(environ["wsgi.input"].read(int(length)))
    return bytes(environ["wsgi.input"].read()) if environ.get("wsgi.input_terminated") else b""


def _deliver(reply: Reply, entry: Entry, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Send a reply, with the wire fault that the engine wrote down for it, if any."""
    plan, method = entry.wire, environ["REQUEST_METHOD"]
    if plan is None:
        return _send(reply, start_response, method)
    headers, body = plan.rewrite(_reply_headers(reply, len(reply.body)), reply.body)
    entry.broken = plan.spoils
    if plan.needs_socket:

        def cut_short() -> None:
            entry.broken = True

        environ["localruns.wire"], environ["localruns.cut_short"] = plan, cut_short
    start_response(_status(reply.status), headers)
    return [] if method == "HEAD" else [body]


def _send(reply: Reply, start_response: StartResponse, method: str) -> list[bytes]:
    parts = reply.parts
    start_response(_status(reply.status), _reply_headers(reply, sum(map(len, parts))))
    return [] if method == "HEAD" else parts


@cache
def _status(status: int) -> str:
    """`404 Not Found`."""
    known = status in HTTPStatus._value2member_map_
    return f"{status} {HTTPStatus(status).phrase if known else 'Unknown'}"


def _reply_headers(reply: Reply, length: int) -> list[tuple[str, str]]:
    kind = [("Content-Type", reply.content_type)] if reply.content is not None else []
    return [*kind, *reply.headers, ("Content-Length", str(length))]


def _decoded(path: str) -> str:
    """The path for Flask, whose texts hold a byte per character; an encoded slash stays one."""
    return unquote_to_bytes(re.sub("(?i)%2f", "%252F", path)).decode("latin-1")
