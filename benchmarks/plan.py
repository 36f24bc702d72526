"""How much is measured, and where."""

from __future__ import annotations

import os
from dataclasses import dataclass

from benchmarks.processes import Failed


@dataclass(frozen=True, slots=True)
class Plan:
    """How often and how long. Units: seconds. Shape: `searches` is how many different searches are asked once each."""

    mode: str
    rounds: int
    seconds: float
    latency_s: float
    search_s: float
    warm_s: float
    starts: int
    searches: int
    fixture_runs: int
    rows: int
    server_core: int
    client_core: int


def plan(*, quick: bool, rounds: int | None, seconds: float | None, cores: tuple[int, int] | None) -> Plan:
    """The plan for a quick or a full run; rounds and seconds win when they are given. Raises: Failed."""
    server, client = cores or two_cores()
    if quick:
        return Plan("quick", rounds or 2, seconds or 1.0, 0.5, 3.0, 2.0, 1, 5, 3, 50_000, server, client)
    return Plan("full", rounds or 5, seconds or 3.0, 1.5, 6.0, 6.0, 5, 20, 15, 100_000, server, client)


def two_cores() -> tuple[int, int]:
    """One core for the server, another for the client. Raises: Failed when this process may use one only."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Failed("this process may use one core only, expected two: one for the server, one for the client")
    return cores[0], cores[1]
