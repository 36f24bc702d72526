"""One server of a run, from its start to its end, and what was measured on the way."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any, Self

from benchmarks import asks, wrk
from benchmarks.asks import Ask
from benchmarks.peers.peer import Peer
from benchmarks.processes import Failed, ServerProcess, free_port

START_S = 120.0


@dataclass(slots=True)
class Asked:
    """What one ask cost, round by round. Shape: `bytes` is the length of the body; `client_busy` the share of a core
    that wrk used, near 1 when the client was the limit.
    """

    bytes: int = 0
    requests_per_s: list[float] = field(default_factory=list)
    p50_us: list[float] = field(default_factory=list)
    p99_us: list[float] = field(default_factory=list)
    client_busy: list[float] = field(default_factory=list)
    checked: int = 0


@dataclass(slots=True)
class Measured:
    """All about one server. Shape: `state` is `measured`, `missing` (not installed) or `failed`, `why` the reason;
    `distinct_s` what each of several different searches took.
    """

    name: str
    version: str = ""
    state: str = "measured"
    why: str = ""
    first_answer_s: list[float] = field(default_factory=list)
    resident_mb: float | None = None
    asks: dict[str, Asked] = field(default_factory=dict)
    distinct_s: list[float] = field(default_factory=list)


class Server:
    """A peer that runs."""

    def __init__(self, peer: Peer, folder: Path, core: int | None) -> None:
        self.peer = peer
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        log = folder / f"{peer.name.replace(' ', '-')}.log"
        self.process = ServerProcess(peer.command(port), log, core=core, env=peer.env, cwd=folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def await_answer(self) -> float:
        """How long it took from the start to the first whole answer. Units: seconds. Raises: Failed."""
        ask = next(iter(self.peer.asks.values()))
        give_up = monotonic() + START_S
        while True:
            with suppress(OSError, http.client.HTTPException):
                if asks.fetch(self.url, ask).status == 200:
                    return perf_counter() - self.process.started_s
            self.process.must_live(give_up, START_S)
            sleep(0.001)

    def warm(self, rows: Mapping[str, list[Any]], seconds: float, core: int) -> None:
        """Let it get up to speed, and learn how long its bodies are. Raises: Failed."""
        for name, ask in self.peer.asks.items():
            length = asks.checked(self.url, ask, rows[name])
            wrk.drive(self.url, ask, length, seconds=seconds / len(self.peer.asks), core=core)

    def measure(self, name: str, rows: list[Any], into: Asked, *, seconds: float, latency_s: float, core: int) -> None:
        """One round of one ask: checked directly, then under load, then by a single client. Raises: Failed."""
        ask = self.peer.asks[name]
        into.bytes = asks.checked(self.url, ask, rows)
        load = wrk.drive(self.url, ask, into.bytes, seconds=seconds, core=core)
        alone = wrk.drive(self.url, ask, into.bytes, seconds=latency_s, connections=1, core=core)
        into.requests_per_s.append(load.requests_per_s)
        into.client_busy.append(load.client_busy)
        into.p50_us.append(alone.p50_us)
        into.p99_us.append(alone.p99_us)
        into.checked += load.requests + alone.requests

    def once(self, ask: Ask, rows: int) -> float:
        """What a question asked for the first time takes. Units: seconds. Raises: Failed."""
        begun = perf_counter()
        body = asks.answered(self.url, ask)
        took_s = perf_counter() - begun
        if len(ask.rows(body)) != rows:
            raise Failed(f"a search answered {len(ask.rows(body))} rows, expected {rows}")
        return took_s
