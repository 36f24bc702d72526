"""Answers on their way out: those of one turn of the event loop are written together."""

from __future__ import annotations

import asyncio
from typing import Protocol

MAX_WAITING_BYTES = 1024 * 1024


class Sender(Protocol):
    """A connection. Shape: `unsent` says that an answer of its is in the outbox."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    unsent: bool


class Outbox:
    """What is answered and not written yet, of all connections of one edge.

    A client that sleeps until an answer comes has to be woken, which can take the server half as long as answering.
    When several connections are heard at once, their answers wait for the last of them: whoever is woken by the first
    finds the others there.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Sender, bytes]] = []
        self._waiting_bytes = 0

    def put(self, sender: Sender, answer: bytes) -> None:
        """Have an answer written at the end of this turn, in order, or earlier when many wait."""
        if not self._waiting:
            sender.loop.call_soon(self.flush)
        sender.unsent = True
        self._waiting.append((sender, answer))
        self._waiting_bytes += len(answer)
        if self._waiting_bytes > MAX_WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write all that waits."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for sender, answer in waiting:
            sender.unsent = False
            if not sender.transport.is_closing():
                sender.transport.write(answer)
