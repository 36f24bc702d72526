"""Wire faults on bare sockets: connections that go on after one, hang, dribble, are left, or end with the server."""

from __future__ import annotations

import contextlib
import resource
import socket
import statistics
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import requests

from localruns.engine.journal import Entry
from localruns.engine.namespace import Namespace
from localruns.engine.walks import MAX_WALKS
from localruns.surfaces.edge import Edge
from localruns.surfaces.edge.connection import MAX_WAITING
from localruns.surfaces.http import App, refuser
from tests.clients.bare import (
    HEADER,
    HEAVY,
    ONE_PAGE,
    PATH,
    PATIENCE_S,
    VENDOR,
    arm,
    asked,
    bodies,
    connect,
    timed,
    to_the_end,
    until_reset,
    wait_until,
)
from tests.conftest import MakeApp


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app(vendor=VENDOR)


@pytest.fixture
def space(app: App) -> Namespace:
    return app.emulator.space("default")


@pytest.fixture
def edge(app: App) -> Iterator[Edge]:
    with Edge(app, refuser(app.emulator)) as running:
        yield running


@pytest.fixture
def settled(app: App) -> Callable[[int], list[Entry]]:
    """`settled(2)` waits until two answers are over and returns their journal entries in that order."""
    found: list[Entry] = []
    more = threading.Condition()

    def note(_space: Namespace, entry: Entry) -> None:
        with more:
            found.append(entry)
            more.notify_all()

    app.emulator.listeners.append(note)

    def wait(count: int) -> list[Entry]:
        with more:
            assert more.wait_for(lambda: len(found) >= count, PATIENCE_S), f"{len(found)} of {count}"
            return list(found)

    return wait


# Connections that go on


