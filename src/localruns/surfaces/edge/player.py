"""Carries out a wire fault: writes, waits, and ends a connection the way the plan says. It never sleeps."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable, Iterator

from localruns.engine.faults.wire import Action, End, Wait

FLUSH_S = 0.001
_SIOCOUTQNSD = 0x894B
_NO_LINGER = struct.pack("ii", 1, 0)


class Player:
    """One answer's script on one connection.

    `told(whole)` is called once, when nothing more of the answer will be sent, and it has `ended`; `done` after it when
    the connection lives on and is free for the next answer.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        script: Iterator[Action],
        told: Callable[[bool], None],
        done: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._script = script
        self._told = told
        self._done = done
        self._timer: asyncio.TimerHandle | None = None
        self.ended = False

    def play(self) -> None:
        """Go on until something has to be waited for, or to the end."""
        for action in self._script:
            if self._transport.is_closing():
                return
            if isinstance(action, Wait):
                self._timer = self._loop.call_later(action.seconds, self.play)
                return
            if isinstance(action, End):
                self._end(action)
                return
            self._transport.write(action.data)
        self._tell(whole=True)
        self._done()

    def stop(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
        self._tell(whole=False)

    def _tell(self, *, whole: bool) -> None:
        if not self.ended:
            self.ended = True
            self._told(whole)

    def _end(self, action: End) -> None:
        """Close, reset, or leave it hanging."""
        self._tell(whole=action.whole)
        if action.how == "close":
            self._transport.close()
        elif action.how == "reset":
            self._timer = self._loop.call_later(FLUSH_S, self._reset)

    def _reset(self) -> None:
        """With no time to linger, the kernel answers with RST instead of FIN, and drops what it has not sent yet."""
        connection = self._transport.get_extra_info("socket")
        if self._transport.get_write_buffer_size() or unsent_bytes(connection):
            self._timer = self._loop.call_later(FLUSH_S, self._reset)
            return
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()


def unsent_bytes(connection: socket.socket) -> int:
    """What the kernel has not sent yet, the client's window being full; 0 where it does not tell."""
    if sys.platform != "linux":
        return 0
    import fcntl

    return int.from_bytes(fcntl.ioctl(connection.fileno(), _SIOCOUTQNSD, bytes(4)), sys.byteorder)
