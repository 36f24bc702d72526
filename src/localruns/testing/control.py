"""The control API as plain calls: of an application in this process, or of a server over HTTP.

Both ways take the same requests and give the same answers, so a test means the same on either.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from http.client import HTTPException
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import unquote_to_bytes, urlencode
from urllib.request import ProxyHandler, Request, build_opener
from wsgiref.util import setup_testing_defaults

from localruns.errors import ConfigError, Problem

if TYPE_CHECKING:
    from localruns.surfaces.http import App

TOKEN_VARIABLE = "LOCALRUNS_ADMIN_TOKEN"
TIMEOUT_S = 60.0


class Control(Protocol):
    """Something that answers the control API."""

    def call(self, method: str, path: str, query: Mapping[str, Any], content: object = None) -> Any:
        """What `METHOD /__admin/PATH` answers, as plain values. Raises Problem, ConfigError."""


class InProcess:
    """The control API of an application, called directly: no socket, no thread."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._token = app.emulator.options.admin_token

    def call(self, method: str, path: str, query: Mapping[str, Any], content: object = None) -> Any:
        """What the application answers. Raises Problem."""
        body = b"" if content is None else json.dumps(content).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote_to_bytes(f"/__admin/{path}").decode("latin-1"),
            "REQUEST_URI": _target(path, query),
            "QUERY_STRING": urlencode(query),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in _headers(self._token).items()},
        }
        setup_testing_defaults(environ)
        told: list[str] = []

        def start_response(status: str, *_: object) -> Callable[[bytes], object]:
            told.append(status)
            return _nothing

        answer = self._app(environ, start_response)
        try:
            return _content(int(told[0][:3]), b"".join(answer))
        finally:
            getattr(answer, "close", _nothing)()


class Remote:
    """The control API of a server at `url`; beyond loopback with the token of the environment."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"{url!r} is no address of a server, expected one such as http://127.0.0.1:8420")
        self.url = url.rstrip("/")
        self._headers = _headers(os.environ.get(TOKEN_VARIABLE, ""))
        self._open = build_opener(ProxyHandler({})).open  # a proxy has no business between a test and its server

    def call(self, method: str, path: str, query: Mapping[str, Any], content: object = None) -> Any:
        """What the server answers. Raises Problem, and ConfigError when nobody is there."""
        body = None if content is None else json.dumps(content).encode()
        request = Request(self.url + _target(path, query), body, self._headers, method=method)
        try:
            with self._open(request, timeout=TIMEOUT_S) as answer:
                return _content(answer.status, answer.read())
        except HTTPError as answer:
            with answer:
                return _content(answer.code, answer.read())
        except (URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            words = "expected a server started with `localruns serve`"
            raise ConfigError(f"{self.url}: no server answers there ({reason}), {words}") from None


def _nothing(*_: object) -> None:
    """Do nothing."""


def _target(path: str, query: Mapping[str, Any]) -> str:
    return f"/__admin/{path}" + (f"?{urlencode(query)}" if query else "")


def _headers(token: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    return {**headers, "Authorization": f"Bearer {token}"} if token else headers


def _content(status: int, body: bytes) -> Any:
    """The JSON in the body. Raises Problem for a problem, and for what no localruns server says."""
    try:
        content = json.loads(body) if body else None
    except ValueError:
        shown = body[:80].decode("latin-1")
        raise Problem(status, "not a localruns server", f"found {shown!r}, expected JSON of the control API") from None
    if status >= 400:
        told = content if isinstance(content, dict) else {}
        raise Problem(status, told.get("title", "refused"), told.get("detail", f"the control API answered {status}"))
    return content
