"""A run of wrk against one server: every answer is checked, by `check.lua`, while it runs."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from benchmarks.asks import Ask
from benchmarks.processes import Failed

CHECK = Path(__file__).with_name("check.lua")
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of wrk saw; all of its answers were whole. Shape: `client_busy`: the share of a core that wrk used."""

    requests: int
    took_s: float
    p50_us: float
    p99_us: float
    client_busy: float

    @property
    def requests_per_s(self) -> float:
        """Answers per second."""
        return self.requests / self.took_s


def must_exist() -> None:
    """Raises: Failed when the tools that drive and pin are missing."""
    for tool, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(tool) is None:
            raise Failed(f"{tool} is not on the PATH; try: apt-get install {package}")


def drive(url: str, ask: Ask, length: int, *, seconds: float, connections: int = 16, core: int | None = None) -> Load:
    """Ask the same again and again. Raises: Failed when an answer is not a 200 whose body has this length."""
    with tempfile.NamedTemporaryFile(prefix="localruns-ask-") as body:
        body.write(ask.body)
        body.flush()
        begun = _busy_s()
        done = subprocess.run(
            command(url, ask, length, body.name, seconds, connections, core),
            capture_output=True,
            text=True,
            check=False,
        )
        busy_s = _busy_s() - begun
    if done.returncode:
        raise Failed(f"wrk ended with exit code {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
    return parsed(done.stdout, busy_s)


def command(
    url: str, ask: Ask, length: int, body: str, seconds: float, connections: int, core: int | None
) -> list[str]:
    """The command line. wrk counts whole seconds, so others are ended by `timeout`, as Ctrl-C would."""
    pin = [] if core is None else ["taskset", "--cpu-list", str(core)]
    short = [] if seconds == int(seconds) else ["timeout", "--preserve-status", "--signal", "INT", str(seconds)]
    headers = [part for name, value in ask.headers.items() for part in ("-H", f"{name}: {value}")]
    length_s = ceil(seconds)
    run = ["wrk", "-t1", f"-c{connections}", f"-d{length_s}s", f"--timeout={TIMEOUT_S}s", "-s", str(CHECK), *headers]
    given = [body] if ask.body else []
    return [*pin, *short, *run, url + ask.path, "--", ask.method, str(length), *given]


def parsed(printed: str, busy_s: float) -> Load:
    """What the check printed. Raises: Failed when not all answers were whole."""
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    if not lines:
        raise Failed(f"wrk printed no figures: {printed.strip()[-300:]}")
    told = json.loads(lines[-1])
    wrong = {name: told[name] for name in ("wrong_status", "wrong_length", "broken") if told[name]}
    if wrong:
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in wrong.items())
        raise Failed(f"of {told['requests']} answers not all were whole: {counts}")
    if not told["requests"] or told["checked"] != told["requests"]:
        raise Failed(f"{told['checked']} of {told['requests']} answers were checked, expected all of at least one")
    took_s = told["took_us"] / 1e6
    return Load(told["requests"], took_s, told["p50_us"], told["p99_us"], busy_s / took_s)


def _busy_s() -> float:
    """Processor time of the children that have ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
