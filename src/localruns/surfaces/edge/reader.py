"""How the edge reads requests: the parser's callbacks, the limits, and what cannot be taken in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from localruns.surfaces.edge.wsgi import Environ, add_body, add_request, header_part

URL_LIMIT_BYTES = 64 * 1024
HEADERS_LIMIT_BYTES = 64 * 1024
BODY_LIMIT_BYTES = 4 * 1024 * 1024
RAW_BODY_LIMIT_BYTES = 8 * BODY_LIMIT_BYTES  # chunk framing and trailers included

logger = logging.getLogger("localruns.edge")


class RefusedRequest(Exception):
    """Raised inside the parser's callbacks to stop it: this request is not for the application."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


UNREADABLE = (httptools.HttpParserError, RefusedRequest)


class RequestReader(HttpToolsProtocol):
    """Makes requests of bytes. Who inherits takes them in `on_request`, and keeps the order in `in_turn`."""

    def __init__(self, base: Environ, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self.base = base
        self.reading = False  # a request has begun and is not complete
        self.muted = False  # the parser is shown a head that was read already
        self.upgrade_head = b""
        self.peer = ("", "")
        self.messages = 0
        self.last_headers: list[tuple[bytes, bytes]] | None = None
        self.last_base: Environ = base
        self._begin()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        address, port = self.client or ("", "")
        self.peer = (address, str(port))

    def on_request(self, environ: Environ, keep_alive: bool) -> None:
        """Take a complete request."""
        raise NotImplementedError

    def in_turn(self, step: Callable[[], None]) -> None:
        """Do something once all earlier requests are answered."""
        raise NotImplementedError

    def _begin(self) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.environ: Environ | None = None
        self.keep_alive = False
        self.parts: list[bytes] = []
        self.headers_bytes = self.body_bytes = self.fed_bytes = 0

    def feed(self, data: bytes) -> None:
        """Read on. Raises: HttpParserError or RefusedRequest, and nothing can be read after that."""
        messages = self.messages
        self._parse(data)
        if self.reading and self.messages == messages:
            self._count(len(data))

    def _parse(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                self.parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as pause:  # the offer is ignored: what follows is HTTP still
                rest = rest[pause.args[0] :]
                if self.upgrade_head:
                    head, self.upgrade_head, self.muted = self.upgrade_head, b"", True
                    self.parser.feed_data(head)

    def _count(self, size: int) -> None:
        """Refuse a request that keeps coming and never gets anywhere."""
        self.fed_bytes += size
        if self.environ is None and self.fed_bytes > URL_LIMIT_BYTES + HEADERS_LIMIT_BYTES:
            raise _too_long(431, "the headers are", HEADERS_LIMIT_BYTES)
        if self.fed_bytes > RAW_BODY_LIMIT_BYTES:
            raise _too_long(413, "the body is", BODY_LIMIT_BYTES)

    def on_message_begin(self) -> None:
        if not self.muted:
            self.messages += 1
            self.reading = True
            self._begin()

    def on_url(self, url: bytes) -> None:
        if not self.muted:
            self.url += url
            if len(self.url) > URL_LIMIT_BYTES:
                raise _too_long(414, "the URL is", URL_LIMIT_BYTES)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.muted:
            self.headers.append((name, value))
            self.headers_bytes += len(name) + len(value) + 4
            if self.headers_bytes > HEADERS_LIMIT_BYTES:
                raise _too_long(431, "the headers are", HEADERS_LIMIT_BYTES)

    def on_headers_complete(self) -> None:
        if self.muted:
            self.muted = False
            return
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise RefusedRequest(400, f"HTTP/{version} was found, HTTP/1.1 or HTTP/1.0 was expected")
        method = self.parser.get_method()
        self.keep_alive = self.parser.should_keep_alive() and method != b"CONNECT"
        if self.headers != self.last_headers:  # a client mostly sends the same ones again
            address, port = self.peer
            own = {"REMOTE_ADDR": address, "REMOTE_PORT": port, "localruns.headers_bytes": self.headers_bytes}
            self.last_headers, self.last_base = self.headers, {**self.base, **own, **header_part(self.headers)}
        environ = self.environ = self.last_base.copy()
        add_request(environ, method, self.url.decode("latin-1"), version)
        self.headers = []  # trailers of a chunked body land here and are forgotten
        if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
            self._expect_body(environ)

    def _expect_body(self, environ: Environ) -> None:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > BODY_LIMIT_BYTES:
            raise _too_long(413, "the body is", BODY_LIMIT_BYTES)
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        if not (length or chunked):
            return
        expects = environ.get("HTTP_EXPECT", "").lower() == "100-continue"
        if expects and environ["SERVER_PROTOCOL"] == "HTTP/1.1":
            self.in_turn(lambda: self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n"))
        if self.parser.should_upgrade():  # the parser would skip the body: it gets a head without the offer
            body = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % length
            self.upgrade_head = b"POST / HTTP/1.1\r\n" + body + b"\r\n\r\n"

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)
        self.body_bytes += len(body)
        if self.body_bytes > BODY_LIMIT_BYTES:
            raise _too_long(413, "the body is", BODY_LIMIT_BYTES)

    def on_message_complete(self) -> None:
        environ, keep_alive = self.environ, self.keep_alive
        if self.upgrade_head or environ is None:
            return
        self.reading = False
        add_body(environ, b"".join(self.parts))
        self.on_request(environ, keep_alive)


def _too_long(status: int, what: str, limit_bytes: int) -> RefusedRequest:
    return RefusedRequest(status, f"{what} longer than the limit of {limit_bytes} bytes")


def why(error: BaseException) -> tuple[int, str]:
    """Status and reason of what stopped the parser: a refusal of ours, its own complaint, or our defect."""
    cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else error
    if isinstance(cause, RefusedRequest):
        return cause.status, cause.reason
    if isinstance(cause, httptools.HttpParserError):
        return 400, f"malformed request: {cause}"
    logger.error("a request could not be taken in", exc_info=cause)
    return 500, "the server failed to take in this request"


def first_target(data: bytes) -> bytes:
    """The raw target in the first line of `data`, if any; the parser stops at a method it does not know."""
    words = bytes(data[: URL_LIMIT_BYTES * 2]).lstrip(b"\r\n").partition(b"\r\n")[0].split(b" ")
    return words[1] if len(words) > 1 and words[1].startswith(b"/") else b""
