"""What `serve` prints: who is ready, and a line per request; gathered, so that printing never slows an answer."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import shlex
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from localruns.engine.faults.chaos import summary
from localruns.engine.journal import Entry
from localruns.engine.namespace import Namespace
from localruns.engine.recorded.store import RecordedStore
from localruns.paths import cache_dir
from localruns.reports.words import answered, asked, why

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from localruns.engine.emulator import Emulator

FLUSH_S = 0.1
LAST_FLUSH_S = 0.2
MAX_WAITING = 10_000
BAR_AFTER_S = 0.5
LINE_AFTER_S = 2.0
MANY_ROWS = 20_000
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_COLOURS = {"2": "green", "3": "cyan", "4": "yellow", "5": "red"}


class Console:
    """Lines of one server. `log` is requests, defects or none; colours where standard output is a terminal."""

    def __init__(self, log: str) -> None:
        self._log = log
        self._colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._waiting: deque[tuple[Namespace, Entry]] = deque(maxlen=MAX_WAITING)
        self._done = threading.Event()
        self._writer = threading.Thread(target=self._run, name="localruns-console", daemon=True)

    def __enter__(self) -> Console:
        self._writer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._writer.join(LAST_FLUSH_S)

    @property
    def stuck(self) -> bool:
        """Whether lines are left that nobody reads, so that an orderly end would wait for ever."""
        return self._writer.is_alive()

    def note(self, space: Namespace, entry: Entry) -> None:
        """Remember an exchange for the next line; called by the server for each."""
        if self._log == "requests" or (self._log == "defects" and entry.defect):
            self._waiting.append((space, entry))

    def ready(self, url: str, emulator: Emulator) -> None:
        """The first line, and what is served."""
        lines = [f"localruns ready on {url}"]
        for space in emulator.spaces.values():
            prefix = "" if space.name == "default" else f"/ns/{quote(space.name, safe='')}"
            kind = "recording" if isinstance(space.store, RecordedStore) else "scenario"
            served = ", ".join(vendor for vendor in space.states if vendor in emulator.vendors)
            lines.append(f"  {url}{prefix}/  {kind} {space.scenario.name}: {served}")
            if by_chance := summary(space.scenario):
                lines.append(f"    {by_chance}")
        cache = emulator.options.cache
        where = f"--url {url}" + (f" --cache-dir {shlex.quote(str(cache))}" if cache != cache_dir() else "")
        lines.append(f"  `localruns env {where}` shows how to point each SDK here; Ctrl-C stops")
        self._write(lines)

    def say(self, line: str) -> None:
        """Print a line of our own now."""
        self._write([printable(line)])

    def _run(self) -> None:
        while not self._done.wait(FLUSH_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        lines = []
        while self._waiting:
            lines.append(self._line(*self._waiting.popleft()))
        if lines:
            self._write(lines)

    def _write(self, lines: Iterable[str]) -> None:
        try:
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            self._log = "none"
            hush()

    def _line(self, space: Namespace, entry: Entry) -> str:
        where = entry.vendor or "-"
        if space.name != "default":
            where += f" ({space.name})"
        question, outcome, reason = (printable(words(entry)) for words in (asked, answered, why))
        if self._colour:
            outcome = click.style(outcome, fg=_COLOURS.get(outcome[:1]))
            where = click.style(where, bold=True)
            reason = click.style(reason, dim=True) if reason else ""
        return f"{where}  {question}  ->  {outcome}" + (f"  because {reason}" if reason else "")


def hush() -> None:
    """Nobody reads what we print any more: nothing is printed from now on, not at the end either."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(text: str) -> str:
    """One line without control characters: what a client sends must not steer a terminal."""
    return _UNPRINTABLE.sub(lambda found: repr(found[0])[1:-1], text)


def show_scenarios(found: Iterable[Mapping[str, Any]]) -> None:
    """A table on a terminal, plain tab-separated lines in a pipe."""
    marks = {"recording": "recording: "}
    rows = [(item["name"], ", ".join(item["vendors"]), marks.get(item["kind"], "") + item["about"]) for item in found]
    if not sys.stdout.isatty():
        click.echo("\n".join("\t".join(row) for row in rows))
        return
    from rich.console import Console as Rich
    from rich.table import Table

    table = Table("scenario", "vendors", "about", box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Rich(markup=False, emoji=False).print(table)


@contextlib.contextmanager
def counting(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar for `total` rows where standard error is a terminal; gives what is told how many are done."""
    if not sys.stderr.isatty():
        yield lambda rows: None
        return
    from rich.console import Console as Rich
    from rich.progress import Progress

    with Progress(console=Rich(stderr=True), transient=True) as progress:
        task = progress.add_task(words, total=total)
        yield lambda rows: progress.advance(task, rows)


class Building:
    """Shows how a snapshot gets on: it is to be called with the rows that are done, and how many there will be.

    On a terminal a bar, elsewhere one line, on standard error, and only once it takes long.
    """

    def __init__(self, words: str = "compiling") -> None:
        self._words = words
        self._patience_s = BAR_AFTER_S if sys.stderr.isatty() else LINE_AFTER_S
        self._done = self._total = 0
        self._since: float | None = None
        self._bar: Bar | None = None

    def __enter__(self) -> Building:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._patience_s = math.inf  # what is compiled while serving is nobody's wait

    def __call__(self, rows: int, total: int) -> None:
        """So many more rows are done, of `total`."""
        now = time.monotonic()
        if self._since is None or self._done >= self._total:
            self._since, self._done, self._total = now, 0, total
        self._done += rows
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, total=total)
        elif now - self._since > self._patience_s and total >= MANY_ROWS:
            self._show()

    def _show(self) -> None:
        words = f"{self._words} {self._total:,} rows"
        if not sys.stderr.isatty():
            click.echo(f"{words}; this takes a while", err=True)
            self._patience_s = math.inf
            return
        from rich.console import Console as Rich
        from rich.progress import Progress

        self._bar = Progress(console=Rich(stderr=True), transient=True)
        self._task = self._bar.add_task(words, total=self._total)
        self._bar.start()


def show_warnings() -> None:
    """Warnings of the engine as plain lines on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger = logging.getLogger("localruns")
    logger.handlers = [handler]
    logger.setLevel(logging.WARNING)
    logger.propagate = False
