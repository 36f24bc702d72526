"""Answers of one turn of the event loop are written together; nobody's is lost or overtaken."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from localruns.surfaces.edge import Edge
from localruns.surfaces.edge.outbox import MAX_WAITING_BYTES, Outbox

GET = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Turns:
    """An event loop: what is to be done in its next turn."""

    def __init__(self) -> None:
        self.next: list[Callable[[], object]] = []

    def call_soon(self, act: Callable[[], object]) -> None:
        self.next.append(act)

    def turn(self) -> None:
        acts, self.next = self.next, []
        for act in acts:
            act()


class Wire:
    """What was written, by whom."""

    def __init__(self) -> None:
        self.written: list[tuple[str, bytes]] = []
        self.gone: set[str] = set()
        self.loop = Turns()

    def sender(self, name: str) -> Any:
        transport = SimpleNamespace(
            is_closing=lambda: name in self.gone, write=lambda data: self.written.append((name, data))
        )
        return SimpleNamespace(loop=self.loop, transport=transport, unsent=False)


def test_answers_of_one_turn_are_written_after_the_last_of_them_in_order() -> None:
    wire, outbox = Wire(), Outbox()
    one, other = wire.sender("one"), wire.sender("other")
    outbox.put(one, b"1")
    outbox.put(other, b"2")
    assert (wire.written, one.unsent, other.unsent) == ([], True, True)
    wire.loop.turn()
    assert wire.written == [("one", b"1"), ("other", b"2")]
    assert (one.unsent, other.unsent, wire.loop.next) == (False, False, [])
    outbox.put(one, b"3")
    wire.loop.turn()
    assert wire.written[2:] == [("one", b"3")]


def test_much_is_written_at_once() -> None:
    wire, outbox = Wire(), Outbox()
    half = bytes(MAX_WAITING_BYTES // 2 + 1)
    outbox.put(wire.sender("one"), half)
    assert not wire.written
    outbox.put(wire.sender("other"), half)
    assert [name for name, _ in wire.written] == ["one", "other"]
    wire.loop.turn()
    assert len(wire.written) == 2


def test_who_is_gone_holds_nobody_up() -> None:
    wire, outbox = Wire(), Outbox()
    outbox.put(wire.sender("one"), b"1")
    outbox.put(wire.sender("other"), b"2")
    wire.gone.add("one")
    wire.loop.turn()
    assert wire.written == [("other", b"2")]


@pytest.fixture
def held() -> Iterator[tuple[Edge, threading.Event, threading.Event]]:
    """A server whose event loop stands still in a request for `/hold`, and the events of its entry and its release."""
    entered, release = threading.Event(), threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/hold":
            entered.set()
            release.wait(10)
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    with Edge(app, lambda status, target, reason: (status, [], reason.encode())) as edge:
        yield edge, entered, release
        release.set()


def test_clients_that_are_heard_at_once_get_their_own_answers_and_the_end(
    held: tuple[Edge, threading.Event, threading.Event],
) -> None:
    edge, entered, release = held
    holding = socket.create_connection(("127.0.0.1", edge.port))
    holding.sendall(GET % b"hold")
    assert entered.wait(10)
    clients = []
    for number in range(20):
        client = socket.create_connection(("127.0.0.1", edge.port))
        client.settimeout(10)
        client.sendall(GET % b"%d-a" % number + GET % b"%d-b" % number + (b"nonsense\r\n\r\n" if number % 2 else b""))
        client.shutdown(socket.SHUT_WR)
        clients.append(client)
    release.set()
    for number, client in enumerate(clients):
        with client:
            answer = b"".join(iter(lambda client=client: client.recv(65536), b""))
        first, second = answer.index(b"/%d-a" % number), answer.index(b"/%d-b" % number)
        assert first < second
        assert answer.count(b"HTTP/1.1 200") == 2
        assert answer.count(b"HTTP/1.1 400") == number % 2
        assert b"malformed" not in answer[:second]
    holding.close()
