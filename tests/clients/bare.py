"""Requests on bare sockets, byte by byte, to a server of one vendor whose answers break."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from localruns.engine.namespace import Namespace
from localruns.surfaces.edge import Edge
from tests.clients.pagers import HEADERS

VENDOR = "naver-nsml"
HEADER = HEADERS[VENDOR]
PATH = "/nsml/v1/projects/runs?pageSize=10"
ONE_PAGE = "".join(
    [f"GET {PATH} HTTP/1.1\r\nHost: h\r\n", *(f"{k}: {v}\r\n" for k, v in HEADER.items()), "\r\n"]
).encode()
HEAVY = {"dribble": {"bytes": 1, "every_ms": 100}}  # 10 bytes/s
PATIENCE_S = 20.0


def arm(space: Namespace, wire: dict[str, Any], **when: Any) -> None:
    space.arm({"when": {"vendor": VENDOR, **when}, "wire": wire})


def connect(edge: Edge) -> socket.socket:
    return socket.create_connection((edge.host, edge.port), timeout=PATIENCE_S)


def asked(edge: Edge, times: int = 1) -> socket.socket:
    sock = connect(edge)
    sock.sendall(ONE_PAGE * times)
    return sock


def until_reset(sock: socket.socket) -> bytes:
    """All bytes before a TCP reset; an orderly end is an error."""
    got = bytearray()
    with pytest.raises(ConnectionResetError):  # noqa: PT012 - the bytes before it are wanted
        while chunk := sock.recv(65536):
            got += chunk
    return bytes(got)


def to_the_end(sock: socket.socket) -> bytes:
    got = b""
    while chunk := sock.recv(65536):
        got += chunk
    return got


def bodies(sock: socket.socket, count: int) -> list[bytes]:
    """The bodies of the next answers of one connection."""
    found = []
    reader = sock.makefile("rb")
    for _ in range(count):
        assert reader.readline().startswith(b"HTTP/1.1 200")
        headers = http.client.parse_headers(reader)
        found.append(reader.read(int(headers["Content-Length"])))
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    """Poll what happens in the server's thread and tells nobody."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
