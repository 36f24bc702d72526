"""The side towards the platform: a request is sent once, as it is given, and the answer is read piece by piece."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from localruns.engine.message import Request
from localruns.errors import ConfigError
from localruns.surfaces.options import hidden, url_parts

PIECE_BYTES = 64 * 1024
MOST_HINTS = 20
IDLE_S = 4.0  # servers close what is idle, most of them after 5 s or more; a request must not meet that


class Failure(Exception):
    """The platform did not answer, or not to the end, in words; `status` is what the client is told."""

    def __init__(self, words: str, status: int = 502) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the platform is. Shape: `host` as `Host` has it; `base` the path before all others, no slash at its end."""

    secure: bool
    name: str
    port: int
    host: str
    base: str
    context: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, and its body as it comes.

    Shape: `length` in bytes, None where only the end tells; `pieces` raises Failure when the body is cut short.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    length: int | None
    pieces: Iterator[bytes]


def upstream(url: str, ca: Path | None = None) -> Upstream:
    """The platform at a URL. Raises ConfigError."""
    parts = url_parts("--upstream", url)
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(f"--upstream is {hidden(url)!r}, expected no user, query or fragment in it")
    secure = parts.scheme == "https"
    name = parts.hostname or ""
    try:
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
        name = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        raise ConfigError(f"--upstream is {hidden(url)!r}, expected the name of a host") from None
    place = parts.port or (443 if secure else 80)
    context = _context(ca) if secure or ca else None
    return Upstream(secure, name, place, host, parts.path.rstrip("/"), context if secure else None)


def _context(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except (OSError, ssl.SSLError) as error:
            why = "" if isinstance(error, ssl.SSLError) else f": {error.strerror or error}"
            raise ConfigError(f"--ca {ca}: found no certificates in PEM, expected some{why}") from None
    return context


class Line:
    """One connection to the platform, kept open from one request to the next; `watch` is told of each socket."""

    def __init__(self, place: Upstream, timeout_s: float, watch: Callable[[socket.socket], object]) -> None:
        self._place, self._timeout_s, self._watch = place, timeout_s, watch
        self._connection: http.client.HTTPConnection | None = None
        self._used_s = 0.0

    def ask(self, request: Request, rest: Iterable[bytes] = ()) -> Answer:
        """The answer to a request; `rest` is what of its body follows in chunks. Raises Failure."""
        try:
            sock = self._ready()
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self.close()
            raise self._cannot_connect(error) from None
        response = http.client.HTTPResponse(sock, method=request.method)
        try:
            self._send(sock, request, rest)
            _begin(response)
        except (OSError, http.client.HTTPException, ValueError) as error:
            response.close()
            self.close()
            raise self._no_answer(error) from None
        if response.status == http.client.SWITCHING_PROTOCOLS:  # from here on it is no HTTP, and there is no end to it
            response.close()
            self.close()
            raise Failure("the platform switched to another protocol, which can be neither passed on nor recorded")
        headers = tuple((name, _one_line(value)) for name, value in response.headers.items())
        length = None if response.chunked else response.length
        return Answer(response.status, response.reason, headers, length, self._pieces(response))

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ready(self) -> socket.socket:
        """The socket of a connection that can take a request."""
        if self._connection is not None and (time.monotonic() - self._used_s > IDLE_S or self._gone()):
            self.close()
        if self._connection is None:
            place = self._place
            if place.context is not None:
                self._connection = http.client.HTTPSConnection(
                    place.name, place.port, timeout=self._timeout_s, context=place.context
                )
            else:
                self._connection = http.client.HTTPConnection(place.name, place.port, timeout=self._timeout_s)
            self._connection.connect()
            self._watch(self._connection.sock)
        sock: socket.socket = self._connection.sock
        return sock

    def _gone(self) -> bool:
        """Whether the platform has hung up, or says something nobody has asked for."""
        sock = self._connection.sock if self._connection else None
        return sock is None or bool(select.select([sock], [], [], 0)[0])

    def _send(self, sock: socket.socket, request: Request, rest: Iterable[bytes]) -> None:
        lines = [
            f"{request.method} {request.target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in request.headers),
        ]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        # Who refuses a body early may hang up on the rest of it; the refusal is there to be read all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(head + request.body)
            for piece in rest:
                sock.sendall(piece)

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        whole, got, kept = response.length, 0, False
        try:
            while piece := response.read1(PIECE_BYTES):
                got += len(piece)
                yield piece
        except TimeoutError:
            raise Failure(f"the answer broke off after {got:,} bytes: nothing for {self._timeout_s:g} s", 504) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Failure(f"the answer broke off after {got:,} bytes: {_words(error)}") from None
        else:
            if response.length:
                raise Failure(f"the answer broke off after {got:,} of {whole:,} bytes")
            kept = not response.will_close
        finally:
            response.close()
            self._used_s = time.monotonic()
            if not kept:
                self.close()

    def _cannot_connect(self, error: Exception) -> Failure:
        where = f"{self._place.name}:{self._place.port}"
        if isinstance(error, TimeoutError):
            return Failure(f"{where} cannot be reached: no connection within {self._timeout_s:g} s", 504)
        if isinstance(error, ssl.SSLCertVerificationError):
            words = f"{error.verify_message}; --ca names another authority"
            return Failure(f"the certificate of {where} is not trusted: {words}")
        return Failure(f"{where} cannot be reached: {_words(error)}")

    def _no_answer(self, error: Exception) -> Failure:
        if isinstance(error, TimeoutError):
            return Failure(f"no answer within {self._timeout_s:g} s", 504)
        if isinstance(error, http.client.RemoteDisconnected):
            return Failure("the connection was closed without an answer")
        if isinstance(error, http.client.HTTPException | ValueError):
            return Failure(f"what came is no HTTP answer ({type(error).__name__})")
        return Failure(f"no answer: {_words(error)}")


def _begin(response: http.client.HTTPResponse) -> None:
    """Read the head of the answer itself: those that only announce it, such as 103 Early Hints, come before."""
    response.begin()
    for _ in range(MOST_HINTS):
        if not 100 < response.status < 200 or response.status == http.client.SWITCHING_PROTOCOLS:
            return
        response.headers = response.msg = None  # type: ignore[assignment]
        response.begin()
    raise http.client.BadStatusLine("announcements without an answer")


def _words(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was closed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _one_line(value: str) -> str:
    """A header's value; the line breaks of the old folded form would otherwise go out as lines of their own."""
    return " ".join(value.split("\n")).replace("\r", "") if "\n" in value or "\r" in value else value
