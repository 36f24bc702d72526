"""The Flask application: vendors at their real paths, the control API, an index; problems as RFC 9457.

Vendor requests are taken at WSGI level, before Flask's own routing: the vendors' clients sign the raw target, use
any method, and must never meet a redirect or an HTML page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import flask
from werkzeug.exceptions import HTTPException

from localruns.engine.emulator import Emulator, problem, split_namespace
from localruns.engine.journal import Entry
from localruns.engine.message import Reply, Request, parse_query
from localruns.engine.namespace import Namespace
from localruns.errors import EmulatorError, Problem
from localruns.reports.near import near_miss, nearest
from localruns.surfaces import admin

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_REASONS = {501: "NOT IMPLEMENTED", 429: "TOO MANY REQUESTS"}


class App(flask.Flask):
    """The application of one emulator."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__("localruns", static_folder=None)
        self.emulator = emulator
        self.json.sort_keys = False  # type: ignore[attr-defined]
        self.url_map.merge_slashes = False
        self.add_url_rule("/", view_func=lambda: _index(emulator))
        self.register_blueprint(admin.blueprint(emulator))
        self.register_error_handler(Exception, self._failed)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Vendor paths to the engine, the rest to Flask."""
        request, named = request_of(environ)
        route = self.emulator.router.find(request.method, request.path)
        if route is None:
            environ["localruns.namespace"] = named
            environ["PATH_INFO"] = _decoded(request.path)
            return super().wsgi_app(environ, start_response)
        try:
            reply, space, entry = self.emulator.answer(request, route, named)
        except EmulatorError as error:
            return _send(problem(error), start_response, request.method)
        if route.endpoint is None:
            entry.near_miss = near_miss(self.emulator.router, request)
        body = _send(reply, start_response, request.method)
        return _Sending(body, self.emulator, space, entry)

    def _failed(self, error: Exception) -> flask.Response:
        if isinstance(error, EmulatorError):
            return _flask_response(problem(error))
        if not isinstance(error, HTTPException):
            self.logger.error("defect in the control API", exc_info=error)
            return _flask_response(problem(Problem(500, "localruns defect", f"{type(error).__name__}: {error}")))
        detail = error.description or ""
        if error.code == 404:
            best = nearest(self.emulator.router, flask.request.path)
            hint = f"; the nearest endpoint is {best.method} {best.path}" if best else ""
            detail = f"nothing is served at {flask.request.path}{hint}; GET / lists what is"
        if error.code == 405:
            allowed = ", ".join(sorted(error.valid_methods or ()))  # type: ignore[attr-defined]
            detail = f"{flask.request.path} is not served for {flask.request.method}, expected one of: {allowed}"
        return _flask_response(problem(Problem(error.code or 500, (error.name or "error").lower(), detail)))


class _Sending:
    """A body that tells when it has been written."""

    def __init__(self, body: Iterable[bytes], emulator: Emulator, space: Namespace, entry: Entry) -> None:
        self._body = body
        self.close: Callable[[], None] = lambda: emulator.sent(space, entry)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body
        self.close()


def request_of(environ: WSGIEnvironment) -> tuple[Request, str | None]:
    """The request, and the namespace that its path names."""
    target: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    query = environ.get("QUERY_STRING", "")
    if not target or ("?" not in target and query):
        # Werkzeug's test client leaves the query out of the target when it was given apart from the path.
        path = target or quote(environ.get("PATH_INFO", "/").encode("latin-1"), safe="/:;=@!$&'()*+,~")
        target = f"{path}?{query}" if query else path
    raw_path, _, query = target.partition("?")
    if "://" in raw_path[:12]:
        raw_path = "/" + raw_path.partition("://")[2].partition("/")[2]
    named, path = split_namespace("/" + raw_path.lstrip("/"))
    args, undecodable = parse_query(query)
    headers = environ.get("localruns.headers")
    request = Request(
        method=environ["REQUEST_METHOD"],
        target=target,
        path=path,
        prefix=f"/ns/{named}" if named is not None else "",
        query=query,
        args=args,
        headers=tuple(_headers(environ) if headers is None else headers),
        body=_body(environ),
        undecodable=undecodable,
    )
    return request, named


def is_slow(environ: WSGIEnvironment) -> bool:
    """Whether a request may take long enough to be kept off the event loop: compiling, reloading, making a key."""
    target: str = environ.get("REQUEST_URI", "")
    return target == "/" or ("/__admin" in target and environ["REQUEST_METHOD"] not in ("GET", "HEAD"))


def refuser(emulator: Emulator) -> Callable[[int, str, str], tuple[int, list[tuple[str, str]], bytes]]:
    """What the edge asks when it cannot make a request of what came."""

    def refuse(status: int, target: str, reason: str) -> tuple[int, list[tuple[str, str]], bytes]:
        reply = emulator.refuse(status, target, reason)
        return reply.status, _reply_headers(reply, body := reply.body), body

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
    length = environ.get("CONTENT_LENGTH") or "0"
    return bytes(environ["wsgi.input"].read(int(length))) if length.isdecimal() and length != "0" else b""


def _send(reply: Reply, start_response: StartResponse, method: str) -> list[bytes]:
    body = reply.body
    start_response(f"{reply.status} {_REASONS.get(reply.status, '')}".strip() + " ", _reply_headers(reply, body))
    return [] if method == "HEAD" else [body]


def _reply_headers(reply: Reply, body: bytes) -> list[tuple[str, str]]:
    kind = [("Content-Type", reply.content_type)] if reply.content is not None else []
    return [*kind, *reply.headers, ("Content-Length", str(len(body)))]


def _flask_response(reply: Reply) -> flask.Response:
    return flask.Response(reply.body, reply.status, content_type=reply.content_type)


def _decoded(path: str) -> str:
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(path).decode("latin-1")


def _index(emulator: Emulator) -> dict[str, Any]:
    """What is served, with a curl line for each vendor."""
    url = flask.request.host_url.rstrip("/")
    space = emulator.space("default")
    vendors = []
    for vendor in emulator.vendors.values():
        if vendor.id not in space.states:
            continue
        keys = vendor.client.keys(space.scenario.sites[vendor.id].credentials)
        paths = [f"{endpoint.method} {endpoint.path}" for endpoint in vendor.endpoints]
        line = vendor.client.curl(url, keys)
        vendors.append({"vendor": vendor.id, "title": vendor.title, "paths": paths, "curl": line})
    return {"localruns": admin.version(), "scenario": space.scenario.name, "vendors": vendors}
