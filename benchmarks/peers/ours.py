"""localruns as a user starts it, and the limit: the same bytes from its edge alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import localruns
from benchmarks import asks
from benchmarks.asks import Ask
from benchmarks.peers.peer import Peer, Place

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "benchmarks" / "pages.yaml"
PATH = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}


def localruns_serve(place: Place) -> Peer:
    """`localruns serve`, all at its defaults: credentials `present`, bodies checked, journal and walks on."""
    told = {"page-50": asks.page(50), "page-10": asks.page(10), "search": asks.search(asks.PLATFORM)}
    return serving(str(SCENARIO), told, place.folder / "cache")


def serving(scenario: str, told: Mapping[str, Ask], cache: Path) -> Peer:
    """`localruns serve` of a scenario, with a cache of its own."""
    run = [sys.executable, "-m", "localruns.surfaces.cli", "serve", scenario]
    env = {**PATH, "XDG_CACHE_HOME": str(cache)}
    return Peer("localruns", localruns.__version__, lambda port: [*run, "--port", str(port)], told, env)


def bare_edge(place: Place) -> Peer:
    """Our own server with an application that does nothing: neither Flask nor engine."""
    files = {name: str(place.file(f"edge/{name}.json", body)) for name, body in place.pages.items()}
    pages = {"page-50": asks.page(50), "page-10": asks.page(10)}
    given = [part for name, ask in pages.items() for part in (ask.path.partition("?")[2], files[name])]
    return Peer(
        "bare edge",
        localruns.__version__,
        lambda port: [sys.executable, "-m", "benchmarks.bare_edge", str(port), *given],
        pages,
        PATH,
    )
