"""Carries out a wire fault: writes, waits, and ends a connection the way the plan says. It never sleeps."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator

from localruns.engine.wire import Action, End, Send, Wait

_NO_LINGER = struct.pack("ii", 1, 0)


class Player:
    """One answer's script on one connection; `done` is called when it is over and the connection lives."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        script: Iterator[Action],
        done: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._script = script
        self._done = done

    def play(self) -> None:
        """Go on until something has to be waited for, or to the end."""
        for action in self._script:
            if self._transport.is_closing():
                return
            if isinstance(action, Wait):
                self._loop.call_later(action.seconds, self.play)
                return
            if isinstance(action, End):
                self._end(action)
                return
            self._write(action)
        self._done()

    def _write(self, action: Send) -> None:
        self._transport.write(action.data)

    def _end(self, action: End) -> None:
        """Close, or reset: with no time to linger, the kernel answers with RST instead of FIN."""
        if action.how == "close":
            self._transport.close()
        elif action.how == "reset":
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._transport.abort()
