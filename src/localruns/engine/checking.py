"""Checks scenario files and recordings without serving them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from localruns import yamlio
from localruns.engine.library import ENDINGS, Library
from localruns.engine.recorded.cassette import Cassette
from localruns.engine.recorded.recording import is_recording
from localruns.engine.recorded.store import RecordedStore
from localruns.engine.rows.building import build
from localruns.engine.scenario import Scenario
from localruns.engine.snapshot import Progress
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError

SHIPPED_ROWS = 2_000


def check_files(
    paths: Sequence[Path],
    vendors: Mapping[str, Vendor],
    told: Callable[[Path, Scenario], None] = lambda path, scenario: None,
    progress: Progress = lambda rows, total: None,
) -> tuple[int, list[str]]:
    """(how many hold, a line per problem) of files, folders, or all that is shipped; `told` hears of the good ones.

    The blocks of what is shipped are checked by their first rows: the rest has been checked before it was shipped.
    """
    good, problems = 0, list[str]()
    most = None if paths else SHIPPED_ROWS
    for path in _files(paths) if paths else (item.path for item in Library()):
        try:
            told(path, _check(path, vendors, progress, most))
            good += 1
        except ConfigError as error:
            problems += error.problems
    return good, problems


def _check(path: Path, vendors: Mapping[str, Vendor], progress: Progress, most: int | None) -> Scenario:
    """Compile the scenario and forget it, or read the recording. Raises ConfigError."""
    if is_recording(path):
        return RecordedStore(Cassette.load(path), vendors).snapshot.scenario
    connection = sqlite3.connect("")  # in memory while it is small, then in a file without a name
    try:
        return build(yamlio.read_text(path), str(path), vendors, None, connection, progress, most)
    except sqlite3.OperationalError as error:
        raise ConfigError(f"{path}: cannot be checked, because its rows need room for a while: {error}") from None
    finally:
        connection.close()


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix in ENDINGS)
        else:
            yield path
