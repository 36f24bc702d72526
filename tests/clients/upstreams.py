"""Platforms that do as they are told, byte by byte, and clients that show every byte."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

JSON = {"content-type": "application/json"}


@dataclass
class Call:
    """What a platform was asked, and the way to answer."""

    head: bytes
    body: bytes
    sock: socket.socket

    @property
    def line(self) -> str:
        """`GET /path HTTP/1.1`."""
        return self.head.split(b"\r\n")[0].decode("latin-1")

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    def header(self, name: str) -> list[str]:
        """All values of a header."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(": ") for line in lines)
        return [value for key, _, value in pairs if key.lower() == name]

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.sock.sendall(piece)

    def answer(self, body: bytes = b"{}", status: str = "200 OK", headers: Mapping[str, str] = JSON) -> None:
        """A whole answer with its length."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.send(f"HTTP/1.1 {status}\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body)

    def reset(self) -> None:
        """Hang up with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.sock.detach())  # the file made from it would keep it open otherwise


@dataclass
class Platform:
    """A listening platform. Shape: `calls` in the order in which they came, `connections` how many were made."""

    url: str
    calls: list[Call] = field(default_factory=list)
    connections: int = 0


@contextmanager
def platform(respond: Callable[[Call], object]) -> Iterator[Platform]:
    """A platform on loopback that calls `respond` for each request, a thread per connection."""
    listening = socket.create_server(("127.0.0.1", 0))
    found = Platform(f"http://127.0.0.1:{listening.getsockname()[1]}")
    socks: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock, sock.makefile("rb") as file:
            while call := _read(file, sock):
                found.calls.append(call)
                respond(call)
                if sock.fileno() == -1:
                    return

    def accept() -> None:
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            found.connections += 1
            socks.append(sock)
            threads.append(threading.Thread(target=serve, args=(sock,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield found
    finally:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(5)
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)


def _read(file: object, sock: socket.socket) -> Call | None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline()  # type: ignore[attr-defined]
        if not line:
            return None
        head += line
    call = Call(head, b"", sock)
    if call.header("transfer-encoding"):
        while size := int(file.readline(), 16):  # type: ignore[attr-defined]
            call.body += file.read(size)  # type: ignore[attr-defined]
            file.readline()  # type: ignore[attr-defined]
        file.readline()  # type: ignore[attr-defined]
    elif length := call.header("content-length"):
        call.body = file.read(int(length[0]))  # type: ignore[attr-defined]
    return call


@dataclass
class Got:
    """An answer as a client sees it. Shape: `cut`: it broke off."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    cut: bool = False

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


class Client:
    """One connection."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(url.partition("://")[2], timeout=20)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def start(self, method: str, target: str, body: bytes | None = None, **headers: str) -> http.client.HTTPResponse:
        """Send a request and read the head of its answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, target, body, named)
        return self._connection.getresponse()

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Got:
        """A request and its whole answer."""
        response = self.start(method, target, body, **headers)
        try:
            return Got(response.status, response.getheaders(), response.read())
        except (http.client.IncompleteRead, ConnectionError) as error:
            self._connection.close()
            partial = error.partial if isinstance(error, http.client.IncompleteRead) else b""
            return Got(response.status, response.getheaders(), partial, cut=True)


def ask(url: str, target: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Got:
    """A request on a connection of its own."""
    with Client(url) as client:
        return client.ask(method, target, body, **headers)
