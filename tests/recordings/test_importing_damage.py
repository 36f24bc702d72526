"""Files that are cut, damaged, foreign or odd: what could be read, and a clear line; never a traceback."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localruns.errors import ConfigError
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.reading.sources import exchanges
from localruns.surfaces.cli import cli
from tests.recordings.again import GOLDEN
from tests.recordings.makers import entry, har, page, run
from tests.recordings.test_importing_vcr import BODY, OK, tape_of

ENTRIES = [entry(page([run(number)], 0, 1, MaxResults=5)) for number in (1, 2, 3)]


def bring(*arguments: Any) -> Result:
    result = CliRunner().invoke(cli, ["import", *map(str, arguments)], standalone_mode=False)
    if isinstance(result.exception, ConfigError):
        return result
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_file_that_is_cut_gives_what_stands_before(tmp_path: Path) -> None:
    whole = har(tmp_path / "whole.har", ENTRIES).read_bytes()
    at = whole.rindex(b"run-3")
    cut, out = tmp_path / "cut.har", tmp_path / "out.yaml"
    cut.write_bytes(whole[:at])
    result = bring(cut, "--out", out)
    assert result.exit_code == 1
    assert f"{cut}: cut at byte {at:,}, after exchange 2" in result.stderr
    text = out.read_text("utf-8")
    assert "run-2" in text
    assert "run-3" not in text
    assert f"cut at byte {at:,}, after exchange 2" in text


def test_a_cassette_that_is_cut_is_told_of(tmp_path: Path) -> None:
    good = {"status": OK, "headers": {}, "body": {"string": BODY}}
    whole = tape_of(tmp_path / "tape.yaml", good).read_text("utf-8")
    start = whole.index("- request")
    end = whole.index("version:")
    cut, out = tmp_path / "cut.yaml", tmp_path / "out.yaml"
    cut.write_text(whole[:end] + whole[start:end][: (end - start) // 2], "utf-8")
    result = bring(cut, "--out", out)
    assert result.exit_code == 1
    assert "cut" in result.stderr
    assert out.exists()


def test_a_number_without_end_is_damage_and_long_texts_of_digits_are_none(tmp_path: Path) -> None:
    # The parser in C crashes on an integer that Python refuses to make.
    content = json.dumps({"log": {"entries": [ENTRIES[0] | {"comment": "8" * 9_000}] * 60 + [{"time": 7}]}})
    assert len(content) > 65_536 * 2
    path = tmp_path / "in.har"
    path.write_text(content.replace('"time": 7', '"time": ' + "7" * 5_000))
    left = Leftovers()
    found = list(exchanges(path, left))
    assert 50 < len(found) <= 60
    assert "a number of more than 4,000 digits follows" in "".join(left.lines())


@cache
def source(kind: str) -> bytes:
    if kind == "har":
        return (GOLDEN / "playwright.har").read_bytes()[:40_000]
    interactions = [
        {
            "request": {"method": "GET", "uri": each["request"]["url"], "body": None, "headers": {"A": ["b"]}},
            "response": {"status": OK, "headers": {}, "body": {"string": each["response"]["content"]["text"]}},
        }
        for each in ENTRIES
    ]
    content = {"interactions": interactions, "version": 1}
    if kind == "vcr.json":
        return json.dumps(content).encode()
    return yaml.dump(content).encode()


@pytest.mark.parametrize("kind", ["har", "vcr.json", "vcr.yaml"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_never_gives_a_traceback(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    content = bytearray(source(kind))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(0, len(content))) :]
    path = tmp_path / "damaged"
    path.write_bytes(bytes(content))
    with contextlib.suppress(ConfigError):  # one that is damaged at its beginning is none of ours
        assert all(exchange.request.path.startswith("/") for exchange in exchanges(path, Leftovers()))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_brought_in_without_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(source("vcr.json"))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)):
        content[place] = data.draw(st.sampled_from(b'0"{}[],:ax\\'))
    path, out = tmp_path / "damaged", tmp_path / "out.yaml"
    path.write_bytes(bytes(content))
    bring(path, "--out", out, "--force") if out.exists() else bring(path, "--out", out)
    bring(path, "--out", tmp_path / "cassette.yaml", "--as", "cassette", *(["--force"] if out.exists() else []))
    for made in tmp_path.glob("*.yaml"):
        made.unlink()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "found an empty file"),
        (b"  \n", "found an empty file"),
        (b'{"openapi": "3.1.0", "paths": {}}', "found JSON of another kind"),
        (b"[1, 2]", "found JSON of another kind"),
        (b"{", "found what begins like JSON, but the JSON ends too early"),
        (b'{"log": nothing}', ""),
        (gzip.compress(b'{"log": {}}', mtime=0), "found a file that is no UTF-8 text"),
        ('{"log": {}}'.encode("utf-16"), "found a file that is no UTF-8 text"),
        (b"scenario: mine\nvendors: {}\n", "found a scenario, which can be served as it is"),
        (b"openapi: 3.1.0\n", "found another kind of file"),
        (b"hello", "found another kind of file"),
        (b"[" * 50_000, "found JSON of another kind"),
        (b'{"a":' * 50_000, "found what begins like JSON"),
        (b'{"log":{"entries":[' + b"[" * 50_000, ""),
        (b'{"log":{"entries":[{"time":' + b"9" * 5_000, "more than 4,000 digits"),
    ],
)  # fmt: skip
def test_a_foreign_file_is_one_clear_error(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    result = bring(path, "--out", tmp_path / "out.yaml")
    assert isinstance(result.exception, ConfigError)
    message = str(result.exception)
    assert message.startswith(str(path))
    assert words in message
    assert not words or message.endswith(
        "expected a HAR file (`log`), a VCR.py cassette (`interactions`) or a recording (`recording`)"
    )


def test_a_har_file_without_a_list_says_what_was_in_it(tmp_path: Path) -> None:
    other = entry(page([], 0))
    other["request"]["url"] = "https://static.example.com/app.js"
    result = bring(har(tmp_path / "in.har", [other, other]), "--out", tmp_path / "out.yaml")
    assert "found no exchange with a list of runs of any of the vendors" in str(result.exception)
    assert result.stderr == "left out: exchanges of other hosts and paths: 2 (static.example.com 2)\n"
    assert not (tmp_path / "out.yaml").exists()


Change = Callable[[dict[str, Any]], Any]


def _aborted(it: dict[str, Any]) -> None:
    it["response"].update(status=0, _error="net::ERR_ABORTED")


def _unsaved(it: dict[str, Any]) -> None:
    del it["response"]["content"]["text"]


def _no_base64(it: dict[str, Any]) -> None:
    it["response"]["content"].update(encoding="base64", text="a")


LEFT: list[tuple[Change, str]] = [
    (_unsaved, "entries whose answer's content was not saved by the browser: 1"),
    (_aborted, "entries that the client broke off or blocked: 1"),
    (lambda it: it["response"].update(status=0), "entries without an answer: 1"),
    (lambda it: it["request"].update(method="OPTIONS"), "CORS preflights: 1"),
    (lambda it: it["request"].update(url="blob:https://x/1"), "entries of another scheme than HTTP: 1"),
    (lambda it: it["request"].update(url="https://[x/1"), "entries without a URL that can be read: 1"),
    (lambda it: it.pop("request"), "entries without an HTTP method: 1"),
    (_no_base64, "entries with a body that is no base64: 1"),
    (lambda it: it["response"]["content"].update(text="<html>"), "answers of ListRuns that are no list of runs: 1"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), LEFT)
def test_what_an_entry_lacks_is_told(tmp_path: Path, change: Change, words: str) -> None:
    odd = json.loads(json.dumps(ENTRIES[0]))
    change(odd)
    result = bring(har(tmp_path / "in.har", [odd, ENTRIES[1]]), "--out", tmp_path / "out.yaml")
    assert result.exit_code == 0
    assert f"left out: {words}" in result.stderr


def _authority(it: dict[str, Any]) -> None:
    it["request"]["headers"] += [{"name": ":authority", "value": "h"}, {"name": ":method", "value": "GET"}]


def _query(it: dict[str, Any]) -> None:
    it["request"]["url"] = it["request"]["url"].partition("?")[0]
    it["request"]["queryString"] = [{"name": "MaxResults", "value": "5"}]


def _coded(it: dict[str, Any], encoding: str, code: Callable[[bytes], bytes]) -> None:
    text = code(it["response"]["content"]["text"].encode()).decode()
    it["response"]["content"].update(text=text, encoding=encoding)


KEPT: list[Change] = [
    lambda it: _coded(it, "utf-8", lambda text: b"\xef\xbb\xbf" + text),
    lambda it: _coded(it, "Base64", base64.b64encode),
    lambda it: _coded(it, "base64", base64.encodebytes),
    lambda it: _coded(it, "base64", lambda text: base64.urlsafe_b64encode(text).rstrip(b"=")),
    _authority,
    _query,
    lambda it: it.update(_webSocketMessages=[], pageref="page_1"),
    lambda it: it["response"].update(headers=[{"name": "Content-Encoding", "value": "gzip"}], bodySize=20),
    lambda it: it["response"].update(headers=None, cookies=None),
    lambda it: it["response"].update(status="200"),
    lambda it: it["request"].update(headers={}),
    lambda it: it["request"].update(url=it["request"]["url"] + "#top"),
    lambda it: it.pop("time"),
    lambda it: it.update(startedDateTime="yesterday"),
]


@pytest.mark.parametrize("change", KEPT)
def test_variants_of_an_entry_are_read(tmp_path: Path, change: Change) -> None:
    odd = json.loads(json.dumps(ENTRIES[0]))
    change(odd)
    result = bring(har(tmp_path / "in.har", [odd], b"\xef\xbb\xbf"), "--out", tmp_path / "out.yaml")
    assert "alibaba-pai: 1 walk, 1 page, 1 row, 0 errors; page sizes 5" in result.stdout


def test_a_lost_connection_becomes_a_wire_fault(tmp_path: Path) -> None:
    odd = json.loads(json.dumps(ENTRIES[0]))
    odd["response"] = {"status": 0, "_error": "net::ERR_CONNECTION_RESET"}
    out = tmp_path / "out.yaml"
    bring(har(tmp_path / "in.har", [odd, ENTRIES[0]]), "--out", out)
    assert "empty_reply: true" in out.read_text("utf-8")
