"""The ratios that localruns promises, out of what was measured in one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from benchmarks.figures import Figure

Servers = Mapping[str, Mapping[str, Any]]
Values = Callable[[Mapping[str, Any]], list[float]]

PLAIN, FULL = "WireMock, no journal", "WireMock"
PAGES = {"page-50": "50 rows", "page-10": "10 rows"}


def ratios(servers: Servers) -> list[Figure]:
    """What of localruns is so many times that of another server. Shape: `servers` maps names to `Measured` as dicts."""

    def ratio(name: str, values: Values, other: str, limit: float, *, at_most: bool = False) -> Figure:
        value = _ratio(values, servers.get("localruns"), servers.get(other))
        return Figure(name, value, "times", limit, at_most)

    figures = []
    for page, words in PAGES.items():
        figures.append(ratio(f"throughput, {words}, to WireMock without journal", _per_s(page), PLAIN, 2.0))
        figures.append(ratio(f"throughput, {words}, to WireMock with journal", _per_s(page), FULL, 3.5))
        figures.append(ratio(f"throughput, {words}, to the bare edge", _per_s(page), "bare edge", 0.4))
        figures.append(ratio(f"latency, {words}, to WireMock without journal", _p50(page), PLAIN, 0.35, at_most=True))
    figures.append(ratio("first answer, to WireMock without journal", _first, PLAIN, 0.35, at_most=True))
    figures.append(ratio("memory, to WireMock without journal", _memory, PLAIN, 0.25, at_most=True))
    figures.append(ratio("search over 1,000 runs, to a real MLflow server", _per_s("search"), "MLflow server", 200))
    return figures


def _ratio(values: Values, ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None) -> float | None:
    """The median over the rounds: both sides of a round met the same machine. None without a whole measurement."""
    if ours is None or theirs is None or {ours["state"], theirs["state"]} != {"measured"}:
        return None
    pairs = list(zip(values(ours), values(theirs), strict=False))
    return median(one / other for one, other in pairs) if pairs else None


def _per_s(ask: str) -> Values:
    return lambda server: list(server["asks"][ask]["requests_per_s"])


def _p50(ask: str) -> Values:
    return lambda server: list(server["asks"][ask]["p50_us"])


def _first(server: Mapping[str, Any]) -> list[float]:
    return list(server["first_answer_s"])


def _memory(server: Mapping[str, Any]) -> list[float]:
    return [] if server["resident_mb"] is None else [server["resident_mb"]]
