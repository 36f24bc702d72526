"""What `serve` prints: who is ready, and a line per request; gathered, so that printing never slows an answer."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from localruns.engine.journal import Entry
from localruns.engine.namespace import Namespace
from localruns.reports.words import answered, asked, why

if TYPE_CHECKING:
    from localruns.engine.emulator import Emulator

FLUSH_S = 0.1
_COLOURS = {"2": "green", "3": "cyan", "4": "yellow", "5": "red"}


class Console:
    """Lines of one server. `log` is requests, defects or none; colours where standard output is a terminal."""

    def __init__(self, log: str) -> None:
        self._log = log
        self._colour = sys.stdout.isatty()
        self._waiting: list[tuple[Namespace, Entry]] = []
        self._done = threading.Event()
        self._writer = threading.Thread(target=self._run, name="localruns-console", daemon=True)

    def __enter__(self) -> Console:
        self._writer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._writer.join(1)

    def note(self, space: Namespace, entry: Entry) -> None:
        """Remember an exchange for the next line; called by the server for each."""
        if self._log == "requests" or (self._log == "defects" and entry.defect):
            self._waiting.append((space, entry))

    def ready(self, url: str, emulator: Emulator) -> None:
        """The first line, and what is served."""
        lines = [f"localruns ready on {url}"]
        for space in emulator.spaces.values():
            prefix = "" if space.name == "default" else f"/ns/{space.name}"
            served = ", ".join(vendor for vendor in space.states if vendor in emulator.vendors)
            lines.append(f"  {url}{prefix}/  scenario {space.scenario.name}: {served}")
        lines.append(f"  `localruns env --url {url}` shows how to point each SDK here; Ctrl-C stops")
        self._write(lines)

    def _run(self) -> None:
        while not self._done.wait(FLUSH_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._write([self._line(space, entry) for space, entry in waiting])

    def _write(self, lines: Iterable[str]) -> None:
        try:
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            self._log = "none"

    def _line(self, space: Namespace, entry: Entry) -> str:
        where = entry.vendor or "-"
        if space.name != "default":
            where += f" ({space.name})"
        outcome, reason = answered(entry), why(entry)
        if self._colour:
            outcome = click.style(outcome, fg=_COLOURS.get(outcome[:1]))
            where = click.style(where, bold=True)
            reason = click.style(reason, dim=True) if reason else ""
        return f"{where}  {asked(entry)}  ->  {outcome}" + (f"  because {reason}" if reason else "")


def show_scenarios(found: Iterable[Mapping[str, Any]]) -> None:
    """A table on a terminal, plain tab-separated lines in a pipe."""
    rows = [(item["name"], ", ".join(item["vendors"]), item["about"]) for item in found]
    if not sys.stdout.isatty():
        click.echo("\n".join("\t".join(row) for row in rows))
        return
    from rich.console import Console as Rich
    from rich.table import Table

    table = Table("scenario", "vendors", "about", box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Rich().print(table)


def show_warnings() -> None:
    """Warnings of the engine as plain lines on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger = logging.getLogger("localruns")
    logger.handlers = [handler]
    logger.setLevel(logging.WARNING)
    logger.propagate = False
