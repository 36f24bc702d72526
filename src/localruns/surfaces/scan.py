"""`localruns scan`: whether a file may be shown to others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from localruns.errors import ConfigError
from localruns.surfaces.options import PATH

if TYPE_CHECKING:
    from localruns.recordings.redaction.parts import Place

_LISTS = (("exchanges",), ("interactions",), ("log", "entries"), ("http_interactions",))


@click.command()
@click.argument("file", nargs=-1, required=True, type=PATH)
@click.option("--redact", type=PATH, metavar="RULES.yaml", help="What is secret besides what is known anyway.")
def scan(file: Sequence[Path], redact: Path | None) -> None:
    """Find what still looks like a secret in recordings, scenarios, HAR files, cassettes or any text file."""
    from localruns.recordings.redaction.rules import load_rules
    from localruns.recordings.scanning.exchanges import scan_file
    from localruns.vendors import all_vendors

    known, seen, found, unread = load_rules(redact), _Seen(), 0, False
    for path in file:
        shown = click.format_filename(path)
        seen.begin()
        try:
            for finding in scan_file(path, all_vendors(), known, seen.note):
                click.echo(f"{shown}:{finding.line}: {finding.where}: {finding.what}")
                found += 1
        except ConfigError as error:
            click.echo("\n".join(f"error: {problem}" for problem in error.problems), err=True)
            unread = True
    if not found and not unread:
        click.echo(f"{seen.words()} scanned, nothing found")
    elif found:
        click.echo(f"{found} {'text looks' if found == 1 else 'texts look'} like a secret", err=True)
    sys.exit(2 if unread else 1 if found else 0)


class _Seen:
    """Counts what has been looked at: exchanges where a file is a list of them, else its lines."""

    def __init__(self) -> None:
        self._exchanges = self._lines = 0
        self._last: object = None

    def begin(self) -> None:
        """Another file comes."""
        self._last = None

    def note(self, place: Place, line: int) -> None:
        """One more text."""
        path = tuple(place.path)
        if path in _LISTS:  # the key above the list
            return
        listed = next((path[: len(above) + 1] for above in _LISTS if path[: len(above)] == above), None)
        last = listed or line
        if last != self._last:
            self._exchanges += listed is not None
            self._lines += listed is None
            self._last = last

    def words(self) -> str:
        """The counts in words."""
        counts = ((self._exchanges, "exchange"), (self._lines, "line"))
        told = [f"{count:,} {name}{'' if count == 1 else 's'}" for count, name in counts if count]
        return " and ".join(told) or "0 lines"
