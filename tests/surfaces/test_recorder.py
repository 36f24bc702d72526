"""The recorder: what it passes on, what it keeps, and what becomes of it when the platform fails."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from localruns.engine.recorded.exchange import Exchange
from localruns.engine.recorded.recording import Reader
from localruns.errors import ConfigError
from localruns.recordings.keeping import MODES
from localruns.surfaces.cli import cli
from localruns.surfaces.recorder import Recorder, relay, saving
from localruns.testing import LocalRuns
from tests.clients.upstreams import Call, Client, Platform, ask, platform
from tests.recordings.makers import entry, har, page, run

Stand = Callable[..., tuple[Recorder, Platform]]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "session.yaml"


@pytest.fixture
def stand(out: Path) -> Iterator[Stand]:
    """`stand(respond, mode=...)`: a recorder in front of a platform that answers so."""
    with ExitStack() as open_:

        def start(respond: Callable[[Call], object] = Call.answer, base: str = "", **options: Any) -> Any:
            upstream = open_.enter_context(platform(respond))
            recorder = Recorder("naver-nsml", upstream.url + base, out, **{"timeout_s": 10.0, **options})
            return open_.enter_context(recorder), upstream

        yield start


def recorded(out: Path) -> list[Exchange]:
    return list(Reader(out))


# --- what is passed on


@pytest.mark.parametrize(
    "target", ["/nsml/v1/projects/runs?", "/a%2Fb/c?x=1&x=&%C3%A9=+%20", "//20260430/x", "/a;b=c,d:e/~*?q=:,/*", "/"]
)
def test_the_target_goes_on_and_into_the_file_as_it_came(stand: Stand, out: Path, target: str) -> None:
    recorder, upstream = stand()
    raw(recorder.url, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert upstream.calls[0].target == target
    assert recorded(out)[0].request.target == target


def test_the_path_of_the_upstream_comes_before_the_target_and_is_not_recorded(stand: Stand, out: Path) -> None:
    recorder, upstream = stand(base="/gateway/v2/")
    ask(recorder.url, "/a?b=c")
    assert upstream.calls[0].target == "/gateway/v2/a?b=c"
    assert recorded(out)[0].request.target == "/a?b=c"


def test_headers_go_on_but_for_those_of_the_connection(stand: Stand, out: Path) -> None:
    recorder, upstream = stand()
    head = (
        b"POST /x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-Two: a\r\nX-Two: b\r\nConnection: keep-alive, X-Hop\r\n"
        b"X-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nAccept-Encoding: gzip;q=1.0, br, zstd\r\n"
        b"Content-Length: 3\r\n\r\nabc"
    )
    raw(recorder.url, head, end=b"{}")
    call = upstream.calls[0]
    assert call.header("host") == [upstream.url.partition("://")[2]]
    assert call.header("x-two") == ["a", "b"]
    assert call.header("accept-encoding") == ["gzip;q=1.0"]
    assert not any(call.header(name) for name in ("x-hop", "keep-alive", "te", "connection"))
    assert call.body == b"abc"
    assert [value for name, value in recorded(out)[0].request.headers if name == "x-two"] == ["a", "b"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_goes_on(stand: Stand, out: Path, method: str) -> None:
    recorder, upstream = stand(lambda call: call.answer(b"" if method == "HEAD" else b"[1]"))
    with Client(recorder.url) as client:
        assert client.ask(method, "/x").status == client.ask(method, "/y").status == 200
    assert [call.line.split(" ")[0] for call in upstream.calls] == [method] * 2
    assert upstream.connections == 1


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=B",
        "multipart/mixed",
        'multipart/form-data; boundary="',
        "message/rfc822",
        "message/delivery-status",
        "x",
    ],
)
def test_a_body_of_any_kind_goes_on(stand: Stand, out: Path, kind: str) -> None:
    recorder, upstream = stand()
    body = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nplain words\r\n--B--\r\n'
    head = ["POST /x HTTP/1.1", "Connection: close", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "", ""]
    assert raw(recorder.url, "\r\n".join(head).encode() + body).split(b" ")[1] == b"200"
    assert [call.body for call in upstream.calls] == [body]
    assert [exchange.request.body for exchange in recorded(out)] == [body]


def test_a_body_in_chunks_goes_on_whole(stand: Stand, out: Path) -> None:
    recorder, upstream = stand()
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    raw(recorder.url, head + b"3\r\nabc\r\n2;e=1\r\nde\r\n0\r\n\r\n")
    assert upstream.calls[0].body == b"abcde"
    assert upstream.calls[0].header("content-length") == ["5"]


@pytest.mark.parametrize(
    "head",
    [
        b"GET x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: one\r\n\r\n",
        b"GET /x HTTP/1.1\r\nBad Name: x\r\n\r\n",
        b"BREW /x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /x y z HTTP/1.1\r\n\r\n",
    ],
)
def test_what_cannot_be_read_is_refused_and_not_passed_on(stand: Stand, out: Path, head: bytes) -> None:
    recorder, upstream = stand()
    answer = raw(recorder.url, head)
    assert answer.split(b" ")[1] in (b"400", b"501")
    assert b"application/problem+json" in answer
    assert upstream.calls == []
    assert ask(recorder.url, "/after").status == 200


# --- what comes back


def test_the_first_byte_is_there_before_the_platform_has_finished(stand: Stand, out: Path) -> None:
    seen = threading.Event()

    def respond(call: Call) -> None:
        call.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst")
        assert seen.wait(10)
        call.send(b"after")

    recorder, _ = stand(respond)
    with Client(recorder.url) as client:
        response = client.start("GET", "/x")
        assert response.read(5) == b"first"
        seen.set()
        assert response.read() == b"after"
    assert recorded(out)[0].reply.body == b"firstafter"


def test_an_answer_is_in_the_file_when_its_client_has_the_end_of_it(stand: Stand, out: Path) -> None:
    recorder, _ = stand(lambda call: call.answer(call.target.encode()))
    with Client(recorder.url) as client:
        for number in range(20):
            client.ask("GET", f"/{number}")
            assert [exchange.request.target for exchange in recorded(out)] == [f"/{each}" for each in range(number + 1)]


def test_an_answer_that_takes_long_to_clear_of_secrets_is_not_held_up(
    stand: Stand, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "HOLD_S", 0.05)
    recorder, _ = stand()
    clear, cleared = recorder._keeper._redactor.exchange, threading.Event()

    def slowly(exchange: Exchange) -> Exchange:
        assert cleared.wait(10)
        return clear(exchange)

    monkeypatch.setattr(recorder._keeper._redactor, "exchange", slowly)
    assert ask(recorder.url, "/slow").body == b"{}"
    assert recorded(out) == []
    cleared.set()
    recorder.stop()
    assert [exchange.request.target for exchange in recorded(out)] == ["/slow"]


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", lambda body: zlib.compress(body)[2:-4])],
    ids=["gzip", "deflate", "raw deflate"],
)
def test_a_packed_answer_is_passed_on_as_it_came_and_recorded_unpacked(
    stand: Stand, out: Path, encoding: str, packed: Callable[[bytes], bytes]
) -> None:
    body = b'{"runList": [], "totalCount": 0}' * 50
    headers = {"content-type": "application/json", "content-encoding": encoding}
    recorder, _ = stand(lambda call: call.answer(packed(body), headers=headers))
    got = ask(recorder.url, "/x", accept_encoding="gzip, deflate")
    assert (got.body, got.header("content-encoding")) == (packed(body), encoding)
    (exchange,) = recorded(out)
    assert exchange.reply.body == body
    assert {name for name, _ in exchange.reply.headers} == {"content-type"}


def test_an_encoding_that_cannot_be_read_is_passed_on_and_left_out(stand: Stand, out: Path) -> None:
    recorder, _ = stand(lambda call: call.answer(b"\x1b\x03", headers={"content-encoding": "br"}))
    assert ask(recorder.url, "/x").body == b"\x1b\x03"
    assert recorded(out) == []
    (item,) = recorder.tally.left_out
    assert "'br', expected gzip or deflate" in item.why
    assert not recorder.tally.flagged


@pytest.mark.parametrize("framing", ["chunked", "close", "HTTP/1.0"])
def test_answers_without_a_length_are_whole(stand: Stand, out: Path, framing: str) -> None:
    def respond(call: Call) -> None:
        if framing == "chunked":
            call.send(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"3\r\ndef\r\n0\r\n\r\n"
            )
        else:
            version = "HTTP/1.0" if framing == "HTTP/1.0" else "HTTP/1.1"
            call.send(f"{version} 200 OK\r\nconnection: close\r\n\r\nabcdef".encode())
            call.sock.shutdown(socket.SHUT_RDWR)

    recorder, _ = stand(respond)
    with Client(recorder.url) as client:
        for target in ("/a", "/b"):
            assert client.ask("GET", target).body == b"abcdef"
    assert b"abcdef" in raw(recorder.url, b"GET /c HTTP/1.0\r\n\r\n")
    assert [exchange.reply.body for exchange in recorded(out)] == [b"abcdef"] * 3


def test_the_answer_is_the_one_behind_early_hints(stand: Stand, out: Path) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"

    def respond(call: Call) -> None:
        call.send(b"HTTP/1.1 100 Continue\r\n\r\n", hints * 2)
        call.answer(b"the answer") if call.target == "/a" else call.send(hints * 100)

    recorder, _ = stand(respond)
    got = ask(recorder.url, "/a")
    assert (got.status, got.body, got.header("link")) == (200, b"the answer", None)
    assert ask(recorder.url, "/b").status == 502
    assert [exchange.reply.status for exchange in recorded(out)] == [200, 502]


@pytest.mark.parametrize("offer", [{}, {"connection": "upgrade", "upgrade": "websocket"}], ids=["unasked", "asked"])
def test_a_platform_that_switches_protocols_is_a_clear_refusal(stand: Stand, out: Path, offer: dict[str, str]) -> None:
    def respond(call: Call) -> None:
        if call.target == "/after":
            call.answer()
        else:
            call.send(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x81\x02hi"
            )

    recorder, upstream = stand(respond)
    with Client(recorder.url) as client:
        got = client.ask("GET", "/x", **offer)
        assert (got.status, got.header("content-type")) == (502, "application/problem+json")
        assert "the platform switched to another protocol" in json.loads(got.body)["detail"]
        assert client.ask("GET", "/after", **offer).status == 200
    assert upstream.connections == 2
    assert not any(call.header("upgrade") for call in upstream.calls)
    assert [(each.reply.status, bool(each.failed)) for each in recorded(out)] == [(502, True), (200, False)]


@pytest.mark.parametrize("status", [600, 999])
def test_a_status_beyond_the_known_classes_is_recorded_and_replayed(stand: Stand, out: Path, status: int) -> None:
    recorder, _ = stand(lambda call: call.answer(b"{}", f"{status} Odd"))
    assert ask(recorder.url, "/a").status == status
    recorder.stop()
    with Recorder("naver-nsml", "", out, "none") as replayed:
        assert ask(replayed.url, "/a").status == status
    with LocalRuns(str(out)) as served:
        assert ask(served.url, "/a").status == status


def test_a_redirect_is_passed_back_and_not_followed(stand: Stand, out: Path) -> None:
    recorder, upstream = stand(lambda call: call.answer(b"", "302 Found", {"location": "/elsewhere"}))
    got = ask(recorder.url, "/x")
    assert (got.status, got.header("location")) == (302, "/elsewhere")
    assert len(upstream.calls) == 1


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_leaves_the_connection_usable(stand: Stand, out: Path, status: str) -> None:
    recorder, _ = stand(lambda call: call.send(f"HTTP/1.1 {status}\r\nx-a: b\r\n\r\n".encode()))
    with Client(recorder.url) as client:
        assert [client.ask("GET", f"/{number}").status for number in range(3)] == [int(status[:3])] * 3


def test_a_body_beyond_the_limit_is_passed_on_and_left_out(
    stand: Stand, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MAX_BYTES", 1000)
    recorder, upstream = stand(lambda call: call.answer(call.body or b"x" * 5000))
    assert ask(recorder.url, "/large").body == b"x" * 5000
    assert ask(recorder.url, "/posted", "POST", b"y" * 200_000).body == b"y" * 200_000
    assert len(raw(recorder.url, _chunked(b"z" * 70_000))) > 70_000
    assert upstream.calls[2].body == b"z" * 70_000
    assert [item.line for item in recorder.tally.left_out] == ["GET /large", "POST /posted", "POST /x"]
    assert recorded(out) == []


# --- when the platform fails


def _cut(call: Call) -> None:
    call.send(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + b"x" * 100)
    call.sock.shutdown(socket.SHUT_RDWR)


def _cut_in_chunks(call: Call) -> None:
    call.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\n" + b"x" * 100 + b"\r\n64\r\nyy")
    call.sock.shutdown(socket.SHUT_RDWR)


def _reset(call: Call) -> None:
    call.send(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + b"x" * 100)
    call.reset()


def _stall(call: Call) -> None:
    call.send(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + b"x" * 100)
    call.sock.recv(1)  # until the other side gives up


@pytest.mark.parametrize("respond", [_cut, _cut_in_chunks, _reset, _stall])
def test_an_answer_that_is_cut_short_is_passed_on_so_and_recorded_as_failed(
    stand: Stand, out: Path, respond: Callable[[Call], None]
) -> None:
    calls = iter([respond, Call.answer])
    recorder, _ = stand(lambda call: next(calls)(call), timeout_s=0.5)
    got = ask(recorder.url, "/x")
    assert (got.status, got.cut) == (200, True)
    assert ask(recorder.url, "/after").body == b"{}"
    failed, after = recorded(out)
    assert failed.reply.status == 200
    assert failed.reply.body.rstrip(b"y") in (b"x" * 100, b"")
    assert failed.failed.startswith("the answer broke off after")
    assert not after.failed


@pytest.mark.parametrize(
    ("respond", "status", "words"),
    [
        (lambda call: call.sock.shutdown(socket.SHUT_RDWR), 502, "the connection was closed without an answer"),
        (Call.reset, 502, "no answer: Connection reset by peer"),
        (lambda call: call.send(b"\x00\x01garbage\r\n\r\n"), 502, "what came is no HTTP answer"),
        (lambda call: call.sock.recv(1), 504, "no answer within 0.5 s"),
    ],
    ids=["closed", "reset", "garbage", "silent"],
)
def test_where_no_answer_comes_the_recorder_says_so_in_its_own_name_and_goes_on(
    stand: Stand, out: Path, respond: Callable[[Call], None], status: int, words: str
) -> None:
    calls = iter([respond, Call.answer])
    recorder, _ = stand(lambda call: next(calls)(call), timeout_s=0.5)
    with Client(recorder.url) as client:
        got = client.ask("GET", "/x")
        assert (got.status, got.header("content-type")) == (status, "application/problem+json")
        assert words in json.loads(got.body)["detail"]
        assert client.ask("GET", "/after").status == 200
    failed, after = recorded(out)
    assert (failed.reply.status, failed.reply.body) == (status, got.body)
    assert words in failed.failed
    assert not after.failed


def test_a_platform_that_is_not_there_is_a_502_each_time(out: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Recorder("naver-nsml", f"http://127.0.0.1:{port}", out) as recorder:
        for _ in range(2):
            got = ask(recorder.url, "/x")
            assert (got.status, got.cut) == (502, False)
            assert f"127.0.0.1:{port} cannot be reached: Connection refused" in json.loads(got.body)["detail"]
    assert [exchange.reply.status for exchange in recorded(out)] == [502, 502]


def test_a_client_that_leaves_does_not_keep_the_answer_from_being_recorded(stand: Stand, out: Path) -> None:
    left = threading.Event()

    def respond(call: Call) -> None:
        call.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst")
        assert left.wait(10)
        call.send(b"after")

    recorder, _ = stand(lambda call: respond(call) if call.target == "/left" else call.answer())
    with Client(recorder.url) as client:
        client.start("GET", "/left")
    left.set()
    ask(recorder.url, "/x")
    while recorder.tally.saved < 2:
        threading.Event().wait(0.01)
    assert {exchange.reply.body for exchange in recorded(out)} == {b"firstafter", b"{}"}


def test_many_clients_are_served_at_once(stand: Stand, out: Path) -> None:
    together = threading.Barrier(16)

    def respond(call: Call) -> None:
        together.wait(10)
        call.answer(call.target.encode() * 500)

    recorder, _ = stand(respond)
    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda number: ask(recorder.url, f"/{number:02}").body, range(16)))
    assert got == [f"/{number:02}".encode() * 500 for number in range(16)]
    assert sorted(exchange.request.target for exchange in recorded(out)) == [f"/{number:02}" for number in range(16)]
    assert all(exchange.reply.body == exchange.request.target.encode() * 500 for exchange in recorded(out))


# --- modes


def session(out: Path, mode: Any, targets: list[str], word: str) -> tuple[list[str], list[str]]:
    """What the client was answered, and what the platform was asked."""
    with platform(lambda call: call.answer(f"{word} {call.target}".encode())) as upstream:
        with Recorder("naver-nsml", upstream.url, out, mode) as recorder:
            answers = [ask(recorder.url, target) for target in targets]
        return (
            [got.body.decode() if got.status == 200 else str(got.status) for got in answers],
            [call.target for call in upstream.calls],
        )


@pytest.mark.parametrize(
    ("mode", "answers", "asked", "kept"),
    [
        ("none", ["old /a", "501", "old /a"], [], ["old /a", "old /b"]),
        ("once", ["old /a", "501", "old /a"], [], ["old /a", "old /b"]),
        ("new_episodes", ["old /a", "new /c", "old /a"], ["/c"], ["old /a", "old /b", "new /c"]),
        ("all", ["new /a", "new /c", "new /a"], ["/a", "/c", "/a"],
         ["old /a", "old /b", "new /a", "new /c", "new /a"]),
        ("rewrite", ["new /a", "new /c", "new /a"], ["/a", "/c", "/a"], ["new /a", "new /c", "new /a"]),
    ],
)  # fmt: skip
def test_the_mode_says_what_is_replayed_asked_and_kept(
    out: Path, mode: str, answers: list[str], asked: list[str], kept: list[str]
) -> None:
    assert session(out, "once", ["/a", "/b"], "old") == (["old /a", "old /b"], ["/a", "/b"])
    assert session(out, mode, ["/a", "/c", "/a"], "new") == (answers, asked)
    assert [exchange.reply.body.decode() for exchange in recorded(out)] == kept


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "none"])
def test_a_new_file_is_recorded_in_every_mode_but_none(out: Path, mode: str) -> None:
    session(out, mode, ["/a"], "new")
    assert [exchange.request.target for exchange in recorded(out)] == ["/a"]


def test_a_recording_without_exchanges_is_recorded_once(out: Path) -> None:
    session(out, "once", [], "old")
    assert recorded(out) == []
    session(out, "once", ["/a"], "new")
    assert len(recorded(out)) == 1


def test_none_needs_a_recording(out: Path) -> None:
    with pytest.raises(ConfigError, match="found no recording there"):
        Recorder("naver-nsml", "", out, "none")


def test_a_miss_names_the_nearest_request(out: Path) -> None:
    session(out, "once", ["/runs?page=1&pageSize=10"], "old")
    with Recorder("naver-nsml", "", out, "none") as recorder:
        got = ask(recorder.url, "/runs?page=2&pageSize=10")
    assert (got.status, got.header("content-type")) == (501, "application/problem+json")
    assert "the nearest is exchange 1, GET /runs?page=1&pageSize=10" in json.loads(got.body)["detail"]
    assert recorder.tally.missed == 1


def test_new_episodes_asks_again_where_no_answer_came(out: Path) -> None:
    with Recorder("naver-nsml", "http://127.0.0.1:9", out) as recorder:
        assert ask(recorder.url, "/a").status == 502
    assert session(out, "new_episodes", ["/a"], "new") == (["new /a"], ["/a"])
    assert session(out, "new_episodes", ["/a"], "newer") == (["new /a"], [])


def _token_walk(url: str, target: str) -> int:
    """What a client is answered that gets itself a token first."""
    got = ask(url, "/oauth2/token", "POST", b"grant_type=client_credentials")
    token = json.loads(got.body)["access_token"] if got.status == 200 else "none"
    return ask(url, target, authorization=f"Bearer {token}").status


def _with_tokens(call: Call, *, grants: bool = True) -> None:
    """A platform that wants a token, a new one each time."""
    if call.target == "/oauth2/token":
        known = json.dumps({"access_token": f"real-token-{id(call)}", "token_type": "Bearer"}).encode()
        call.answer(known) if grants else call.answer(b"{}", "401 Unauthorized")
    else:
        real = call.header("authorization")[0].startswith("Bearer real-token-")
        call.answer(b"{}", "200 OK" if real else "401 Unauthorized")


def test_new_episodes_takes_its_tokens_from_the_platform(out: Path) -> None:
    with platform(_with_tokens) as upstream:
        for mode, targets in (("once", ["/a"]), ("new_episodes", ["/a", "/b"])):
            with Recorder("palantir-foundry", upstream.url, out, mode) as recorder:  # type: ignore[arg-type]
                assert {_token_walk(recorder.url, target) for target in targets} == {200}
        tally = recorder.tally
    assert (tally.saved, tally.replayed, tally.renewed, tally.left_out) == (1, 1, 2, [])
    assert [each.request.target for each in recorded(out)] == ["/oauth2/token", "/a", "/b"]
    assert "real-token" not in out.read_text("utf-8")


@pytest.mark.parametrize("there", [True, False], ids=["refused", "gone"])
def test_where_the_platform_gives_no_token_only_what_is_recorded_is_answered(out: Path, there: bool) -> None:
    with platform(_with_tokens) as upstream, Recorder("palantir-foundry", upstream.url, out) as recorder:
        assert _token_walk(recorder.url, "/a") == 200
    with platform(lambda call: _with_tokens(call, grants=False)) as upstream:
        url = upstream.url if there else "http://127.0.0.1:9"
        with Recorder("palantir-foundry", url, out, "new_episodes") as recorder:
            assert [_token_walk(recorder.url, target) for target in ("/a", "/b")] == [200, 501]
    (item,) = recorder.tally.left_out
    assert item.why.startswith("its token is a placeholder out of the recording, and the platform gave no other")
    assert [each.request.target for each in recorded(out)] == ["/oauth2/token", "/a"]


def test_rewriting_keeps_what_is_there_until_something_takes_its_place_and_the_head_for_good(out: Path) -> None:
    session(out, "once", ["/a"], "old")
    out.write_text(
        out.read_text("utf-8").replace("recording: session\n", "recording: mine\nmatch_on: [path]\n"), "utf-8"
    )
    session(out, "rewrite", [], "new")
    assert len(recorded(out)) == 1
    session(out, "rewrite", ["/b"], "new")
    reader = Reader(out)
    assert [exchange.request.target for exchange in reader] == ["/b"]
    assert (reader.head.name, list(reader.head.match_on)) == ("mine", ["path"])


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all", "rewrite"])
def test_a_file_has_one_recorder_at_a_time(out: Path, mode: Any) -> None:
    pytest.importorskip("fcntl")
    with Recorder("naver-nsml", "http://127.0.0.1:9", out, mode) as first:
        with pytest.raises(ConfigError, match=r"session\.yaml: found a recorder writing to it, .*: stop that one"):
            Recorder("naver-nsml", "http://127.0.0.1:9", out, mode)
        assert ask(first.url, "/a").status == 502
    assert len(recorded(out)) == 1
    with Recorder("naver-nsml", "http://127.0.0.1:9", out, "rewrite") as second:
        assert ask(second.url, "/b").status == 502
        if mode == "once":  # what is only replayed is not written
            Recorder("naver-nsml", "", out, "none").stop()
            Recorder("naver-nsml", "http://127.0.0.1:9", out, "once").stop()
    assert [exchange.request.target for exchange in recorded(out)] == ["/b"]


def test_without_locks_recorders_work_and_are_not_kept_apart(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localruns.recordings.holding.fcntl", None)
    with (
        Recorder("naver-nsml", "http://127.0.0.1:9", out) as first,
        Recorder("naver-nsml", "http://127.0.0.1:9", out) as second,
    ):
        ask(first.url, "/a")
        ask(second.url, "/b")
    assert [exchange.request.target for exchange in recorded(out)] == ["/a", "/b"]
    with pytest.raises(ConfigError, match="expected --upstream"):
        Recorder("naver-nsml", "", out.with_name("new.yaml"))
    assert not out.with_name("new.yaml").exists()


def test_an_import_does_not_take_the_file_from_under_a_recorder(out: Path, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    traffic = har(tmp_path / "in.har", [entry(page([run(1)], 0, 1, MaxResults=5))])
    given = ["import", str(traffic), "--as", "cassette", "--force", "--out", str(out)]
    with Recorder("naver-nsml", "http://127.0.0.1:9", out) as recorder:
        refused = CliRunner().invoke(cli, given)
        assert isinstance(refused.exception, ConfigError)
        assert "found a recorder writing to it" in str(refused.exception)
        ask(recorder.url, "/a")
    assert [exchange.request.target for exchange in recorded(out)] == ["/a"]
    assert CliRunner().invoke(cli, given).exit_code == 0


def test_a_recorder_that_cannot_listen_leaves_the_file_to_the_next(out: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match="in use already"):
            Recorder("naver-nsml", "http://127.0.0.1:9", out, port=port).start()
    assert not out.exists()
    session(out, "once", ["/a"], "new")


@pytest.mark.parametrize("mode", MODES)
def test_a_file_that_is_no_recording_is_left_alone(out: Path, mode: Any) -> None:
    out.write_text("scenario: mine\nvendors: {}\n", "utf-8")
    with pytest.raises(ConfigError, match="found something that is no recording"):
        Recorder("naver-nsml", "http://127.0.0.1:9", out, mode)
    assert out.read_text("utf-8") == "scenario: mine\nvendors: {}\n"


def test_a_file_that_may_not_be_read_is_said_to_be_so(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out.write_text("recording: mine\nexchanges:\n", "utf-8")
    monkeypatch.setattr("os.access", lambda path, how: False)  # nothing is forbidden to root, as which tests may run
    with pytest.raises(ConfigError, match=r"session\.yaml: cannot be read: Permission denied"):
        Recorder("naver-nsml", "http://127.0.0.1:9", out)


# --- what must not be seen


def test_what_may_still_be_a_secret_is_not_saved_and_listed(stand: Stand, out: Path) -> None:
    odd = "qZ7f0PxB3vK9sLmW2yTnR8cHdJ5gUe1A"
    recorder, _ = stand(lambda call: call.answer(json.dumps({"blob": odd}).encode()))
    assert odd in ask(recorder.url, "/x").body.decode()
    (item,) = recorder.tally.left_out
    assert item.flagged
    assert "answer.body.blob" in item.why
    assert odd not in item.why
    ask(recorder.url, f"/x?{odd}=1")
    assert odd not in "".join(f"{item.line} {item.why}" for item in recorder.tally.left_out)
    assert odd not in out.read_text("utf-8")


def test_what_cannot_be_cleared_of_secrets_is_not_saved(
    stand: Stand, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, _ = stand()
    monkeypatch.setattr(recorder._keeper._redactor, "exchange", lambda exchange: 1 / 0)
    assert ask(recorder.url, "/x").status == 200
    assert [item.why for item in recorder.tally.left_out] == ["it could not be cleared of secrets: ZeroDivisionError"]
    assert recorder.tally.flagged


def test_a_disk_that_takes_no_more_is_said_and_does_not_harm_the_client(
    stand: Stand, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, _ = stand()

    def full(exchange: Exchange) -> None:
        raise ConfigError(f"{out}: cannot be written: No space left on device")

    monkeypatch.setattr(recorder._keeper._writer, "add", full)
    assert ask(recorder.url, "/x").body == b"{}"
    assert "No space left" in recorder.tally.left_out[0].why


def raw(url: str, data: bytes, end: bytes = b"") -> bytes:
    """All that comes back for these bytes, until the other side closes or `end` has come."""
    host, _, port = url.partition("://")[2].partition(":")
    with socket.create_connection((host, int(port)), 10) as sock:
        sock.sendall(data)
        got = b""
        while piece := sock.recv(65536):
            got += piece
            if end and got.endswith(end):
                break
        return got


def _chunked(body: bytes) -> bytes:
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
