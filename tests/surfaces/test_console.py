"""What is printed for requests: gathered lines that never slow, steer or break anything."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from localruns.surfaces.console import MAX_WAITING, Console, show_scenarios, show_warnings
from localruns.surfaces.http import App
from tests.clients.pagers import HEADERS


class Stream(io.StringIO):
    """Standard output that may be a terminal, and may fail."""

    def __init__(self, terminal: bool = False, fails: Exception | None = None) -> None:
        super().__init__()
        self.terminal, self.fails = terminal, fails

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        if self.fails:
            raise self.fails
        return super().write(text)


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    return make_app("quickstart")


def printed(app: App, monkeypatch: pytest.MonkeyPatch, log: str, *asked: dict[str, Any], terminal: bool = False) -> str:
    """What a console prints for these requests."""
    stream = Stream(terminal)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.delenv("NO_COLOR", raising=False)
    with Console(log) as console:
        app.emulator.listeners.append(console.note)
        for arguments in asked:
            assert app.test_client().open(**arguments).data is not None
    assert not console.stuck
    return stream.getvalue()


def test_a_line_tells_vendor_question_answer_and_reason(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(
        app, monkeypatch, "requests",
        {"path": "/nsml/v1/projects/runs", "headers": HEADERS["naver-nsml"]},
        {"path": "/api/v1/run"},
    ).splitlines()  # fmt: skip
    assert lines[0].startswith("naver-nsml  page 1 of runs, 10 a page, by createTime descending")
    assert lines[0].endswith("  ->  200, rows 1-10 of 25")
    assert lines[1].startswith("alibaba-pai  GET /api/v1/run  ->  404 InvalidApi.NotFound  because ")
    assert "close to ListRuns: the path differs only in '/run', expected '/runs'" in lines[1]


def test_another_namespace_is_named(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.emulator.open_space("other", "empty")
    assert printed(app, monkeypatch, "requests", {"path": "/ns/other/nsml/x"}).startswith("naver-nsml (other)  GET ")


@pytest.mark.parametrize(("log", "shown"), [("requests", 2), ("defects", 1), ("none", 0)])
def test_as_much_is_printed_as_was_asked_for(app: App, monkeypatch: pytest.MonkeyPatch, log: str, shown: int) -> None:
    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    for _ in range(2):
        assert app.test_client().get("/nsml/x").data
    space = app.emulator.space("default")
    fine, broken = space.journal
    broken.defect = "RuntimeError: no such luck"
    with Console(log) as console:
        console.note(space, fine)
        console.note(space, broken)
    assert stream.getvalue().count("\n") == shown
    assert ("because defect: RuntimeError: no such luck" in stream.getvalue()) is (shown > 0)


def test_on_a_terminal_the_answer_is_coloured_by_its_status(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [{"path": "/api/v1/runs", "headers": {"Prefer": f"code={status}"}} for status in (404, 503)]
    text = printed(app, monkeypatch, "requests", *asked, terminal=True)
    assert "\x1b[33m404 InvalidApi.NotFound\x1b[0m" in text
    assert "\x1b[31m503 ServiceUnavailable\x1b[0m" in text


def test_what_a_client_sends_cannot_steer_the_terminal(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = {"REQUEST_URI": "/nsml/\x1b[2J\x9b31m\r\nfake  ->  200"}
    text = printed(app, monkeypatch, "requests", {"path": "/", "environ_overrides": raw})
    assert text.count("\n") == 1
    assert not any(sign in text for sign in "\x1b\x9b\r")
    assert r"/nsml/\x1b[2J\x9b31m\r\nfake" in text


def test_secrets_are_in_no_line(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ("Authorization", "x-acs-security-token", "x-acs-bearer-token", "x-ncp-apigw-api-key")
    headers = dict.fromkeys(keys, "Bearer super-secret-token")
    paths = ("/api/v1/runs", "/nsml/v1/projects/runs", "/api/v2/x", "/20260430/x", "/nope")
    asked = [{"path": path, "headers": headers, "query_string": {"token": "super-secret-2"}} for path in paths]
    asked += [{"path": path, "headers": {"Authorization": "super-secret-token"}} for path in paths]
    text = printed(app, monkeypatch, "requests", *asked)
    assert len(text.splitlines()) == 10
    assert "super-secret" not in text


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(5, "Input/output error"), ValueError("closed file")])
def test_a_terminal_that_has_gone_ends_the_printing_and_nothing_else(
    app: App, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(sys, "stdout", Stream(fails=error))
    with Console("requests") as console:
        app.emulator.listeners.append(console.note)
        console.ready("http://127.0.0.1:1", app.emulator)
        assert app.test_client().get("/api/v1/runs").status_code == 400
    assert not console.stuck


def test_lines_that_nobody_reads_do_not_pile_up(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    stream = Stream()
    monkeypatch.setattr(stream, "flush", release.wait)
    monkeypatch.setattr(sys, "stdout", stream)
    client = app.test_client()
    assert client.get("/nsml/x").data
    (entry,) = app.emulator.space("default").journal
    with Console("requests") as console:
        for _ in range(MAX_WAITING * 2):
            console.note(app.emulator.space("default"), entry)
        assert len(console._waiting) <= MAX_WAITING
    assert console.stuck
    release.set()
    console._writer.join(10)
    assert not console.stuck


def test_scenarios_are_a_table_on_a_terminal_and_plain_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [{"name": "a", "kind": "scenario", "vendors": ["x", "y"], "about": "first [bold] :smile:"}]
    for terminal in (False, True):
        stream = Stream(terminal)
        monkeypatch.setattr(sys, "stdout", stream)
        show_scenarios(found)
        assert ("\x1b[1m" in stream.getvalue(), "\t" in stream.getvalue()) == (terminal, not terminal)
        assert "first [bold] :smile:" in stream.getvalue()


def test_warnings_are_plain_lines_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("localruns")
    for name in ("handlers", "level", "propagate"):
        monkeypatch.setattr(logger, name, getattr(logger, name))
    show_warnings()
    logging.getLogger("localruns.snapshot").warning("no cache there")
    logging.getLogger("localruns.snapshot").info("not shown")
    assert capsys.readouterr().err == "WARNING: no cache there\n"
