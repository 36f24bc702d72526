"""The edge over real sockets: what it hands on, what it answers, what it refuses, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import trustme

from localruns.errors import ConfigError
from localruns.surfaces.edge import Edge
from localruns.surfaces.edge import connection as edge_connection
from localruns.surfaces.edge import server as edge_server

MIB = 1024 * 1024
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


class Echo:
    """A WSGI application that remembers its environs and answers by path."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []
        self.threads: list[int] = []
        self.closed: list[str] = []
        self.closing = threading.Event()
        self.release = threading.Event()
        self.entered = threading.Event()
        self.answers: dict[str, Callable[[Any, Any], Any]] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.environs.append(environ)
        self.threads.append(threading.get_ident())
        special = self.answers.get(environ["PATH_INFO"])
        if special is not None:
            return special(environ, start_response)
        body = f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']}".encode("latin-1")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body]

    @property
    def last(self) -> dict[str, Any]:
        return self.environs[-1]


def refuse(status: int, target: str, reason: str) -> tuple[int, list[tuple[str, str]], bytes]:
    return status, [("Content-Type", "text/x-refusal")], f"{status}|{target[:40]}|{reason}".encode()


@pytest.fixture
def app() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.release.set()


@pytest.fixture
def edge(app: Echo) -> Iterator[Edge]:
    with Edge(app, refuse, slow=lambda environ: environ["PATH_INFO"].startswith("/slow")) as running:
        yield running


def connect(edge: Edge) -> socket.socket:
    return socket.create_connection((edge.host, edge.port), timeout=10)


