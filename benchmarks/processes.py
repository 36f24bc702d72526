"""A server in a process of its own, pinned to a core, with all that it starts in turn."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Self

STOP_S = 5.0


class Failed(Exception):
    """Something that is to be measured cannot be started, or answers otherwise than it should; says so to the user."""


class ServerProcess:
    """A running server: the leader of a session, so that its children are found and ended with it.

    Shape: `log` holds what it printed. Units: `started_s` is perf_counter() right before the start.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        core: int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.command = list(command)
        self.log = log
        pinned = self.command if core is None else ["taskset", "--cpu-list", str(core), *self.command]
        with log.open("wb") as out:
            self.started_s = perf_counter()
            self._process = subprocess.Popen(
                pinned,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def resident_mb(self) -> float:
        """Resident memory of the whole process tree; what its processes share counts for each. Units: 2**20 bytes."""
        return sum(_resident_kb(pid) for pid in _session(self.pid)) / 1024

    def await_port(self, port: int, limit_s: float) -> None:
        """Return once something listens on the port. Raises: Failed when it ends before, or takes too long."""
        give_up = monotonic() + limit_s
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            self.must_live(give_up, limit_s)
            sleep(0.002)

    def must_live(self, give_up: float, limit_s: float) -> None:
        """Raises: Failed when it has ended, or monotonic() has passed `give_up`; with the end of what it printed."""
        if not self.alive:
            raise Failed(f"ended with exit code {self._process.poll()}: {self.last_words()}")
        if monotonic() > give_up:
            raise Failed(f"gave no answer within {limit_s:.0f} s: {self.last_words()}")

    def last_words(self) -> str:
        """The end of what it printed, as one line."""
        return (
            " | ".join(self.log.read_text("utf-8", "replace").strip().splitlines()[-3:])[-400:] or "it printed nothing"
        )

    def stop(self) -> None:
        """End it and its children: ask, then insist."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.signal(number)
            give_up = monotonic() + STOP_S
            while (self.alive or any(_session(self.pid))) and monotonic() < give_up:
                sleep(0.01)
            if not self.alive and not any(_session(self.pid)):
                return

    def signal(self, number: int) -> None:
        """Send a signal to it and its children, and do not wait."""
        for pid in list(_session(self.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def free_port() -> int:
    """A port of loopback on which nothing listened a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _session(leader: int) -> Iterator[int]:
    """The processes of a session that still run, from /proc: the sixth field of `stat` is the session."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] not in "ZX":
                yield int(path.parent.name)


def _resident_kb(pid: int) -> int:
    with suppress(OSError):
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) if found else 0
    return 0
