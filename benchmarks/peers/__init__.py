"""The servers that are measured side by side: one small file each says how it is started and asked."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.peers import json_server, mlflow, mockoon, ours, prism, wiremock
from benchmarks.peers.peer import Peer, Place

PEERS: dict[str, Callable[[Place], Peer]] = {
    "localruns": ours.localruns_serve,
    "bare edge": ours.bare_edge,
    "WireMock, no journal": wiremock.without_journal,
    "WireMock": wiremock.with_journal,
    "Prism": prism.prism,
    "Mockoon": mockoon.mockoon,
    "json-server": json_server.json_server,
    "MLflow server": mlflow.mlflow,
}
_PAGES = ("page-50", "page-10")
_ASKS = {"localruns": (*_PAGES, "search"), "MLflow server": ("search",)}


def asked(name: str) -> tuple[str, ...]:
    """The names of what a server is asked, whether it can be had or not."""
    return _ASKS.get(name, _PAGES)
