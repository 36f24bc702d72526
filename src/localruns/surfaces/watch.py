"""Edited scenarios are checked, then swapped in whole; a broken edit keeps the old one and says why.

Files are compared by content, so it works on mounted ones too, where neither times nor notifications can be relied on.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from localruns.engine.emulator import Emulator
from localruns.engine.namespace import Namespace
from localruns.errors import ConfigError

EVERY_S = 0.5
_MAX_NAMED = 5
_log = logging.getLogger("localruns.watch")


class Watch:
    """Watches the files that the namespaces of one emulator serve, in a thread of its own while it is entered.

    `say` takes a line for the person who edits. What is compiled there is compiled beside the server; a namespace
    starts over with its new scenario in one step.
    """

    def __init__(self, emulator: Emulator, say: Callable[[str], None], every_s: float = EVERY_S) -> None:
        self._emulator = emulator
        self._say = say
        self._every_s = every_s
        self._seen: dict[Path, bytes] = {}
        self._refused: set[Path] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="localruns-watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()

    def check(self) -> None:
        """One round: look at each file that is in use, and act on those that have changed since the last one."""
        for path in dict.fromkeys(space.store.path for space in self._spaces()):
            if path is not None and self._seen.get(path) != (digest := _digest(path)):
                self._seen[path] = digest
                self._changed(path, digest)

    def _run(self) -> None:
        while not self._done.wait(self._every_s):
            try:
                self.check()
            except Exception:  # a defect of ours must not end the watch
                _log.exception("defect while looking for edited scenarios")

    def _changed(self, path: Path, digest: bytes) -> None:
        try:
            store = self._emulator.store(str(path))
        except ConfigError as error:
            if _digest(path) == digest:  # else it is being written, and the next round will tell
                self._refused.add(path)
                for problem in error.problems:
                    self._say(f"not reloaded: {problem}")
            return
        spaces = [space for space in self._spaces() if space.store.path == path and space.store is not store]
        for space in spaces:
            space.load(store)
        if spaces:
            self._say(f"reloaded {path}: {_starting(spaces)}")
        elif path in self._refused:
            self._say(f"{path}: as it was, nothing to reload")
        self._refused.discard(path)

    def _spaces(self) -> Iterator[Namespace]:
        for name in self._emulator.spaces:
            with contextlib.suppress(KeyError):  # it has expired this moment
                yield self._emulator.spaces[name]


def _digest(path: Path) -> bytes:
    """What tells one content of a file from another; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""


def _starting(spaces: list[Namespace]) -> str:
    """`namespace default starts over`."""
    names = [space.name for space in spaces]
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    listed = ", ".join(names[:_MAX_NAMED]) + more
    return f"namespace {listed} starts over" if len(names) == 1 else f"namespaces {listed} start over"
