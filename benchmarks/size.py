"""Many rows: how fast a snapshot is built, how soon it is served from the cache, and what deep pages cost."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from benchmarks import asks
from benchmarks.asks import Ask
from benchmarks.figures import Figure, figure
from benchmarks.peers.ours import serving
from benchmarks.peers.peer import Peer
from benchmarks.plan import Plan
from benchmarks.server import Asked, Server

SCENARIO = "scenario: benchmark-size\nseed: 7\nvendors:\n  alibaba-pai:\n    runs: [{{generate: {rows}}}]\n"
PAGE = 50
VENDOR = "alibaba-pai"


def figures(plan: Plan) -> list[Figure]:
    """Beside their limits, over the plan's number of rows. Raises: Failed."""
    with tempfile.TemporaryDirectory(prefix="localruns-bench-") as name:
        folder = Path(name)
        scenario = folder / "size.yaml"
        scenario.write_text(SCENARIO.format(rows=plan.rows), "utf-8")
        pages = {"first": _page(0), "last": _page(plan.rows - PAGE)}
        peer = serving(str(scenario), pages, folder / "cache")
        built_s, cached_s = (_start(peer, folder, plan) for _ in range(2))
        deep, resident_mb = _depth(peer, folder, plan)
    rows = f"{plan.rows:,} rows"
    return [
        Figure(
            f"snapshot of {rows}, built", plan.rows / max(built_s - cached_s, 1e-9), "rows/s", 30_000, at_most=False
        ),
        Figure(f"first answer over {rows} from the cache", cached_s, "s", 1.0),
        Figure(f"page {plan.rows // PAGE:,} of {PAGE}, to page 1", deep, "times", 1.3),
        Figure(f"memory, {rows}", resident_mb, "MB", 300),
    ]


def a_million() -> list[Figure]:
    """The same over a million rows, of one vendor, because all four take minutes more. Raises: Failed."""
    from benchmarks import million

    return [figure(told) for told in million.measure(vendors=[VENDOR])["figures"]]


def _page(offset: int) -> Ask:
    return Ask(f"/api/v1/runs?MaxResults={PAGE}&PageToken={offset}&Verbose=true", {"Authorization": asks.ALIBABA})


def _start(peer: Peer, folder: Path, plan: Plan) -> float:
    with Server(peer, folder, plan.server_core) as server:
        return server.await_answer()


def _depth(peer: Peer, folder: Path, plan: Plan) -> tuple[float, float]:
    """The last page's latency as a multiple of the first's, and the memory afterwards. Units: MB."""
    told = {name: Asked() for name in peer.asks}
    with Server(peer, folder, plan.server_core) as server:
        server.await_answer()
        rows = {name: ask.rows(asks.answered(server.url, ask)) for name, ask in peer.asks.items()}
        server.warm(rows, plan.warm_s / 2, plan.client_core)
        for _ in range(plan.rounds):
            for name, into in told.items():
                times = {"seconds": plan.latency_s, "latency_s": plan.latency_s}
                server.measure(name, rows[name], into, **times, core=plan.client_core)
        resident_mb = server.process.resident_mb()
    pairs = zip(told["last"].p50_us, told["first"].p50_us, strict=True)
    return median(last / first for last, first in pairs), resident_mb
