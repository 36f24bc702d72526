"""Resident memory over a million requests: `python -m benchmarks.memory [REQUESTS]`.

Prints the server's resident memory after each round, and how far it moved after the first 50,000 requests.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import asks, wrk
from benchmarks.asks import Ask
from benchmarks.peers.ours import serving
from benchmarks.processes import Failed
from benchmarks.server import Server

FIRST = 50_000
ROUND_S = 10
ASK = Ask("/api/v1/runs?MaxResults=10&PageToken=10", {"Authorization": asks.ALIBABA})


def main(wanted: int) -> None:
    """Drive a server until it has answered `wanted` requests. Raises: Failed."""
    wrk.must_exist()
    with tempfile.TemporaryDirectory(prefix="localruns-bench-") as name:
        folder = Path(name)
        with Server(serving("quickstart", {"page": ASK}, folder / "cache"), folder, None) as server:
            server.await_answer()
            length = len(asks.answered(server.url, ASK))
            answered, levels = 0, list[tuple[int, float]]()
            while answered < wanted:
                answered += wrk.drive(server.url, ASK, length, seconds=ROUND_S).requests
                levels.append((answered, server.process.resident_mb()))
                print(f"{answered:>10,} requests  {levels[-1][1]:7.1f} MB", flush=True)
    settled = [level for count, level in levels if count >= FIRST]
    print(f"moved by {max(settled) - min(settled):.1f} MB after the first {FIRST:,} requests")


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    except Failed as failure:
        sys.exit(f"error: {failure}")
