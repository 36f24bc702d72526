"""The side towards the client: HTTP/1.1 as the standard library's server speaks it, one thread per connection.

The application server of `serve` answers in whole bodies from one event loop; here an answer is passed on while it is
still coming in, and nearly all the time is spent waiting for somebody else.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from email import errors
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any

import orjson

from localruns.engine.message import Request
from localruns.engine.recorded.exchange import request_from
from localruns.surfaces.edge.listening import listen

IDLE_S = 75.0
PIECE_BYTES = 64 * 1024
_MAX_LINE = 1024
# The library reads headers as those of a mail, whose body it then misses; that is no fault of the headers.
_OF_BODIES = (
    *(errors.NoBoundaryInMultipartDefect, errors.StartBoundaryNotFoundDefect, errors.CloseBoundaryNotFoundDefect),
    *(errors.MultipartInvariantViolationDefect, errors.InvalidMultipartContentTransferEncodingDefect),
)

Headers = tuple[tuple[str, str], ...]


def problem(status: int, title: str, detail: str) -> tuple[str, Headers, bytes]:
    """Reason, headers and body of an answer in our own name."""
    body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    return title, (("Content-Type", "application/problem+json"),), body


class Refused(Exception):
    """A request that cannot be passed on: the status and why."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Server(ThreadingHTTPServer):
    """Listens; `begin()` makes what answers the requests of one connection. Raises ConfigError: no such address."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, begin: Callable[[], Any]) -> None:
        super().__init__((host, port), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listen(host, port)
        self.begin = begin
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = False
        self._running: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """The base URL."""
        host, port = self.socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def watch(self, sock: socket.socket) -> None:
        """Remember a socket that is to be cut off at the end; one that comes later is cut off at once."""
        with self._lock:
            self._open = {each for each in self._open if each.fileno() != -1} | {sock}
            stopping = self._stopping
        if stopping:
            _cut(sock)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, in a thread of its own."""
        with self._lock:
            self._running = [each for each in self._running if each.is_alive()] + [threading.current_thread()]
        self.watch(request)
        super().process_request_thread(request, client_address)

    def stop(self) -> None:
        """Stop listening, cut off what is open, and give its threads a moment to end."""
        self.shutdown()
        self.server_close()
        with self._lock:
            self._stopping = True
            found, running = list(self._open), list(self._running)
        for sock in found:
            _cut(sock)
        for thread in running:
            thread.join(1)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no news; anything else is a defect and shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.relay = self.server.begin()

    def finish(self) -> None:
        self.relay.close()
        with contextlib.suppress(OSError):
            super().finish()

    def answer(self) -> None:
        """Pass one request on and its answer back."""
        try:
            request, rest = self._request()
        except Refused as refusal:
            self.send_error(refusal.status, explain=str(refusal))
            return
        down = Down(self.wfile, self.command == "HEAD", self.request_version)
        self.relay.answer(request, rest, down)
        self.close_connection = self.close_connection or down.closes

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A request that could not be read or is not passed on."""
        self.close_connection = True
        down = Down(self.wfile, self.command == "HEAD", "HTTP/1.1")
        down.cut()
        down.whole(code, *problem(code, "not passed on", explain or message or ""))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the recorder says itself what becomes of a request, without its secrets."""

    def _request(self) -> tuple[Request, Iterator[bytes]]:
        """The request, and what of its body is still to come. Raises Refused."""
        target = self.requestline.split()[1]
        if not target.startswith("/"):
            scheme, found, place = target.partition("://")
            if not found or scheme.lower() not in ("http", "https"):
                raise Refused(400, "the request target does not begin with a slash")
            target = "/" + place.partition("/")[2]
        if not all(isinstance(defect, _OF_BODIES) for defect in self.headers.defects):
            raise Refused(400, "the headers cannot be read")
        headers = [(name, " ".join(value.split("\r\n"))) for name, value in self.headers.items()]
        chunked = self.headers.get("transfer-encoding", "").strip().lower()
        lengths = set(self.headers.get_all("content-length", []))
        if chunked not in ("", "chunked") or len(lengths) > 1 or (chunked and lengths):
            raise Refused(400, "the length of the body is not clear")
        pieces = self._chunks() if chunked else self._sized(lengths.pop() if lengths else "0")
        return request_from(self.command, target, headers), pieces

    def _sized(self, length: str) -> Iterator[bytes]:
        if not (length.isascii() and length.isdigit()):
            raise Refused(400, "content-length is no number")
        return self._exactly(int(length))

    def _exactly(self, left: int) -> Iterator[bytes]:
        while left:
            piece = self.rfile.read(min(left, PIECE_BYTES))
            if not piece:
                raise ConnectionError("the client left in the middle of its request")
            left -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while True:
            line = self.rfile.readline(_MAX_LINE).partition(b";")[0].strip()
            try:
                size = int(line, 16)
            except ValueError:
                raise ConnectionError("a chunk without a size") from None
            if size == 0:
                break
            yield from self._exactly(size)
            self.rfile.readline(_MAX_LINE)
        while self.rfile.readline(_MAX_LINE).strip():
            pass


class Down:
    """The answer on its way to the client. What a client does not take any more is dropped without a word."""

    def __init__(self, file: BufferedIOBase, silent: bool, version: str) -> None:
        self._file, self._silent, self._version = file, silent, version
        self._chunked = False
        self.closes = False
        self.started = False
        self.gone = False

    def start(self, status: int, reason: str, headers: Headers, length: int | None) -> None:
        """Send the head; `length` None: the body ends when `end` is called."""
        self.started = True
        bodiless = self._silent or status in (204, 304) or status < 200
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
        told = any(name.lower() == "content-length" for name, _ in headers)
        if length is None and not bodiless:
            self._chunked = self._version == "HTTP/1.1"
            self.closes = not self._chunked
            lines += ["Transfer-Encoding: chunked"] if self._chunked else []
        elif not told and not bodiless:
            lines.append(f"Content-Length: {length}")
        if self.closes:
            lines.append("Connection: close")
        self._write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))

    def write(self, piece: bytes) -> None:
        """Send a piece of the body."""
        self._write(b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked else piece)

    def end(self) -> None:
        """The body is whole."""
        if self._chunked:
            self._write(b"0\r\n\r\n")

    def cut(self) -> None:
        """The body stays as it is, so the connection has to go."""
        self.closes = True

    def whole(self, status: int, reason: str, headers: Headers, body: bytes) -> None:
        """Send an answer at once."""
        self.start(status, reason, headers, len(body))
        if not self._silent and status not in (204, 304):
            self.write(body)

    def _write(self, data: bytes) -> None:
        if self.gone:
            return
        try:
            self._file.write(data)
        except OSError:
            self.gone = self.closes = True


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
