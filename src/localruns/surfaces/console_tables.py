"""Tables as aligned plain text; on a terminal too narrow for one, a block of lines for each row."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import click

from localruns.surfaces.console import printable

_STYLES = {"breaking": "red", "additive": "cyan"}
_NAMING = 3  # columns that say what a row is about

Rows = Sequence[Sequence[str]]


def show_table(columns: Sequence[str], rows: Rows) -> None:
    """Print a table; nothing where there are no rows."""
    rows = [[printable(cell) for cell in row] for row in rows]
    if not rows:
        return
    text, at_terminal = plain(columns, rows), sys.stdout.isatty()
    if at_terminal and max(map(len, text.splitlines())) > shutil.get_terminal_size().columns:
        text = blocks(columns, rows)
    click.echo(_coloured(text) if at_terminal and not os.environ.get("NO_COLOR") else text)


def plain(columns: Sequence[str], rows: Rows) -> str:
    """The table as lines whose columns stand under each other."""
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in (columns, *rows))
    return "\n".join(lines)


def blocks(columns: Sequence[str], rows: Rows) -> str:
    """The table row by row: a line with what it is about, then one for each of its other cells."""
    names = columns[_NAMING:]
    width = max(map(len, names))
    lines = []
    for row in rows:
        lines.append("  ".join(row[:_NAMING]))
        lines += [f"    {name:{width}}  {cell}" for name, cell in zip(names, row[_NAMING:], strict=True)]
    return "\n".join(lines)


def _coloured(text: str) -> str:
    """The text with a colour on each class that has one, where a line begins with it."""
    return "\n".join(map(_line, text.split("\n")))


def _line(line: str) -> str:
    first, space, rest = line.partition(" ")
    return click.style(first, fg=_STYLES[first]) + space + rest if first in _STYLES else line
