"""The edge: our own HTTP/1.1 server, in its own thread or in the calling one, quick to start and to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from localruns.engine.waiting import hurry
from localruns.surfaces.edge.connection import Connection
from localruns.surfaces.edge.listening import BACKLOG, listen
from localruns.surfaces.edge.shared import Site, base_environ
from localruns.surfaces.edge.tls import TlsServer, settle
from localruns.surfaces.edge.worker import Worker
from localruns.surfaces.edge.wsgi import Environ, Refuse

if TYPE_CHECKING:
    import ssl
    from wsgiref.types import WSGIApplication

GRACE_S = 0.02  # what open connections get when the server stops
STOP_S = 0.045  # what a caller of stop() waits at most


class Edge:
    """A server for one WSGI application.

    The application is called on the event loop, unless `slow(environ)` says that it is work for the worker
    thread. `refuse` words the answers to requests that never reach it. `host`, `port` and `url` are real once
    the server listens.
    """

    def __init__(
        self,
        app: WSGIApplication,
        refuse: Refuse,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        slow: Callable[[Environ], bool] | None = None,
    ) -> None:
        self.app = app
        self.refuse = refuse
        self.host = host
        self.port = port
        self._tls = tls
        self._slow = slow
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = threading.Event()
        self._thread_id = 0

    @property
    def url(self) -> str:
        """The base URL, for a client on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self._tls else 'http'}://{shown}:{self.port}"

    def __enter__(self) -> Edge:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve in a daemon thread; return once listening. Raises: ConfigError if it cannot listen."""
        loop, sock = self._open()
        listening: Future[None] = Future()

        def serve() -> None:
            try:
                self._serve(loop, sock, lambda: listening.set_result(None))
            except BaseException as error:
                if listening.done():
                    raise
                listening.set_exception(error)

        threading.Thread(target=serve, name=f"localruns-edge-{self.port}", daemon=True).start()
        listening.result()

    def run(self, ready: Callable[[], None]) -> None:
        """Serve in the calling thread until SIGINT, SIGTERM or stop(). Raises: ConfigError, as start()."""
        loop, sock = self._open()
        with ExitStack() as stack:

            def listening() -> None:
                stack.enter_context(_signals(self._ask_to_stop))
                ready()

            self._serve(loop, sock, listening)

    def stop(self) -> None:
        """Stop listening at once, cut off what is open after 20 ms. Any thread may call it, twice too."""
        if self._loop is not None:
            self._ask_to_stop()
            if threading.get_ident() != self._thread_id:
                self._ended.wait(STOP_S)

    def _ask_to_stop(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._retire)

    def _open(self) -> tuple[asyncio.AbstractEventLoop, socket.socket]:
        if self._loop is not None and not self._ended.is_set():
            raise RuntimeError(f"{self.url} is being served already")
        sock = listen(self.host, self.port)
        self.port = sock.getsockname()[1]
        self._ended.clear()
        self._loop = _new_loop()
        return self._loop, sock

    def _serve(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, ready: Callable[[], None]) -> None:
        self._thread_id = threading.get_ident()
        worker = Worker()
        hurry(self._slow is not None)
        base = base_environ(self.host, self.port, tls=self._tls is not None, threads=self._slow is not None)
        self._site = Site(self.app, self.refuse, self._slow, base, worker.submit, loop.stop)
        try:
            self._server = self._listen(loop, sock)
            ready()
            loop.run_forever()
        finally:
            hurry(False)
            worker.stop()
            settle(loop)
            loop.close()
            sock.close()
            self._ended.set()

    def _listen(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> asyncio.AbstractServer | TlsServer:
        if self._tls is not None:
            return TlsServer(self._site, loop, sock, self._tls)
        connect = partial(Connection, self._site, loop)
        return loop.run_until_complete(loop.create_server(connect, sock=sock, backlog=BACKLOG))

    def _retire(self) -> None:
        site, loop = self._site, self._loop
        if site.stopping or loop is None:
            return
        site.stopping = True
        self._server.close()
        for connection in list(site.connections):
            connection.retire()
        if not site.connections:
            loop.stop()
        loop.call_later(GRACE_S, self._cut_off, loop)

    def _cut_off(self, loop: asyncio.AbstractEventLoop) -> None:
        for connection in list(self._site.connections):
            connection.transport.abort()
        loop.call_later(GRACE_S / 4, loop.stop)  # in case one of them does not say that it is gone


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


@contextmanager
def _signals(act: Callable[[], None]) -> Iterator[None]:
    """Act on SIGINT and SIGTERM for a while; only the main thread can, elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: act()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
