"""Tables of findings: aligned lines, and blocks where a terminal is too narrow."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import pytest

from localruns.surfaces.console_tables import show_table

COLUMNS = ("class", "kind", "vendor", "place", "found")
ROWS = [
    ("breaking", "order", "naver-nsml", "runs paging", "a row before its turn"),
    ("cosmetic", "header-form", "naver-nsml", "header date", "text\x1b[2J"),
]
TABLE = """\
class     kind         vendor      place        found
breaking  order        naver-nsml  runs paging  a row before its turn
cosmetic  header-form  naver-nsml  header date  text\\x1b[2J
"""
BLOCKS = """\
breaking  order  naver-nsml
    place  runs paging
    found  a row before its turn
cosmetic  header-form  naver-nsml
    place  header date
    found  text\\x1b[2J
"""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`terminal(width)` makes standard output one."""

    def make(width: int) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.delenv("NO_COLOR", raising=False)

    return make


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    show_table(COLUMNS, ROWS)
    return capsys.readouterr().out


def test_in_a_pipe_a_row_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys) == TABLE


@pytest.mark.parametrize(("width", "text"), [(200, TABLE), (60, BLOCKS)])
def test_a_terminal_that_is_too_narrow_gets_a_block_for_each_row(
    capsys: pytest.CaptureFixture[str],
    terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    text: str,
) -> None:
    terminal(width)
    red = text.replace("breaking", "\x1b[31mbreaking\x1b[0m")
    assert shown(capsys) in (red, text)  # the test's own standard output is no terminal, so click takes colours away
    monkeypatch.setitem(os.environ, "NO_COLOR", "1")
    assert shown(capsys) == text


def test_nothing_is_printed_of_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(COLUMNS, [])
    assert capsys.readouterr().out == ""
