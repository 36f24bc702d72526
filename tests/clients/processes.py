"""`localruns` as a process of its own, on loopback and a free port."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "localruns.surfaces.cli"]
SOURCE = Path(__file__).parents[2] / "src"
READY = "localruns ready on http://127.0.0.1:"


def environment(**more: str) -> dict[str, str]:
    """This process's, with the package to be found and output as it would be at a user's."""
    base = {key: value for key, value in os.environ.items() if not key.startswith(("LOCALRUNS_", "PYTHONUNBUF"))}
    return {**base, "PYTHONPATH": str(SOURCE), **more}


def run(*arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None,
        **options: Any) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """A command that ends by itself."""
    return subprocess.run(
        [*COMMAND, *arguments], env=env or environment(), cwd=cwd, text=True, capture_output=True, timeout=30,
        stdin=subprocess.DEVNULL, check=False, **options,
    )  # fmt: skip


class Served:
    """A running server. Shape: `lines` what it has printed so far; `url`; `ready_s` from process start."""

    def __init__(self, process: subprocess.Popen[str], started: float) -> None:
        self.process = process
        self.lines = [process.stdout.readline().rstrip("\n")] if process.stdout else []
        self.ready_s = time.perf_counter() - started
        self.url = self.lines[0].rpartition(" ")[2] if self.lines else ""
        self.errors = "" if self.url else self.end()[1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
        """Status and parsed body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if body else None
        finally:
            connection.close()

    def read_until(self, wanted: Callable[[str], bool]) -> str:
        """The next printed line that is wanted; the ones before it are kept in `lines`."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if wanted(line):
                return self.lines[-1]
        raise AssertionError(f"never printed; {self.lines}")

    def end(self, number: int = signal.SIGTERM) -> tuple[str, str, float]:
        """The rest of standard output, standard error, and how long it took to end. Units: seconds."""
        started = time.perf_counter()
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, errors = (stream.read() for stream in (self.process.stdout, self.process.stderr) if stream)
        self.process.wait(20)
        return out, errors, time.perf_counter() - started


@contextmanager
def serving(*arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None,
            command: list[str] | None = None, what: str = "serve") -> Iterator[Served]:  # fmt: skip
    """`localruns serve`, or `what`, with its output in a pipe."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [*(command or COMMAND), what, "--port", "0", *arguments], env=env or environment(), cwd=cwd, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield Served(process, started)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