@pytest.mark.parametrize("wire", [{"latency_ms": 5}, {"dribble": {"bytes": 400, "every_ms": 1}}], ids=str)
def test_a_kept_connection_survives_a_slow_answer(edge: Edge, space: Namespace, wire: dict[str, Any]) -> None:
    arm(space, wire, every=2)
    with asked(edge) as sock:
        for _ in range(5):
            assert b"runList" in bodies(sock, 1)[0]
            sock.sendall(ONE_PAGE)
    with requests.Session() as session:
        answers = [session.get(edge.url + PATH, headers=HEADER, timeout=PATIENCE_S) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 4
    with httpx.Client() as client:
        assert [client.get(edge.url + PATH, headers=HEADER).status_code for _ in range(4)] == [200] * 4


def test_pipelined_requests_are_answered_in_order_around_a_slow_one(edge: Edge, space: Namespace) -> None:
    arm(space, {"latency_ms": 5}, call=2)
    arm(space, {"bandwidth_bytes_per_s": 10**8}, call=3)
    with connect(edge) as sock:
        sock.sendall(b"".join(ONE_PAGE.replace(b"pageSize=10", b"pageSize=%d" % size) for size in (1, 2, 3, 4)))
        assert [body.count(b'"runName"') for body in bodies(sock, 4)] == [1, 2, 3, 4]


def test_many_pipelined_slow_answers_come_one_by_one(edge: Edge, space: Namespace) -> None:
    arm(space, {"dribble": {"bytes": 10**6, "every_ms": 1}})
    count = 20 * MAX_WAITING
    with connect(edge) as sock:
        sender = threading.Thread(target=sock.sendall, args=(ONE_PAGE * count,))
        sender.start()
        assert len(bodies(sock, count)) == count
        sender.join(PATIENCE_S)
    assert space.states[VENDOR].calls == count


def test_a_closing_connection_closes_behind_a_slow_answer(edge: Edge, space: Namespace) -> None:
    arm(space, {"latency_ms": 3})
    with connect(edge) as sock:
        sock.sendall(ONE_PAGE.replace(b"Host", b"Connection: close\r\nHost"))
        assert to_the_end(sock).endswith(b"}")


# Where it breaks off


@pytest.mark.parametrize("count", [0, 1, 17, 700, 40_000, 400_000])
def test_a_reset_comes_after_just_so_many_bytes(make_app: MakeApp, count: int) -> None:
    app = make_app(vendor=VENDOR, runs=[{"generate": 2000}], settings={"max_page_size": 2000})
    arm(app.emulator.space("default"), {"reset_after_bytes": count})
    with Edge(app, refuser(app.emulator)) as edge, connect(edge) as sock:
        sock.sendall(ONE_PAGE.replace(b"pageSize=10", b"pageSize=2000"))
        assert len(until_reset(sock)) == count


def test_what_is_cut_off_is_what_would_have_come(edge: Edge, space: Namespace) -> None:
    with asked(edge) as sock:
        (body,) = bodies(sock, 1)
    arm(space, {"truncate_body_after_bytes": 100})
    with asked(edge) as sock:
        head, _, cut = to_the_end(sock).partition(b"\r\n\r\n")
    assert cut == body[:100]
    assert b"Content-Length: %d" % len(body) in head


def test_the_first_of_several_cuts_is_the_end(edge: Edge, space: Namespace) -> None:
    arm(space, {"truncate_body_after_bytes": 100, "reset_after_bytes": 50, "stall_after_bytes": 60})
    with asked(edge) as sock:
        assert len(until_reset(sock)) == 50


@pytest.mark.parametrize("wire", [{"empty_reply": True}, {"truncate_body_after_bytes": 9}], ids=str)
def test_nothing_is_answered_behind_what_broke_off(edge: Edge, space: Namespace, wire: dict[str, Any]) -> None:
    arm(space, wire, call=1)
    with asked(edge, times=3) as sock, contextlib.suppress(ConnectionResetError):
        assert b"200 OK" not in to_the_end(sock)[20:]
    assert space.states[VENDOR].calls == 1


# Clients that leave, and the end of the server


def test_a_client_that_leaves_while_being_dribbled_to_got_a_broken_answer(
    edge: Edge, space: Namespace, settled: Callable[[int], list[Entry]]
) -> None:
    arm(space, {"dribble": {"bytes": 1, "every_ms": 2}})
    with asked(edge) as sock:
        assert sock.recv(1) == b"H"
    (entry,) = settled(1)
    assert (entry.sent, entry.broken) == (True, True)
    assert not edge._site.connections


def test_a_client_that_gives_up_during_a_latency_and_asks_again_is_served_once(
    edge: Edge, space: Namespace, settled: Callable[[int], list[Entry]]
) -> None:
    arm(space, {"latency_ms": 3_600_000}, call=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(edge.url + PATH, headers=HEADER, timeout=0.2)
    (gone,) = settled(1)
    assert gone.broken
    requests.get(edge.url + PATH, headers=HEADER, timeout=PATIENCE_S)
    (walk,) = space.walks
    assert [(visit.outcome, visit.retry) for visit in walk.visits] == [("broken", False), ("whole", True)]
    assert space.states[VENDOR].rows == 10


@pytest.mark.parametrize("count", [0, 200])
def test_a_stalled_connection_is_let_go_when_its_client_leaves(edge: Edge, space: Namespace, count: int) -> None:
    arm(space, {"stall_after_bytes": count}, calls=[1, 20])
    socks = [asked(edge, times=3) for _ in range(20)]
    wait_until(lambda: space.states[VENDOR].calls == 20)
    for sock in socks:
        assert len(sock.recv(count, socket.MSG_WAITALL)) == count
        sock.close()
    wait_until(lambda: not edge._site.connections)
    assert requests.get(edge.url + PATH, headers=HEADER, timeout=PATIENCE_S).status_code == 200
    assert space.states[VENDOR].calls == 21


@pytest.mark.parametrize(
    "wire", [{"stall_after_bytes": 0}, {"stall_after_bytes": 99}, HEAVY, {"latency_ms": 9999}], ids=str
)
def test_stop_takes_less_than_50_ms_whatever_hangs(app: App, space: Namespace, wire: dict[str, Any]) -> None:
    arm(space, wire)

    def stopping() -> float:
        with contextlib.ExitStack() as stack:
            calls = space.states[VENDOR].calls
            edge = Edge(app, refuser(app.emulator))
            edge.start()
            socks = [stack.enter_context(asked(edge)) for _ in range(50)]
            wait_until(lambda: space.states[VENDOR].calls == calls + 50)
            took_s = timed(edge.stop)
            for sock in socks:
                with contextlib.suppress(ConnectionResetError):
                    to_the_end(sock)
            return took_s

    assert any(stopping() < 0.05 for _ in range(5))  # on a busy machine not the first time
    assert all(entry.broken for entry in space.journal)


def test_a_thousand_hanging_connections_leave_an_ordinary_request_its_time(edge: Edge, space: Namespace) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 2500:
        pytest.skip("too few open files allowed")
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(connect(edge))

        def usual() -> float:
            """The median of some requests, one by one. Units: seconds."""
            return statistics.median(timed(lambda: (sock.sendall(ONE_PAGE), bodies(sock, 1))) for _ in range(100))

        for _ in range(MAX_WALKS // 100):
            usual()  # the ledger is full from now on, whatever else happens
        alone = statistics.median(usual() for _ in range(5))
        calls = space.states[VENDOR].calls
        arm(space, {"stall_after_bytes": 10}, calls=[calls + 1, calls + 500])
        arm(space, HEAVY, calls=[calls + 501, calls + 1000])
        for _ in range(1000):
            stack.enter_context(asked(edge))
        wait_until(lambda: space.states[VENDOR].calls == calls + 1000)
        crowded = next((took for took in (usual() for _ in range(20)) if took < 2 * alone), None)
        hanging = [entry for entry in space.journal if entry.wire]
        assert len(edge._site.connections) == 1001
        assert (len(hanging), sum(entry.sent for entry in hanging)) == (1000, 500)
    assert crowded is not None, f"more than twice {alone * 1e6:.0f} us"
