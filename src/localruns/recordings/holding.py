"""Files that are written by one process at a time, and files that take a place only once they are whole.

What is held is locked by the system, which takes the lock back when its holder ends, however it ends: nothing is left
behind that would have to be removed by hand. Where a system or a file system knows no such locks, nothing is held.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from localruns.errors import ConfigError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LOCKS = Path("/proc/locks")


class Held(Exception):
    """Somebody else holds the file; `holder` is the number of the process, 0 where the system does not tell."""

    def __init__(self, holder: int) -> None:
        super().__init__(f"held by process {holder}")
        self.holder = holder


class Hold:
    """A file that nobody else may hold until `release()`; begun where there is none.

    `locked` says whether the lock is real. Raises Held at once where somebody else holds the file, OSError where it
    cannot be opened.
    """

    def __init__(self, path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> None:
        self.locked = False
        self._file: int | None = None
        while fcntl is not None and self._file is None:
            file = os.open(path, flags, 0o644)
            try:
                self.locked = _locked(file)
                # Who held it before may have removed it just now: then this is a lock on a file that nobody finds.
                self._file = file if not self.locked or _is_at(file, path) else None
            finally:
                if self._file is None:
                    os.close(file)

    def release(self) -> None:
        """Let others have it; may be called twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def require_free(path: Path) -> None:
    """Raises ConfigError while a recorder holds that file."""
    with contextlib.suppress(OSError):  # what cannot be opened is said by those who want to
        try:
            Hold(path, os.O_RDONLY).release()
        except Held as held:
            raise taken(path, held) from None


def taken(path: Path, held: Held) -> ConfigError:
    """What to say of a file that a recorder holds."""
    who = f"process {held.holder}" if held.holder else "another process"
    return ConfigError(f"{path}: found a recorder writing to it, {who}: stop that one, or choose another file")


@contextlib.contextmanager
def part_of(place: Path, *, folders: bool = False) -> Iterator[Path]:
    """An empty file beside `place` to write to, which is gone at the end unless it took that place.

    What killed processes have left there is removed first; what a running one writes is held and stays. `folders`:
    those that are not there yet are made.
    Raises ConfigError where it cannot be written.
    """
    try:
        if folders:
            make_folder(place)
        _sweep(place)
        part, hold = _begun(place)
        try:
            yield part
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            hold.release()
    except OSError as error:
        raise ConfigError(f"{place}: cannot be written: {error.strerror or error}") from None


def make_folder(place: Path) -> None:
    """Make the folder of a file, if it is not there yet. Raises OSError."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # which says nothing about what is there
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place.parent)) from None


def _begun(place: Path) -> tuple[Path, Hold]:
    """A part that is held. Another process may be looking at it just then, to sweep it up; it can have that one."""
    while True:
        part = place.with_name(f"{place.name}.{secrets.token_hex(6)}.part")
        part.touch(0o644, exist_ok=False)
        with contextlib.suppress(Held):
            return part, Hold(part)


def _sweep(place: Path) -> None:
    """Remove the parts of this place that nobody holds."""
    ours = re.compile(re.escape(place.name) + r"\.[0-9a-f]+\.part")
    with contextlib.suppress(OSError):
        for path in [path for path in place.parent.iterdir() if ours.fullmatch(path.name)]:
            with contextlib.suppress(OSError, Held):
                hold = Hold(path, os.O_RDWR)
                if hold.locked:
                    path.unlink()
                hold.release()


def _locked(file: int) -> bool:
    """Lock an open file; False where there are no locks. Raises Held."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Held(_holder(os.fstat(file))) from None
    except OSError:
        return False
    return True


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _holder(found: os.stat_result) -> int:
    """The process that holds a file, where the system tells: Linux does, and not on every file system."""
    # Shape of a line: `1: FLOCK  ADVISORY  WRITE 4711 fe:00:2582947 0 EOF`, device and file at the end.
    named = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    with contextlib.suppress(OSError, ValueError):
        for line in _LOCKS.read_text("ascii").splitlines():
            words = line.split()
            if len(words) > 5 and words[1] == "FLOCK" and words[5] == named:
                return int(words[4])
    return 0
