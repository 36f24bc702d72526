"""Wire faults beyond our own loop and plain sockets: TLS, asyncio's own loop, servers that are not ours."""

from __future__ import annotations

import asyncio
import ssl
import threading

import httpcore  # noqa: F401 - httpx imports it late, and a test run inside a test would forget it again
import httpx
import pytest
import requests
import trustme
from werkzeug.serving import make_server

from localruns.engine.namespace import Namespace
from localruns.surfaces.edge import Edge
from localruns.surfaces.edge import server as edge_server
from localruns.surfaces.http import App, refuser
from tests.clients.bare import (
    HEADER,
    ONE_PAGE,
    PATH,
    PATIENCE_S,
    VENDOR,
    arm,
    asked,
    bodies,
    connect,
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


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_wire_faults_work_on_the_plain_asyncio_loop_too(
    app: App, space: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_server, "_new_loop", asyncio.new_event_loop)
    arm(space, {"reset_after_bytes": 300}, call=1)
    arm(space, {"latency_ms": 2}, call=2)
    arm(space, {"stall_after_bytes": 5}, call=3)
    with Edge(app, refuser(app.emulator)) as edge:
        with asked(edge) as sock:
            assert len(until_reset(sock)) == 300
        with asked(edge) as sock:
            assert b"runList" in bodies(sock, 1)[0]
        asked(edge).close()
        wait_until(lambda: space.states[VENDOR].calls == 3 and not edge._site.connections)


def test_wire_faults_work_over_tls_too(
    app: App, space: Namespace, trusting: ssl.SSLContext, tls: ssl.SSLContext
) -> None:
    arm(space, {"latency_ms": 2}, call=1)
    arm(space, {"truncate_body_after_bytes": 9}, call=2)
    arm(space, {"stall_after_bytes": 50}, call=3)
    with Edge(app, refuser(app.emulator), tls=tls) as edge:
        with httpx.Client(verify=trusting, headers=HEADER) as client:
            assert client.get(edge.url + PATH).status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                client.get(edge.url + PATH)
        with trusting.wrap_socket(connect(edge), server_hostname="127.0.0.1") as sock:
            sock.sendall(ONE_PAGE)
            assert len(sock.recv(100)) == 50
        wait_until(lambda: not edge._site.connections)
    assert [entry.broken for entry in space.journal] == [False, True, True]


def test_a_reset_over_tls_is_one_of_tcp(
    app: App, space: Namespace, trusting: ssl.SSLContext, tls: ssl.SSLContext
) -> None:
    """Seen below TLS: some releases of Python call a reset inside TLS an end."""
    arm(space, {"reset_after_bytes": 300})
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with Edge(app, refuser(app.emulator), tls=tls) as edge, connect(edge) as sock:
        shaken = False
        while not shaken:
            try:
                client.do_handshake()
                shaken = True
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(65536))
        client.write(ONE_PAGE)
        sock.sendall(outgoing.read())
        incoming.write(until_reset(sock))
    assert len(client.read(65536)) == 300


def test_another_server_says_what_it_cannot_do_and_does_the_rest(app: App, space: Namespace) -> None:
    client = app.test_client()
    timeline, state = space.scenario.timeline, space.states[VENDOR]
    assert not timeline
    for wire in ({"latency_ms": 1}, {"empty_reply": True}, {"content_type": "text/html", "reset_after_bytes": 1}):
        arm(space, wire, call=state.calls + 1)
        answer = client.get(PATH, headers=HEADER)
        answer.get_data()
        assert (answer.status_code, answer.content_type) == (501, "application/problem+json")
        assert "needs the server of localruns itself" in answer.json["detail"]
        entry = list(space.journal)[-1]
        assert not entry.broken
        assert entry.visit is None or entry.visit.outcome == "refused"
    assert (state.rows, [fault.fired for fault in space.faults]) == (0, [0, 0, 0])
    assert space.journal.total(VENDOR, 501) == 3
    arm(space, {"content_type": "text/html", "invalid_json": True}, call=4)
    answer = client.get(PATH, headers=HEADER)
    assert (answer.content_type, answer.get_data()[-1:]) == ("text/html", b",")
    assert list(space.journal)[-1].broken
    assert client.get(PATH, headers=HEADER).status_code == 200


def test_under_werkzeugs_server_what_needs_no_socket_works(app: App, space: Namespace) -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        arm(space, {"gzip_mislabelled": True}, call=1)
        arm(space, {"garbage_bytes": 33}, call=2)
        arm(space, {"stall_after_bytes": 0}, call=3)
        url = f"http://127.0.0.1:{server.port}{PATH}"
        with pytest.raises(requests.exceptions.ContentDecodingError):
            requests.get(url, headers=HEADER, timeout=PATIENCE_S)
        answers = [requests.get(url, headers=HEADER, timeout=PATIENCE_S) for _ in range(3)]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_S)
    assert len(answers[0].content) == 33
    assert [answer.status_code for answer in answers] == [200, 501, 200]
