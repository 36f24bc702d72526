"""Ratios, verdicts, tables and JSON out of made-up measurements."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from benchmarks import limits
from benchmarks.figures import Figure, figure
from benchmarks.peers import PEERS, asked
from benchmarks.plan import plan
from benchmarks.report import markdown
from benchmarks.server import Asked, Measured
from benchmarks.tables import tables

SPEEDS = {"localruns": 10_000.0, "bare edge": 20_000.0, "WireMock, no journal": 4_000.0, "WireMock": 2_000.0}


def measured(name: str, per_s: float, **changes: Any) -> dict[str, Any]:
    rounds = [per_s * drift for drift in (0.5, 1.0, 1.1)]
    told = Asked(41_076, rounds, [1e6 / each for each in rounds], [2e6 / each for each in rounds], [0.3] * 3, 99)
    asks = dict.fromkeys(asked(name), told)
    return asdict(Measured(name, "1.0", "measured", "", [1000 / per_s], 1e6 / per_s, asks, [0.001])) | changes


def results(**changes: Any) -> dict[str, Any]:
    servers = {name: measured(name, SPEEDS.get(name, 40.0)) for name in PEERS} | changes
    made: dict[str, Any] = {"localruns": "0.1.0", "taken": "2026-01-15T09:00:00+00:00", "servers": servers}
    made["machine"] = {"processor": "Some CPU", "cores": 2, "memory_mb": 8192, "kernel": "6.1", "load_before": 0.0}
    made["versions"] = {"Python": "3.11", "Java": "missing"}
    made["plan"] = asdict(plan(quick=True, rounds=None, seconds=None, cores=(0, 1)))
    made["ratios"] = [each.told() for each in limits.ratios(servers)]
    made["fixture"] = [Figure("a test's own cost", 0.0015, "s", 0.002).told()]
    made["size"] = [Figure("snapshot", 10_000.0, "rows/s", 30_000.0, at_most=False).told()]
    made["million"] = []
    return json.loads(json.dumps(made))


def verdicts(made: dict[str, Any]) -> dict[str, str]:
    return {told["name"]: told["verdict"] for told in made["ratios"]}


def test_ratios_are_held_against_the_limits() -> None:
    told = {each.name: each for each in limits.ratios(results()["servers"])}
    assert told["throughput, 50 rows, to WireMock without journal"].value == pytest.approx(2.5)
    assert told["throughput, 10 rows, to WireMock with journal"].value == pytest.approx(5.0)
    assert told["throughput, 50 rows, to the bare edge"].value == pytest.approx(0.5)
    assert told["latency, 50 rows, to WireMock without journal"].value == pytest.approx(0.4)
    assert told["memory, to WireMock without journal"].value == pytest.approx(0.4)
    assert told["search over 1,000 runs, to a real MLflow server"].value == pytest.approx(250)
    assert [each.name for each in told.values() if not each.passed] == [
        "latency, 50 rows, to WireMock without journal",
        "latency, 10 rows, to WireMock without journal",
        "first answer, to WireMock without journal",
        "memory, to WireMock without journal",
    ]


def test_a_drift_that_hits_both_sides_of_a_round_does_not_change_the_ratio() -> None:
    ours, theirs = measured("localruns", 10_000.0), measured("WireMock", 2_000.0)
    ours["asks"]["page-50"]["requests_per_s"] = [1_000.0, 10_000.0, 5_000.0]
    theirs["asks"]["page-50"]["requests_per_s"] = [200.0, 2_000.0, 1_000.0]
    made = limits.ratios({"localruns": ours, "WireMock": theirs})
    assert next(each.value for each in made if each.name.endswith("50 rows, to WireMock with journal")) == 5.0


def test_a_peer_that_cannot_be_had_is_told_and_what_hangs_on_it_is_not_measured() -> None:
    gone = measured("WireMock", 1.0, state="missing", why="not installed: no jar", asks={"page-50": asdict(Asked())})
    made = results(WireMock=gone)
    assert verdicts(made)["throughput, 50 rows, to WireMock with journal"] == "not measured"
    assert verdicts(made)["throughput, 50 rows, to WireMock without journal"] == "pass"
    text = "\n".join(table.markdown() for table in tables(made))
    assert "| WireMock | missing | - |" in text
    assert "missing: not installed: no jar" in text


def test_every_server_stands_in_the_tables() -> None:
    made = {table.title: [row[0] for row in table.rows] for table in tables(results())}
    assert made["Start and memory"] == list(PEERS)
    assert made["A page of 50 rows"] == [name for name in PEERS if name != "MLflow server"]
    assert made["A search over 1,000 runs, filtered and sorted, 50 rows"] == ["localruns", "MLflow server"]


def test_absolute_figures_stand_beside_the_multiples() -> None:
    row = next(row for row in tables(results())[0].rows if row[0] == "WireMock, no journal")
    assert row == ["WireMock, no journal", "41,076 B", "4,000/s", "2.50 x", "250 us", "500 us", "30%"]


def test_the_report_says_on_what_and_how_it_was_taken() -> None:
    text = markdown(results())
    assert text.startswith(
        "Taken 2026-01-15 with localruns 0.1.0 on Some CPU, 2 cores, 8 GB, Linux 6.1. Python 3.11. Quick run"
    )
    assert "| snapshot | 10,000 rows/s | at least 30,000 rows/s | miss |" in text
    assert "| a test's own cost | 1.50 ms | at most 2.00 ms | pass |" in text


def test_tables_are_shown_on_a_terminal_too(capsys: pytest.CaptureFixture[str]) -> None:
    for table in tables(results()):
        table.show()
    shown = capsys.readouterr().out
    assert "WireMock, no journal" in shown
    assert "not measured" not in shown


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [
        (2.0, True, "pass"),
        (2.1, True, "miss"),
        (2.0, False, "pass"),
        (1.9, False, "miss"),
        (None, True, "not measured"),
    ],
)
def test_a_limit_is_met_or_missed(value: float | None, at_most: bool, verdict: str) -> None:
    made = Figure("x", value, "times", 2.0, at_most)
    assert made.verdict == verdict
    assert figure(json.loads(json.dumps(made.told()))) == made


def test_a_figure_without_a_limit_is_not_judged() -> None:
    assert Figure("x", 1.0, "s").row() == ["x", "1.00 s", "", ""]