def answer(sock: socket.socket, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Read one answer and nothing behind it; a 100 comes as an answer of its own."""
    reader = sock.makefile("rb", buffering=0)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = reader.read(1)
        if not byte:
            raise EOFError(head)
        head += byte
    status, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = 0 if method == "HEAD" else int(headers.get("content-length", 0))
    body = b""
    while len(body) < length:
        body += reader.read(length - len(body)) or b""
    return int(status.split()[1]), headers, body


def ask(edge: Edge, raw: bytes, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    with connect(edge) as sock:
        sock.sendall(raw)
        return answer(sock, method)


def to_the_end(sock: socket.socket) -> bytes:
    """All bytes until the server closes; a reset is an error."""
    got = b""
    while chunk := sock.recv(65536):
        got += chunk
    return got


def get(target: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: h", *headers, "", ""]).encode("latin-1")


# What the application is given


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a/b?x=1&y=%20", "/a/b", "x=1&y=%20"),
        ("/a?", "/a", ""),
        ("//a//b", "//a//b", ""),
        ("/a%2Fb%20c", "/a/b c", ""),
        ("/%C3%A9", "/Ã©", ""),
        ("http://other:1/p/q?z=1", "/p/q", "z=1"),
        ("http://other", "/", ""),
        ("/a?u=http://x/y?z", "/a", "u=http://x/y?z"),
    ],
)
def test_the_raw_target_is_kept_and_the_path_decoded(edge: Edge, app: Echo, target: str, path: str, query: str) -> None:
    status, _, body = ask(edge, get(target))
    assert (status, body) == (200, b"GET " + target.encode())
    assert app.last["REQUEST_URI"] == app.last["RAW_URI"] == target
    assert (app.last["PATH_INFO"], app.last["QUERY_STRING"]) == (path, query)


def test_a_target_that_comes_in_pieces_is_whole(edge: Edge) -> None:
    with connect(edge) as sock:
        for piece in (b"GE", b"T /a", b"?", b" HTTP/1.1\r\nHo", b"st: h\r\n", b"\r\n"):
            sock.sendall(piece)
        assert answer(sock)[2] == b"GET /a?"


def test_headers_are_given_in_wire_order_and_joined(edge: Edge, app: Echo) -> None:
    ask(edge, get("/", "X-B: 1", "x-a: \xe9 ", "X-B: 2", "Content-Type: a/b", "under_score: 1"))
    assert app.last["localruns.headers"] == (
        ("host", "h"),
        ("x-b", "1"),
        ("x-a", "\xe9"),
        ("x-b", "2"),
        ("content-type", "a/b"),
        ("under_score", "1"),
    )
    assert (app.last["HTTP_X_B"], app.last["CONTENT_TYPE"], app.last["HTTP_HOST"]) == ("1,2", "a/b", "h")
    assert "HTTP_UNDER_SCORE" not in app.last


def test_the_environ_is_complete(edge: Edge, app: Echo) -> None:
    requests.post(edge.url + "/x", data=b"hello", timeout=10)
    environ = app.last
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", str(edge.port))
    assert (environ["SERVER_PROTOCOL"], environ["REMOTE_ADDR"]) == ("HTTP/1.1", "127.0.0.1")
    assert (environ["CONTENT_LENGTH"], environ["localruns.body"]) == ("5", b"hello")
    assert environ["wsgi.input"].read() == b"hello"
    assert (environ["wsgi.url_scheme"], environ["wsgi.version"]) == ("http", (1, 0))


def test_environs_are_not_shared(edge: Edge, app: Echo) -> None:
    requests.get(edge.url, headers={"X-Only": "1"}, timeout=10)
    requests.get(edge.url, timeout=10)
    assert "HTTP_X_ONLY" in app.environs[0]
    assert "HTTP_X_ONLY" not in app.environs[1]


def test_a_chunked_body_is_decoded(edge: Edge, app: Echo) -> None:
    raw = CHUNKED + b"3;x=1\r\nabc\r\n2\r\nde\r\n0\r\nTrail: 1\r\n\r\n"
    assert ask(edge, raw)[0] == 200
    assert (app.last["localruns.body"], app.last["CONTENT_LENGTH"]) == (b"abcde", "5")
    assert "trail" not in dict(app.last["localruns.headers"])


@pytest.mark.parametrize("method", ["CONNECT", "PROPFIND", "M-SEARCH", "OPTIONS", "TRACE", "DELETE"])
def test_odd_methods_reach_the_application(edge: Edge, app: Echo, method: str) -> None:
    target = {"CONNECT": "h:443", "OPTIONS": "*"}.get(method, "/")
    assert ask(edge, f"{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())[0] == 200
    assert (app.last["REQUEST_METHOD"], app.last["REQUEST_URI"]) == (method, target)


# What comes back


def test_an_answer_gets_a_length_and_a_date_and_no_server(edge: Edge) -> None:
    _, headers, body = ask(edge, get("/abc"))
    assert headers["content-length"] == str(len(body)) == "8"
    assert headers["date"].endswith(" GMT")
    assert not {"server", "transfer-encoding", "connection"} & set(headers)


def test_the_applications_own_length_and_date_are_kept(edge: Edge, app: Echo) -> None:
    def own(environ: Any, start_response: Any) -> Any:
        start_response("299 Odd", [("content-length", "2"), ("date", "yesterday"), ("X", "1"), ("X", "2")])
        return iter([b"o", b"k"])

    app.answers["/own"] = own
    with connect(edge) as sock:
        sock.sendall(get("/own", "Connection: close"))
        raw = to_the_end(sock)
    head = b"HTTP/1.1 299 Odd\r\ncontent-length: 2\r\ndate: yesterday\r\nX: 1\r\nX: 2\r\n"
    assert raw == head + b"Connection: close\r\n\r\nok"


def test_head_keeps_the_length_and_sends_no_body(edge: Edge) -> None:
    with connect(edge) as sock:
        sock.sendall(b"HEAD /abc HTTP/1.1\r\n\r\n" + get("/next"))
        status, headers, _ = answer(sock, "HEAD")
        assert (status, headers["content-length"]) == (200, "9")
        assert answer(sock)[2] == b"GET /next"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_has_neither_body_nor_length(edge: Edge, app: Echo, status: str) -> None:
    def bare(environ: Any, start_response: Any) -> Any:
        start_response(status, [])
        return [b"never sent"]

    app.answers["/bare"] = bare
    with connect(edge) as sock:
        sock.sendall(get("/bare") + get("/next"))
        code, headers, _ = answer(sock)
        assert (code, "content-length" in headers) == (int(status[:3]), False)
        assert answer(sock)[2] == b"GET /next"


def test_close_is_called_after_the_answer_is_handed_over(edge: Edge, app: Echo) -> None:
    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"body" * 5 * MIB])

        def close(self) -> None:
            written.append(next(iter(edge._site.state.connections)).transport.get_write_buffer_size())
            app.closing.set()

    written: list[int] = []

    def closing(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return Body()

    app.answers["/closing"] = closing
    assert ask(edge, get("/closing"))[2] == b"body" * 5 * MIB
    assert app.closing.wait(5)
    assert written[0] > 0  # too much for the socket, so the rest was in the transport already


@pytest.mark.parametrize("path", ["/now", "/slow"])
def test_an_exception_is_a_500_without_a_traceback(
    edge: Edge, app: Echo, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    def broken(environ: Any, start_response: Any) -> Any:
        raise ValueError("inner secret")

    app.answers[path] = broken
    with connect(edge) as sock, caplog.at_level(logging.ERROR, "localruns.edge"):
        sock.sendall(get(path + "?token=t0p") + get("/next"))
        status, headers, body = answer(sock)
        assert (status, headers["content-type"]) == (500, "text/x-refusal")
        assert body.startswith(f"500|{path}?token=t0p|".encode())
        assert b"inner secret" not in body
        assert answer(sock)[2] == b"GET /next"
    (record,) = caplog.records
    assert record.exc_info is not None
    assert "t0p" not in record.getMessage()


def _late(environ: Any, start_response: Any) -> Any:
    yield b"half"
    raise SystemExit(3)


def _silent(environ: Any, start_response: Any) -> Any:
    return [b"no start_response"]


def _split(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("X", "a\r\nSet-Cookie: b")])
    return [b""]


@pytest.mark.parametrize("broken", [_late, _silent, _split])
def test_an_answer_that_cannot_be_sent_is_a_500(
    edge: Edge, app: Echo, caplog: pytest.LogCaptureFixture, broken: Callable[..., Any]
) -> None:
    app.answers["/broken"] = broken
    assert ask(edge, get("/broken"))[0] == 500
    assert ask(edge, get("/fine"))[0] == 200
    assert len(caplog.records) == 1


def test_a_refusal_that_fails_is_a_plain_500(app: Echo, caplog: pytest.LogCaptureFixture) -> None:
    def broken(status: int, target: str, reason: str) -> tuple[int, list[tuple[str, str]], bytes]:
        raise ValueError("inner secret")

    with Edge(app, broken) as edge:
        status, _, body = ask(edge, b"nonsense\r\n\r\n")
    assert (status, body) == (500, b"localruns failed\n")


# One connection, many requests


def test_pipelined_requests_are_answered_in_order(edge: Edge) -> None:
    with connect(edge) as sock:
        sock.sendall(get("/1") + get("/2") + get("/3"))
        assert [answer(sock)[2] for _ in range(3)] == [b"GET /1", b"GET /2", b"GET /3"]


def test_a_pipelined_request_waits_for_a_slow_one(edge: Edge, app: Echo) -> None:
    app.answers["/slow"] = lambda environ, start_response: _held(app, environ, start_response)
    with connect(edge) as sock:
        sock.sendall(get("/slow") + get("/2") + b"nonsense\r\n\r\n")
        assert app.entered.wait(5)
        assert requests.get(edge.url + "/other", timeout=10).text == "GET /other"
        app.release.set()
        assert [answer(sock)[2] for _ in range(2)] == [b"held", b"GET /2"]
        assert answer(sock)[0] == 400
    assert app.threads[0] != app.threads[1] == app.threads[2]


def _held(app: Echo, environ: Any, start_response: Any) -> Any:
    app.entered.set()
    assert app.release.wait(10)
    start_response("200 OK", [])
    return [b"held"]


def test_slow_requests_share_one_thread(edge: Edge, app: Echo) -> None:
    with connect(edge) as one, connect(edge) as two:
        one.sendall(get("/slow/1"))
        two.sendall(get("/slow/2"))
        assert (answer(one)[2], answer(two)[2]) == (b"GET /slow/1", b"GET /slow/2")
    assert len(set(app.threads)) == 1


def test_a_client_that_leaves_a_slow_request_harms_nobody(edge: Edge, app: Echo) -> None:
    app.answers["/slow"] = lambda environ, start_response: _held(app, environ, start_response)
    with connect(edge) as sock:
        sock.sendall(get("/slow"))
        assert app.entered.wait(5)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # leave with a reset
    app.release.set()
    assert ask(edge, get("/slow/next"))[0] == 200


def test_a_client_that_has_finished_sending_still_gets_a_slow_answer(edge: Edge, app: Echo) -> None:
    app.answers["/slow"] = lambda environ, start_response: _held(app, environ, start_response)
    with connect(edge) as sock:
        sock.sendall(get("/slow") + get("/2"))
        sock.shutdown(socket.SHUT_WR)
        assert app.entered.wait(5)
        requests.get(edge.url, timeout=10)  # by now the edge has seen the end of the input
        app.release.set()
        raw = to_the_end(sock)
    assert raw.index(b"held") < raw.index(b"GET /2")


def test_a_broken_slow_predicate_is_logged_and_answered_inline(app: Echo, caplog: pytest.LogCaptureFixture) -> None:
    with Edge(app, refuse, slow=lambda environ: environ["no such key"]) as edge:
        assert ask(edge, get("/"))[0] == 200
    assert len(caplog.records) == 1


def test_a_client_that_asks_for_close_gets_it(edge: Edge, app: Echo) -> None:
    with connect(edge) as sock:
        sock.sendall(get("/1", "Connection: close") + get("/2"))
        raw = to_the_end(sock)
    assert b"Connection: close\r\n" in raw
    assert raw.endswith(b"GET /1")
    assert len(app.environs) == 1


def test_http_1_0_closes_unless_it_asks_for_keep_alive(edge: Edge) -> None:
    with connect(edge) as sock:
        sock.sendall(b"GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
        assert answer(sock)[1]["connection"] == "keep-alive"
        raw = to_the_end(sock)
    assert b"Connection: close" in raw
    assert raw.endswith(b"GET /2")


def test_an_idle_connection_is_closed_after_its_time(app: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    assert edge_connection.IDLE_S == 75
    monkeypatch.setattr(edge_connection, "IDLE_S", 0.05)
    with Edge(app, refuse) as edge, connect(edge) as idle, connect(edge) as half:
        half.sendall(b"GET / HT")
        idle.sendall(get("/"))
        assert answer(idle)[0] == 200
        assert to_the_end(idle) == to_the_end(half) == b""


def test_a_client_that_reads_late_gets_everything_in_order(edge: Edge, app: Echo) -> None:
    def big(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [environ["QUERY_STRING"].encode() * 300_000]

    app.answers["/big"] = big
    with connect(edge) as sock:
        sock.sendall(b"".join(get(f"/big?{n:02}") for n in range(40)))
        requests.get(edge.url, timeout=10)  # the edge has filled the pipe and serves others
        assert len(app.environs) < 40
        for n in range(40):
            assert answer(sock)[2] == f"{n:02}".encode() * 300_000


# Upgrades and expectations


def test_an_upgrade_offer_is_ignored(edge: Edge, app: Echo) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAAA")
    with connect(edge) as sock:
        sock.sendall(get("/1", *offer) + get("/2", *offer) + get("/3"))
        assert [answer(sock)[2] for _ in range(3)] == [b"GET /1", b"GET /2", b"GET /3"]
        sock.sendall(get("/4", *offer))
        assert answer(sock)[2] == b"GET /4"
    assert app.last["HTTP_UPGRADE"] == "h2c"


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
)
@pytest.mark.parametrize("piece", [1, 30, 10_000])
def test_the_body_of_a_request_with_an_upgrade_offer_is_read(edge: Edge, app: Echo, body: bytes, piece: int) -> None:
    raw = b"PUT /p HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n" + body + get("/next")
    with connect(edge) as sock:
        for start in range(0, len(raw), piece):
            sock.sendall(raw[start : start + piece])
        assert answer(sock)[2] == b"PUT /p"
        assert answer(sock)[2] == b"GET /next"
    assert app.environs[0]["localruns.body"] == b"hello"
    assert app.environs[0]["HTTP_UPGRADE"] == "h2c"


def test_a_client_that_expects_100_continue_is_told_to_go_on(edge: Edge, app: Echo) -> None:
    with connect(edge) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
        assert answer(sock)[0] == 100
        sock.sendall(b"hi")
        assert answer(sock)[0] == 200
    assert app.last["localruns.body"] == b"hi"


def test_a_body_too_long_is_refused_instead_of_100_continue(edge: Edge) -> None:
    with connect(edge) as sock:
        sock.sendall(b"POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4194305\r\n\r\n")
        status, headers, body = answer(sock)
    assert (status, headers["connection"]) == (413, "close")
    assert body.startswith(b"413|/x|")


# Refusals


BAD = [
    (b"nonsense\r\n\r\n", ""),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ""),
    (b"FROB /api/v1/runs?x HTTP/1.1\r\n\r\n", "/api/v1/runs?x"),
    (b"GET /a b c HTTP/1.1\r\n\r\n", "/a"),
    (b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n", "/\xc3\xa9"[:40]),
    (b"GET /a?\r\n\r\n", "/a?"),
    (b"GET /a HTTP/2.0\r\n\r\n", "/a"),
    (b"GET /a HTTP/3.7\r\n\r\n", "/a"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "*"),
    (b"GET /a HTTP/1.1\r\nbad header\r\n\r\n", "/a"),
    (b"GET /a HTTP/1.1\r\nX: \x00\r\n\r\n", "/a"),
    (b"GET /a HTTP/1.1\r\nX: 1\r\n folded\r\n\r\n", "/a"),
    (b"POST /a HTTP/1.1\r\nContent-Length: abc\r\n\r\n", "/a"),
    (b"POST /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "/a"),
    (b"POST /a HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", "/a"),
    (b"POST /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "/a"),
    (b"POST /a HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "/a"),
    (b"POST /a HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "/a"),
    (b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "/a"),
    (b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX", "/a"),
]


@pytest.mark.parametrize(("raw", "target"), BAD)
def test_a_malformed_request_is_refused_with_its_target(edge: Edge, app: Echo, raw: bytes, target: str) -> None:
    with connect(edge) as sock:
        sock.sendall(get("/good") + raw)
        assert answer(sock)[2] == b"GET /good"
        after_good = answer(sock)
    with connect(edge) as sock:
        sock.sendall(raw)
        status, headers, body = answer(sock)
        assert to_the_end(sock) == b""
    assert (status, after_good[0], headers["connection"]) == (400, 400, "close")
    assert body.decode().startswith(f"400|{target}|")
    assert len(app.environs) == 1


def header_line(size: int) -> str:
    """A header that counts as `size` bytes, name, colon, space and line break included."""
    return "X: " + "a" * (size - 5)


LIMIT = 64 * 1024


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (get("/" + "u" * (LIMIT - 1)), 200),
        (get("/" + "u" * LIMIT), 414),
        (get("/", header_line(LIMIT - 9)), 200),
        (get("/", header_line(LIMIT - 8)), 431),
        (get("/", *["X: 1"] * 20_000), 431),
        (b"POST / HTTP/1.1\r\nContent-Length: 4194304\r\n\r\n" + b"b" * 4 * MIB, 200),
        (b"POST / HTTP/1.1\r\nContent-Length: 4194305\r\n\r\n", 413),
    ],
)
def test_the_limits_are_exact(edge: Edge, raw: bytes, status: int) -> None:
    assert ask(edge, raw)[0] == status


def test_a_big_body_before_a_head_in_pieces_does_not_count_as_headers(edge: Edge) -> None:
    with connect(edge) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"b" * 1_000_000 + b"GET /ne")
        assert answer(sock)[0] == 200
        sock.sendall(b"xt HTTP/1.1\r\n\r\n")
        assert answer(sock)[2] == b"GET /next"


TEN_MB = [
    (b"GET /" + b"u" * 10 * MIB + b" HTTP/1.1\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nX: " + b"h" * 10 * MIB + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\n" + b"X: 12345\r\n" * MIB + b"\r\n", 431),
    (b"POST / HTTP/1.1\r\nContent-Length: 10485760\r\n\r\n" + b"b" * 10 * MIB, 413),
    (CHUNKED + (b"10000\r\n" + b"b" * 65536 + b"\r\n") * 160, 413),
    (CHUNKED + b"1;" + b"x" * 40 * MIB, 413),
]


@pytest.mark.parametrize(("raw", "status"), TEN_MB)
def test_a_client_that_sends_far_too_much_gets_the_answer_and_no_reset(
    edge: Edge, app: Echo, raw: bytes, status: int
) -> None:
    with connect(edge) as sock:
        sock.sendall(raw)
        got, headers, body = answer(sock)
        assert to_the_end(sock) == b""
    assert (got, headers["connection"]) == (status, "close")
    assert body.startswith(f"{status}|/".encode())
    assert app.environs == []


def test_requests_sees_the_refusal_of_what_is_far_too_much(edge: Edge) -> None:
    big = "x" * 10 * MIB
    assert requests.post(edge.url, data=big, timeout=10).status_code == 413
    assert requests.get(edge.url, headers={"X-Big": big}, timeout=10).status_code == 431
    assert requests.get(edge.url + "/" + big, timeout=10).status_code == 414


def test_httpx_sees_the_refusal_of_what_is_far_too_much(edge: Edge) -> None:
    big = "x" * 10 * MIB
    with httpx.Client(timeout=10) as client:
        assert client.post(edge.url, content=big).status_code == 413
        assert client.get(edge.url, headers={"X-Big": big}).status_code == 431


def test_a_refused_client_that_never_stops_sending_is_cut_off(edge: Edge) -> None:
    with connect(edge) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            sock.sendall(b"x" * 200 * MIB)


def test_a_refused_client_that_stays_is_closed_in_the_end(app: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    assert edge_connection.LINGER_S == 2
    monkeypatch.setattr(edge_connection, "LINGER_S", 0.02)
    with Edge(app, refuse) as edge, connect(edge) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        to_the_end(sock)
        sock.settimeout(5)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            keep_sending(sock)


def keep_sending(sock: socket.socket) -> None:
    while True:
        sock.sendall(b"x")


# Start and stop


def timed(act: Callable[[], None]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def test_start_returns_with_the_real_port_and_a_thread_of_its_own(app: Echo) -> None:
    edge = Edge(app, refuse)
    edge.start()
    try:
        assert edge.port > 0
        assert edge.url == f"http://127.0.0.1:{edge.port}"
        assert requests.get(edge.url, timeout=10).status_code == 200
        assert app.threads[0] != threading.get_ident()
        with pytest.raises(RuntimeError, match="already"):
            edge.start()
    finally:
        edge.stop()


def test_stop_can_be_called_twice_and_before_start(app: Echo) -> None:
    edge = Edge(app, refuse)
    edge.stop()
    edge.start()
    edge.stop()
    edge.stop()
    with pytest.raises(ConnectionRefusedError):
        connect(edge)


def test_a_stopped_edge_starts_again_on_its_port(app: Echo) -> None:
    edge = Edge(app, refuse)
    with edge:
        first = edge.port
        assert ask(edge, get("/", "Connection: close"))[0] == 200
    with edge:
        assert edge.port == first
        assert ask(edge, get("/"))[0] == 200


def test_two_edges_serve_side_by_side(app: Echo) -> None:
    with Edge(app, refuse) as one, Edge(app, refuse) as two:
        assert one.port != two.port
        with connect(one) as left, connect(two) as right:
            left.sendall(get("/left"))
            right.sendall(get("/right"))
            assert (answer(right)[2], answer(left)[2]) == (b"GET /right", b"GET /left")


def test_stop_takes_less_than_50_ms_with_idle_and_stalled_connections(app: Echo) -> None:
    edge = Edge(app, refuse)
    edge.start()
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connect(edge)) for _ in range(20)]
        for sock in idle:
            sock.sendall(get("/"))
            answer(sock)
        stalled = [stack.enter_context(connect(edge)) for _ in range(20)]
        for sock in stalled:
            sock.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        requests.get(edge.url, timeout=10)
        assert timed(edge.stop) < 0.05
        for sock in idle + stalled:
            with contextlib.suppress(ConnectionResetError):
                assert sock.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            connect(edge)


def test_stop_takes_less_than_50_ms_with_slow_work_under_way(edge: Edge, app: Echo) -> None:
    app.answers["/slow"] = lambda environ, start_response: _held(app, environ, start_response)
    with connect(edge) as sock:
        sock.sendall(get("/slow"))
        assert app.entered.wait(5)
        assert timed(edge.stop) < 0.05
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""


def test_stop_takes_less_than_50_ms_with_an_answer_nobody_reads(edge: Edge, app: Echo) -> None:
    def big(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [b"x" * 50 * MIB]

    app.answers["/big"] = big
    with connect(edge) as sock:
        sock.sendall(get("/big"))
        requests.get(edge.url, timeout=10)
        assert timed(edge.stop) < 0.05


def test_an_application_can_stop_its_own_server(edge: Edge, app: Echo) -> None:
    def last(environ: Any, start_response: Any) -> Any:
        edge.stop()
        start_response("200 OK", [])
        return [b"bye"]

    app.answers["/last"] = last
    assert ask(edge, get("/last"))[2] == b"bye"


def test_starting_and_stopping_leaks_no_files_or_threads(app: Echo) -> None:
    def one() -> None:
        with Edge(app, refuse) as edge:
            ask(edge, get("/"))

    before = set(threading.enumerate())  # other tests of this process may have servers of their own
    one()
    files = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    for _ in range(20):
        one()
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) <= files + 1
    left = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("localruns-edge-")]
    assert not [thread for thread in left if thread.join(1) is None and thread.is_alive()]


def test_run_serves_until_stop_is_called_from_another_thread(app: Echo) -> None:
    edge = Edge(app, refuse)
    seen: list[int] = []

    def visit() -> None:
        seen.append(ask(edge, get("/"))[0])
        edge.stop()

    visitor = threading.Thread(target=visit)
    edge.run(visitor.start)
    visitor.join(5)
    assert seen == [200]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_returns_on_a_signal_and_puts_the_handlers_back(app: Echo, number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    edge = Edge(app, refuse)

    def visit() -> None:
        ask(edge, get("/"))
        os.kill(os.getpid(), number)

    visitor = threading.Thread(target=visit)
    edge.run(visitor.start)
    visitor.join(5)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_server_process_ends_quietly_on_sigterm_with_a_connection_open() -> None:
    program = (
        "from localruns.surfaces.edge import Edge\n"
        "def app(e, s): s('200 OK', []); return [b'']\n"
        "edge = Edge(app, lambda s, t, r: (s, [], b''))\n"
        "edge.run(lambda: print(edge.port, flush=True))\n"
        "print('done', flush=True)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(edge_server.__file__).parents[3]), "PYTHONWARNINGS": "error"}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            sock.sendall(b"GET / HT")
            server.send_signal(signal.SIGTERM)
            out, err = server.communicate(timeout=10)
    assert (server.returncode, out, err) == (0, "done\n", "")


# Sockets


def test_a_port_in_use_is_one_clear_line(edge: Edge, app: Echo) -> None:
    expected = f"127.0.0.1:{edge.port} is in use already: choose another with --port, or --port 0 for a free one"
    with pytest.raises(ConfigError) as caught:
        Edge(app, refuse, port=edge.port).start()
    assert caught.value.problems == (expected,)
    with pytest.raises(ConfigError):
        Edge(app, refuse, port=edge.port).run(lambda: None)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("192.0.2.1", 0, "192.0.2.1 is not an address of this machine"),
        ("127.0.0.1", 70_000, "port 70000 was found, 0 to 65535 was expected"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_config_error(app: Echo, host: str, port: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Edge(app, refuse, host=host, port=port).start()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_host_is_a_config_error(app: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConfigError, match="no-such-host is not a known host name: choose another with --host"):
        Edge(app, refuse, host="no-such-host").start()


def test_permission_denied_is_a_config_error(app: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", denied)
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:80 may not be used, permission denied"):
        Edge(app, refuse, port=80).start()


def test_a_host_name_is_listened_on_with_one_socket(app: Echo) -> None:
    with Edge(app, refuse, host="localhost") as edge:
        assert edge.url == f"http://localhost:{edge.port}"
        assert requests.get(edge.url, timeout=10).status_code == 200


def test_an_ipv6_address_is_bracketed(app: Echo) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    with Edge(app, refuse, host="::1") as edge:
        assert edge.url == f"http://[::1]:{edge.port}"
        assert requests.get(edge.url, timeout=10).status_code == 200


def test_connections_do_not_delay_small_packets(edge: Edge) -> None:
    with connect(edge) as sock:
        sock.sendall(get("/"))
        answer(sock)
        (connection,) = edge._site.state.connections
        peer = connection.transport.get_extra_info("socket")
        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_it_works_on_the_plain_asyncio_loop_too(app: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_server, "_new_loop", asyncio.new_event_loop)
    with Edge(app, refuse) as edge:
        assert requests.post(edge.url, data=b"x" * 10 * MIB, timeout=10).status_code == 413
        with connect(edge) as idle, connect(edge) as half:
            idle.sendall(get("/"))
            assert answer(idle)[0] == 200
            half.sendall(b"GET / HT")
            assert timed(edge.stop) < 0.05


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_edge(app: Echo, authority: trustme.CA) -> Iterator[Edge]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Edge(app, refuse, tls=context, slow=lambda environ: environ["PATH_INFO"] == "/slow") as running:
        yield running


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_tls_is_served(tls_edge: Edge, app: Echo, authority: trustme.CA) -> None:
    with httpx.Client(verify=trusting(authority)) as client:
        assert tls_edge.url.startswith("https://127.0.0.1:")
        assert client.get(tls_edge.url + "/a").text == "GET /a"
        assert client.get(tls_edge.url + "/slow").text == "GET /slow"
        assert client.post(tls_edge.url, content=b"x" * 10 * MIB).status_code == 413
    assert app.environs[0]["wsgi.url_scheme"] == "https"


def test_what_is_not_tls_or_not_trusted_harms_nobody(
    tls_edge: Edge, authority: trustme.CA, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(tls_edge) as sock:
        sock.sendall(get("/plain"))
        with contextlib.suppress(ConnectionResetError):
            to_the_end(sock)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(tls_edge.url, timeout=10)
    with httpx.Client(verify=trusting(authority)) as client:
        assert client.get(tls_edge.url).status_code == 200
    assert caplog.records == []


def test_a_request_in_the_same_packet_as_the_end_of_the_handshake_is_answered(
    tls_edge: Edge, authority: trustme.CA
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trusting(authority).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    got = b""
    with connect(tls_edge) as sock:
        while not got:
            try:
                tls.do_handshake()
                tls.write(get("/early", "Connection: close"))
                sock.sendall(outgoing.read())  # the end of the handshake and the request
                while not got:
                    incoming.write(sock.recv(65536))
                    with contextlib.suppress(ssl.SSLWantReadError):
                        got = tls.read()
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(65536))
    assert got.endswith(b"GET /early")


def test_stop_takes_less_than_50_ms_with_tls_idle_stalled_and_unshaken(tls_edge: Edge, authority: trustme.CA) -> None:
    context = trusting(authority)
    with connect(tls_edge), contextlib.ExitStack() as stack:
        for sent in (get("/"), b"GET / HT"):
            client = context.wrap_socket(connect(tls_edge), server_hostname="127.0.0.1")
            stack.enter_context(client).sendall(sent)
        connection = http.client.HTTPSConnection("127.0.0.1", tls_edge.port, context=context, timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"GET /"
        assert timed(tls_edge.stop) < 0.05
        connection.close()


# Many connections


def test_a_thousand_idle_connections_do_not_slow_a_request(edge: Edge) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 2500:
        pytest.skip("too few open files allowed")

    def hundred() -> float:
        return timed(lambda: [sock.sendall(get("/")) or answer(sock) for _ in range(100)] and None)

    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(connect(edge))
        alone = min(hundred() for _ in range(3))
        for _ in range(1000):
            stack.enter_context(connect(edge))
        crowded = min(hundred() for _ in range(3))
        assert len(edge._site.state.connections) == 1001
        assert crowded < 3 * alone + 0.01
        assert timed(edge.stop) < 0.05
