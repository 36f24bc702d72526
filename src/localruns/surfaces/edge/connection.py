"""One connection to the edge: bytes in, requests out to the WSGI application, answers back in their order.

It lives on uvicorn's `HttpToolsProtocol` and bypasses its ASGI tasks: a complete request is answered inline,
on the event loop, with one write.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator

from localruns.engine.faults.wire import Action
from localruns.engine.waiting import NotNow
from localruns.surfaces.edge.player import Player
from localruns.surfaces.edge.reader import UNREADABLE, RequestReader, first_target, why
from localruns.surfaces.edge.shared import Site
from localruns.surfaces.edge.wsgi import Answer, Environ, close_quietly, refusal, respond

WRITE_BUFFER_BYTES = 1024 * 1024
IDLE_S = 75.0
LINGER_S = 2.0
LINGER_BYTES = 64 * 1024 * 1024
MAX_WAITING = 64

logger = logging.getLogger("localruns.edge")


class Connection(RequestReader):
    """A client's connection, from accept to close."""

    def __init__(self, site: Site, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(site.base, config=site.config, server_state=site.state, app_state={}, _loop=loop)
        self.site = site
        self.waiting: deque[Callable[[], None]] = deque()  # what is to be answered after the work in hand
        self.working = False  # the worker thread has a request of ours
        self.player: Player | None = None  # carries out a wire fault, or has left the connection hanging
        self.going = False
        self.unsent = False  # an answer of ours is in the outbox
        self.deaf = False  # nothing that comes in is looked at any more
        self.half_closed = False  # the client sends no more, but may still read
        self.dropped_bytes = 0
        self.seen_s = 0.0

    # The transport's side

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self.seen_s = self.loop.time()
        self.timeout_keep_alive_task = self.loop.call_later(IDLE_S, self._check_idle)
        if self.site.stopping:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.deaf = True
        self.waiting.clear()
        if self.player is not None:
            self.player.stop()
        self.site.forget(self)

    def data_received(self, data: bytes) -> None:
        self.seen_s = self.loop.time()
        if self.deaf or (self.player is not None and self.player.ended):
            self._drop(data)
            return
        messages = self.messages
        try:
            self.feed(data)
        except UNREADABLE as error:
            self.deaf = True
            if not self.url and self.messages == messages + 1:
                self.url = first_target(data)
            status, reason = why(error)
            self.in_turn(lambda: self._refuse(status, reason))

    def eof_received(self) -> bool:  # type: ignore[override]
        self._flush()
        # Under a wire fault who sends no more counts as gone: a client that has given up looks just like that.
        busy = self.player is None and (self.working or bool(self.waiting))
        self.half_closed = self.scheme == "http" and busy
        return self.half_closed

    def pause_writing(self) -> None:
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._go_on()

    def _check_idle(self) -> None:
        left_s = self.seen_s + IDLE_S - self.loop.time()
        if self.working or left_s > 0:
            wait_s = left_s if left_s > 0 else IDLE_S
            self.timeout_keep_alive_task = self.loop.call_later(wait_s, self._check_idle)
        else:
            self._end()

    def _end(self) -> None:
        """Close, even when the client does not read what it was sent."""
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def retire(self) -> None:
        """Close at once if nothing is under way; the server is about to stop."""
        self._flush()
        if not (self.reading or self.working or self.waiting or self.deaf):
            self.transport.close()

    # Answers, in the order of their requests

    def on_request(self, environ: Environ, keep_alive: bool) -> None:
        self._flush()
        if self.working or self.flow.write_paused or self.waiting:
            self.waiting.append(lambda: self._answer(environ, keep_alive))
            if len(self.waiting) >= MAX_WAITING:
                self.flow.pause_reading()
        elif not self.transport.is_closing():
            self._answer(environ, keep_alive)

    def in_turn(self, step: Callable[[], None]) -> None:
        self.waiting.append(step)
        self._go_on()

    def _go_on(self) -> None:
        """Do what waits, until something has to be waited for; then let the client send more."""
        if self.going:  # a step of ours was over at once: the loop below goes on
            return
        self.going = True
        try:
            self._do_what_waits()
        finally:
            self.going = False

    def _do_what_waits(self) -> None:
        while not (self.working or self.flow.write_paused or self.transport.is_closing()):
            self._flush()
            if not self.waiting:
                self.flow.resume_reading()
                if self.half_closed:
                    self.transport.close()
                return
            self.waiting.popleft()()

    def _answer(self, environ: Environ, keep_alive: bool) -> None:
        site = self.site
        if not self._is_slow(environ):
            try:
                answer = respond(site.app, site.refuse, environ, keep_alive)
            except NotNow as later:
                environ["localruns.resume"] = later.resume
            else:
                self._send(answer)
                return
        self.working = True
        self.flow.pause_reading()
        site.submit(lambda: self._work(environ, keep_alive))

    def _is_slow(self, environ: Environ) -> bool:
        try:
            return self.site.slow is not None and self.site.slow(environ)
        except Exception:
            logger.exception("whether %s is slow could not be decided", environ["PATH_INFO"])
            return False

    def _work(self, environ: Environ, keep_alive: bool) -> None:
        """Answer one request; this runs in the worker thread."""
        if self.site.stopping:
            return
        answer = respond(self.site.app, self.site.refuse, environ, keep_alive)
        try:
            self.loop.call_soon_threadsafe(self._worked, answer)
        except RuntimeError:  # the loop has ended meanwhile
            close_quietly(answer.close)

    def _worked(self, answer: Answer) -> None:
        self.working = False
        self.seen_s = self.loop.time()
        self._send(answer)
        self._go_on()

    def _send(self, answer: Answer) -> None:
        if answer.plan is not None and not self.transport.is_closing():
            self._play(answer, answer.plan.script(answer.wire))
            return
        if len(self.site.connections) > 1:
            self.site.outbox.put(self, answer.wire)
        elif not self.transport.is_closing():  # nobody else to wait for
            self.transport.write(answer.wire)
        self._after(answer)
        close_quietly(answer.close)

    def _flush(self) -> None:
        """Write what is answered, before anything else happens to the connection."""
        if self.unsent:
            self.site.outbox.flush()

    def _after(self, answer: Answer) -> None:
        if not answer.keep_alive:
            self._flush()
            self.deaf = True
            self.transport.close()

    def _play(self, answer: Answer, script: Iterator[Action]) -> None:
        """A wire fault takes the connection until it is over; it is read from all the while, to see the client go."""

        def told(whole: bool) -> None:
            if not whole:
                answer.cut_short()
            close_quietly(answer.close)

        def done() -> None:
            self.player = None
            self.working = False
            self._after(answer)
            self._go_on()

        self.working = True
        self.flow.resume_reading()
        self.player = Player(self.loop, self.transport, script, told, done)
        self.player.play()

    def _refuse(self, status: int, reason: str) -> None:
        """Answer, then hear out a client that is busy sending: closing now would reset what it is to read."""
        head = {"RAW_URI": self.url.decode("latin-1"), "SERVER_PROTOCOL": "HTTP/1.1"}
        head["REQUEST_METHOD"] = self.parser.get_method().decode("latin-1")
        self.transport.write(refusal(self.site.refuse, head, status, reason).wire)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(LINGER_S, self._end)

    def _drop(self, data: bytes) -> None:
        self.dropped_bytes += len(data)
        if self.dropped_bytes > LINGER_BYTES:
            self.transport.close()
