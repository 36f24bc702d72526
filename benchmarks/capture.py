"""The bodies that all servers serve, captured once from localruns itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import asks
from benchmarks.peers import ours
from benchmarks.peers.peer import Place
from benchmarks.server import Server

RUNS = 1_000


@dataclass(frozen=True, slots=True)
class Captured:
    """What localruns answered. Shape: `pages` are bodies by the ask's name, `rows` the rows that every answer to an ask
    must hold, `runs` all runs that are searched, as `fill_mlflow` takes them.
    """

    pages: Mapping[str, bytes]
    rows: Mapping[str, list[Any]]
    runs: Sequence[Mapping[str, Any]]


def captured(place: Place) -> Captured:
    """Start localruns, ask it everything once, and stop it. Raises: Failed."""
    peer = ours.localruns_serve(place)
    every = asks.searched(asks.PLATFORM, {"experiment_ids": ["1"], "max_results": RUNS})
    with Server(peer, place.folder, None) as server:
        server.await_answer()
        bodies = {name: asks.answered(server.url, ask) for name, ask in peer.asks.items()}
        runs = [_run(told) for told in json.loads(asks.answered(server.url, every))["runs"]]
    rows = {name: ask.rows(bodies[name]) for name, ask in peer.asks.items()}
    return Captured({name: body for name, body in bodies.items() if name != "search"}, rows, runs)


def _run(told: Mapping[str, Any]) -> dict[str, Any]:
    info, data = told["info"], told["data"]
    return {
        "name": info["run_name"],
        "status": info["status"],
        "start_time": info["start_time"],
        "end_time": info["end_time"],
        "metrics": data["metrics"],
        "params": {each["key"]: each["value"] for each in data["params"]},
        "tags": {each["key"]: each["value"] for each in data["tags"]},
    }
