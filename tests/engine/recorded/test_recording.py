"""A recording in its file: what goes in comes out, and a file that is cut anywhere is read up to there."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localruns.engine.recorded.exchange import Exchange, reply_from, request_from
from localruns.engine.recorded.recording import Head, Reader, Writer, begins_recording, is_recording
from localruns.errors import ConfigError

HEAD = Head("odd-bodies", "about: it")
HEADERS = [("A", "1"), ("a", "2"), ("n", "123"), ("t", "true"), ("empty", ""), ("d", "2026-01-01"), ("u", "caf\u00e9")]
ODD = {
    "json": b'{"a": 1}\n',
    "leading spaces": b"  lead",
    "a space before a break": b"tr \nx",
    "CRLF": b"a\r\nb\r\n",
    "CR": b"a\rb",
    "only CRLF": b"\r\n",
    "emoji": "\u00e9\U0001f600".encode(),
    "bytes": b"\xff\x00",
    "nothing": b"",
    "like an item": b"- request:\n    method: GET\n",
    "like the end of an item": b"x\n  took_ms: 1.5\n",
    "control characters": b"a\x01b\x7f",
    "U+2028, U+2029, U+0085": "a\u2028b\u2029c\u0085d".encode(),
    "byte order mark": b"\xef\xbb\xbf{}",
    "leading tab": b"\ttab",
    "only breaks": b"\n\n",
    "comment": b"#c",
    "long": b"a" * 100_000,
    "trailing breaks": b"x\n\n\n",
    "indented after a break": b" \n a",
    "document marks": b"---\n...\n",
    "no number": b"012",
    "null": b"null",
    "surrogate": b"\xed\xa0\x80",
}


def exchange(body: bytes, number: int = 0) -> Exchange:
    request = request_from("GET", f"/api/v1/runs?n={number}", HEADERS, body)
    return Exchange(request, reply_from(200, [("content-type", "x")], body), "2026-01-01T00:00:00Z", 1.5)


def write(path: Path, *exchanges: Exchange, head: Head = HEAD) -> Path:
    writer = Writer(path, head)
    for each in exchanges:
        writer.add(each)
    writer.close()
    return path


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in ODD.items()])
def test_an_odd_body_comes_back_as_it_was(tmp_path: Path, body: bytes) -> None:
    assert list(Reader(write(tmp_path / "r.yaml", exchange(body), exchange(b"next")))) == [
        exchange(body),
        exchange(b"next"),
    ]


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_body_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    path = write(tmp_path_factory.mktemp("r") / "r.yaml", exchange(body))
    assert list(Reader(path)) == [exchange(body)]


def test_the_head_comes_back_and_is_left_short(tmp_path: Path) -> None:
    head = Head("nightly", "about: it", ("method", "path", "query.page"), "in_order")
    reader = Reader(write(tmp_path / "a.yaml", exchange(b""), head=head))
    assert list(reader)
    assert (reader.head.name, reader.head.about, reader.head.replay) == ("nightly", "about: it", "in_order")
    assert tuple(reader.head.match_on) == head.match_on
    plain = write(tmp_path / "b.yaml", exchange(b""), head=Head("nightly")).read_text("utf-8")
    assert "match_on" not in plain
    assert "replay" not in plain


def test_a_failed_exchange_says_why(tmp_path: Path) -> None:
    failed = Exchange(request_from("GET", "/"), reply_from(502), failed="connection refused")
    assert next(iter(Reader(write(tmp_path / "r.yaml", failed)))).failed == "connection refused"


def test_a_file_cut_anywhere_in_its_last_item_is_read_up_to_there_and_can_be_gone_on_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "localruns.recording")
    kept = [exchange(b'{"a": 1}\n'), exchange(b"- x\n  took_ms: 1.5\n")]
    whole = write(tmp_path / "r.yaml", *kept).read_bytes()
    odd = exchange("a: \u2028b\r\n  c".encode(), 2)
    last = write(tmp_path / "s.yaml", *kept, odd).read_bytes()
    for cut in range(len(whole), len(last)):
        path = tmp_path / "cut.yaml"
        path.write_bytes(last[:cut])
        found = list(Reader(path))
        assert found[:2] == kept, cut
        # Of the last number a digit may be missing; all that counts is there by then.
        assert [each.reply.body for each in found[2:]] == [odd.reply.body] * (cut >= len(last) - len("1.5\n") + 1), cut
        write(path, exchange(b"more", 3))
        assert list(Reader(path)) == [*found, exchange(b"more", 3)], cut


@pytest.mark.parametrize("name", ["é nightly.yaml", "_x.yaml", "night (2).yaml", "-.yaml"])
def test_the_name_of_the_file_does_not_matter(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, exchange(b"a"))
    assert list(Reader(path)) == [exchange(b"a")]


def test_what_is_left_out_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "r.yaml", exchange(b"a"), exchange(b"b"))
    path.write_bytes(path.read_bytes()[:-40])
    assert list(Reader(path)) == [exchange(b"a")]
    assert "the last exchange is incomplete, left out" in caplog.text


def test_damage_in_the_middle_is_no_torn_end(tmp_path: Path) -> None:
    path = write(tmp_path / "r.yaml", exchange(b"a"), exchange(b"b"))
    path.write_text(path.read_text("utf-8").replace("method: GET", "methd: GET", 1), "utf-8")
    with pytest.raises(ConfigError, match=r"r\.yaml:\d+: exchanges\[0\]\.request.*did you mean 'method'"):
        list(Reader(path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recording: a\nexchanges: []\nmore: 1\n", "more"),
        ("recording: a\nexchanges: {}\n", "exchanges"),
        ("recording: a b\nexchanges: []\n", "recording"),
        ("recording: a\nreplay: twice\nexchanges: []\n", "in_order"),
        ("recording: a\nmatch_on: [host]\nexchanges: []\n", "match_on"),
        ("- recording\n", "expected one with the key 'exchanges'"),
        ("", "empty"),
    ],
)
def test_what_is_no_recording_is_one_clear_message(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=words) as error:
        list(Reader(path))
    assert str(path) in str(error.value)


def test_a_recording_is_read_from_a_text_too(tmp_path: Path) -> None:
    content = write(tmp_path / "r.yaml", exchange(b"a"), exchange(b"b")).read_bytes()
    assert list(Reader(Path("text"), content)) == [exchange(b"a"), exchange(b"b")]
    assert list(Reader(Path("text"), content[:-30])) == [exchange(b"a")]


@pytest.mark.parametrize(
    ("start", "is_one"),
    [
        (b"recording: x", True),
        (b"# a\n\n---\nrecording: x", True),
        (b'\xef\xbb\xbf"recording": x', True),
        (b"# recording: x\nscenario: y", False),
        (b"recordings: x", False),
        (b"", False),
    ],
)
def test_the_first_key_tells_a_recording(tmp_path: Path, start: bytes, is_one: bool) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(start)
    assert (is_recording(path), begins_recording(start)) == (is_one, is_one)


def test_a_file_that_is_not_there_is_no_recording(tmp_path: Path) -> None:
    assert not is_recording(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        list(Reader(tmp_path / "none.yaml"))
