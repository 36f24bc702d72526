"""Compiled scenarios: immutable SQLite files in a cache that any number of servers share.

A snapshot is built beside its place, synced and renamed, so a reader never meets half of one. Its name is the
hash of all it is made from, so nothing in it can be out of date.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

import localruns
from localruns import yamlio
from localruns.engine.rows.pools import faker_version
from localruns.engine.scenario import Scenario
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError
from localruns.paths import fixtures_dir, schemas_dir

FORMAT = 3
MAX_CACHE_BYTES = 2 * 1024**3
MAX_MEMORY_PAGES = 65_536  # 1 GB of the pages that many rows get
STALE_PART_S = 600
Progress = Callable[[int, int], None]
_log = logging.getLogger("localruns.snapshot")
_memory_names = itertools.count()
_warned: set[Path] = set()


class _Closing(sqlite3.Connection):
    """Closes itself with the thread it belongs to; Python 3.13 warns of connections that nobody closed."""

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it was never opened
            self.close()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One compiled scenario. `uri` opens it read-only; `keeper` keeps one that lives in memory alive."""

    scenario: Scenario
    uri: str
    key: str
    keeper: sqlite3.Connection | None = None

    def connect(self) -> sqlite3.Connection:
        """A new read-only connection, for one thread."""
        connection = sqlite3.connect(self.uri, uri=True, check_same_thread=False, factory=_Closing)
        connection.execute("PRAGMA query_only = ON")
        return connection


def load_snapshot(
    path: Path,
    vendors: Mapping[str, Vendor],
    cache: Path,
    seed: int | None = None,
    progress: Progress = lambda rows, total: None,
) -> Snapshot:
    """The snapshot of the scenario file at `path`, as `snapshot_of`. Raises ConfigError."""
    return snapshot_of(yamlio.read_text(path), str(path), vendors, cache, seed, progress)


def snapshot_of(
    text: str,
    name: str,
    vendors: Mapping[str, Vendor],
    cache: Path,
    seed: int | None = None,
    progress: Progress = lambda rows, total: None,
) -> Snapshot:
    """The snapshot of a scenario's text: from the cache, else built into it; `name` stands for its file in messages.

    While it is built, `progress` is told of rows that are done, and how many there will be.
    Raises ConfigError. An unwritable cache costs one warning; the snapshot then lives in memory, where that is enough.
    """
    key = _key(text, seed, vendors)
    place = cache / f"{key}.sqlite"
    kept = _kept(place, key)
    if kept is not None:
        return kept

    def fill(connection: sqlite3.Connection) -> Scenario:
        # Only a build needs the checker, the templates and all that hangs on them.
        from localruns.engine.rows.building import build

        return build(text, name, vendors, seed, connection, progress)

    part = _part(cache)
    if part is not None:
        try:
            _sweep_parts(cache)
            _write(part, place, fill)
            _sweep(cache, keep=place)
            return _open(place, key)
        except (OSError, sqlite3.Error) as error:
            _warn(cache, str(error))
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    return _in_memory(name, key, fill)


def _in_memory(name: str, key: str, fill: Callable[[sqlite3.Connection], Scenario]) -> Snapshot:
    uri = f"file:localruns-{os.getpid()}-{next(_memory_names)}?mode=memory&cache=shared"
    keeper = sqlite3.connect(uri, uri=True, check_same_thread=False, factory=_Closing)
    try:
        keeper.execute(f"PRAGMA max_page_count = {MAX_MEMORY_PAGES}")
        return Snapshot(fill(keeper), uri, key, keeper)
    except BaseException as error:
        keeper.close()
        if isinstance(error, (sqlite3.OperationalError, MemoryError)):
            words = f"{name}: found more rows than are kept in memory ({error})"
            raise ConfigError(f"{words}, expected a cache folder that can be written and has room for them") from None
        raise


def _kept(place: Path, key: str) -> Snapshot | None:
    """The snapshot in the cache, if there is one that can be read."""
    try:
        if not place.exists():
            return None
        snapshot = _open(place, key)
        with contextlib.suppress(OSError):
            os.utime(place)
        return snapshot
    except (OSError, sqlite3.Error, ValueError, TypeError, KeyError):
        _log.warning("%s: unreadable snapshot, built anew", place)
        return None


def _write(part: Path, place: Path, fill: Callable[[sqlite3.Connection], Scenario]) -> None:
    """Build in `part`, sync, and rename to `place`."""
    connection = sqlite3.connect(part)
    try:
        fill(connection)
    finally:
        connection.close()
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(place)


def _open(place: Path, key: str) -> Snapshot:
    uri = f"{place.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True)
    try:
        pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        if place.stat().st_size != pages * size:
            raise ValueError("the file is cut or has grown")
        (text,) = connection.execute("SELECT value FROM meta WHERE name = 'scenario'").fetchone()
    finally:
        connection.close()
    return Snapshot(Scenario.from_json(orjson.loads(text)), uri, key)


def _key(text: str, seed: int | None, vendors: Mapping[str, Vendor]) -> str:
    # Only a template of the scenario's own may draw from Faker, whose releases draw differently.
    faker = faker_version() if "faker" in text else ""
    hashed = hashlib.sha256(f"{FORMAT} {localruns.__version__} {seed} {faker}\0{text}\0".encode())
    for file in sorted(schemas_dir().glob("*.json")):
        hashed.update(file.name.encode() + b"\0" + file.read_bytes())
    for vendor in sorted(vendors):
        for folder in (fixtures_dir() / vendor, schemas_dir() / vendor):
            for file in sorted(folder.iterdir()):
                hashed.update(file.name.encode() + b"\0" + file.read_bytes())
    return hashed.hexdigest()[:40]


def _part(cache: Path) -> Path | None:
    """A new empty file in the cache, or None where none can be made."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=cache)
        os.close(handle)
        return Path(name)
    except OSError as error:
        _warn(cache, error.strerror or str(error))
        return None


def _warn(cache: Path, why: str) -> None:
    """One line per folder and process, however many scenarios are loaded."""
    if cache not in _warned:
        _warned.add(cache)
        _log.warning("%s: no cache there (%s), snapshots are built in memory", cache, why)


def _sweep(cache: Path, keep: Path) -> None:
    """Remove the least recently used snapshots over the limit."""
    total = 0
    for place in sorted(cache.glob("*.sqlite"), key=_stat, reverse=True):
        total += _stat(place)[1]
        if total > MAX_CACHE_BYTES and place != keep:
            with contextlib.suppress(OSError):
                place.unlink()


def _sweep_parts(cache: Path) -> None:
    """Remove what a build left that was killed; one that is under way writes to its part all the while."""
    for part in cache.glob("*.part"):
        if _stat(part)[0] < time.time() - STALE_PART_S:
            with contextlib.suppress(OSError):
                part.unlink()


def _stat(path: Path) -> tuple[float, int]:
    try:
        stat = path.stat()
        return stat.st_mtime, stat.st_size
    except OSError:
        return 0.0, 0
