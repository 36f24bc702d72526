"""Tables: with rich on a terminal, as aligned plain text in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from localruns.surfaces.console import printable

_STYLES = {"breaking": "red", "additive": "cyan", "cosmetic": "dim"}


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; nothing where there are no rows."""
    rows = [[printable(cell) for cell in row] for row in rows]
    if rows and sys.stdout.isatty():
        _rich(columns, rows)
    elif rows:
        click.echo(plain(columns, rows))


def plain(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table as lines whose columns stand under each other."""
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in (columns, *rows))
    return "\n".join(lines)


def _rich(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, ""), overflow="fold") for cell in row))
    Console(markup=False, emoji=False, highlight=False).print(table)
