"""What all connections of one edge share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from localruns.surfaces.edge.outbox import Outbox
from localruns.surfaces.edge.wsgi import Environ, Refuse

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


async def _no_asgi(_scope: Any, _receive: Any, _send: Any) -> None:
    """Stand where uvicorn wants an ASGI application; nothing calls it."""


def _config() -> Config:
    off: Any = {"ws": "none", "lifespan": "off", "proxy_headers": False, "log_config": None}
    config = Config(_no_asgi, interface="asgi3", http=HttpToolsProtocol, **off)
    config.load()
    return config


@dataclass(slots=True)
class Site:
    """What all connections of one edge share. Shape: `base` is the part of the environ that never changes."""

    app: WSGIApplication
    refuse: Refuse
    slow: Callable[[Environ], bool] | None
    base: Environ
    submit: Callable[[Callable[[], None]], None]
    emptied: Callable[[], None]
    stopping: bool = False
    config: Config = field(default_factory=_config)
    state: ServerState = field(default_factory=ServerState)
    outbox: Outbox = field(default_factory=Outbox)

    @property
    def connections(self) -> set[Any]:
        """What is open. Shape: objects with a `transport` and a method `retire()`."""
        return self.state.connections

    def forget(self, connection: object) -> None:
        """A connection is gone; when the server stops, the last one says so."""
        self.connections.discard(connection)
        if self.stopping and not self.connections:
            self.emptied()


def base_environ(host: str, port: int, *, tls: bool, threads: bool) -> Environ:
    """The part of a WSGI environ that is the same for every request."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if tls else "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": threads,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
