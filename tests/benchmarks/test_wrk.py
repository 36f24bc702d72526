"""What is read out of wrk's words."""

from __future__ import annotations

import json
import shutil

import pytest

from benchmarks import wrk
from benchmarks.asks import Ask, search
from benchmarks.processes import Failed

TOLD = {
    "requests": 2000,
    "checked": 2000,
    "wrong_status": 0,
    "wrong_length": 0,
    "broken": 0,
    "took_us": 500_000,
    "p50_us": 120.0,
    "p99_us": 900.5,
    "max_us": 1000.0,
}


def printed(**changes: int) -> str:
    return "Running 1s test @ http://127.0.0.1:1\n  1 threads\n" + json.dumps({**TOLD, **changes}) + "\n"


def test_figures_are_read() -> None:
    load = wrk.parsed(printed(), busy_s=0.4)
    assert load == wrk.Load(2000, 0.5, 120.0, 900.5, client_busy=0.8)
    assert load.requests_per_s == 4000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"wrong_status": 3}, "3 wrong status"),
        ({"wrong_length": 1}, "1 wrong length"),
        ({"broken": 2}, "2 broken"),
        ({"checked": 1999}, "1999 of 2000 answers were checked"),
        ({"requests": 0, "checked": 0}, "at least one"),
    ],
)
def test_a_run_with_anything_wrong_is_refused(changes: dict[str, int], words: str) -> None:
    with pytest.raises(Failed, match=words):
        wrk.parsed(printed(**changes), busy_s=0.1)


def test_words_without_figures_are_refused() -> None:
    with pytest.raises(Failed, match="no figures: unable to connect"):
        wrk.parsed("unable to connect to 127.0.0.1:1\n", busy_s=0)


def test_client_and_core_stand_in_the_command() -> None:
    line = wrk.command("http://h", Ask("/x", {"A": "b"}), 7, "", 4, 16, 1)
    assert line[:3] == ["taskset", "--cpu-list", "1"]
    assert {"-t1", "-c16", "-d4s"} < set(line)
    assert line[-6:] == ["-H", "A: b", "http://h/x", "--", "GET", "7"]


def test_parts_of_a_second_are_measured_too() -> None:
    line = wrk.command("http://h", search(), 7, "body.json", 0.3, 1, None)
    assert line[:5] == ["timeout", "--preserve-status", "--signal", "INT", "0.3"]
    assert line[-4:] == ["--", "POST", "7", "body.json"]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "wrk" else f"/bin/{name}")
    with pytest.raises(Failed, match="wrk is not on the PATH; try: apt-get install wrk"):
        wrk.must_exist()
