"""The TLS side of the edge: connections are known from the accept on, so that a stop can cut them off."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from functools import partial
from typing import TYPE_CHECKING

from localruns.surfaces.edge.connection import Connection

if TYPE_CHECKING:
    import ssl

    from localruns.surfaces.edge.shared import Site

RETRY_S = 0.1  # when the process has no more files to open


class TlsServer:
    """Accepts connections and takes them through the handshake.

    `create_server(ssl=...)` would do, but keeps a connection to itself until its handshake is over.
    """

    def __init__(self, site: Site, loop: asyncio.AbstractEventLoop, sock: socket.socket, tls: ssl.SSLContext) -> None:
        self.site = site
        self.loop = loop
        self.sock = sock
        self.tls = tls
        sock.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Accept no more."""
        self.task.add_done_callback(lambda _: self.sock.close())
        self.task.cancel()

    def _listen(self) -> None:
        if not self.site.stopping:
            self.task = self.loop.create_task(self._accept())

    async def _accept(self) -> None:
        try:
            while True:
                client, _ = await self.loop.sock_accept(self.sock)
                self.site.connections.add(Handshake(self, client))
        except OSError:
            self.loop.call_later(RETRY_S, self._listen)


class Handshake:
    """One connection on its way to TLS; a `Connection` takes over."""

    def __init__(self, server: TlsServer, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.transport = self
        self.task = server.loop.create_task(self._shake_hands())

    def abort(self) -> None:
        """Give up."""
        with contextlib.suppress(OSError):  # the client has gone first
            self.sock.shutdown(socket.SHUT_RDWR)

    retire = abort

    async def _shake_hands(self) -> None:
        site, loop = self.server.site, self.server.loop
        connect = partial(Connection, site, loop)
        try:
            await loop.connect_accepted_socket(connect, self.sock, ssl=self.server.tls)
        except OSError:  # not TLS, no trust in our certificate, or gone
            self.abort()
        finally:
            site.forget(self)


def settle(loop: asyncio.AbstractEventLoop) -> None:
    """End what is left of a loop's tasks, before the loop is closed."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))
