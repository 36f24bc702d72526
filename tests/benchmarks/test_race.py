"""A short run for real: localruns and the bare edge, and servers that cannot be had."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import peers
from benchmarks.__main__ import main
from benchmarks.peers import json_server, mockoon, prism, wiremock
from benchmarks.peers.peer import Peer, Place
from benchmarks.plan import plan
from benchmarks.processes import Failed

driven = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("wrk", "taskset")) or len(os.sched_getaffinity(0)) < 2,
    reason="needs wrk, taskset and two cores",
)
SHORT = ["--quick", "--rounds", "1", "--seconds", "0.3"]


@driven
def test_localruns_is_measured_beside_the_bare_edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = {"warm_s": 0.6, "search_s": 0.2, "latency_s": 0.2}
    monkeypatch.setattr("benchmarks.__main__.plan", lambda **given: replace(plan(**given), **short))
    out = tmp_path / "results.json"
    arguments = [*SHORT, "--only", "localruns", "--only", "bare edge", "--only", "Prism", "--npm", str(tmp_path)]
    done = CliRunner().invoke(main, [*arguments, "--out", str(out)])
    assert done.exit_code == 0, done.output
    told = json.loads(out.read_text())
    ours, edge, prism = told["servers"].values()
    assert ours["state"] == edge["state"] == "measured", done.output
    assert [ours["asks"][ask]["bytes"] for ask in ("page-50", "page-10")] == [
        edge["asks"][ask]["bytes"] for ask in ("page-50", "page-10")
    ]
    assert all(asked["checked"] > 10 for server in (ours, edge) for asked in server["asks"].values())
    assert prism["state"] == "missing"
    assert "not installed: expected" in prism["why"]
    limit = next(each for each in told["ratios"] if each["name"] == "throughput, 50 rows, to the bare edge")
    assert limit["verdict"] in ("pass", "miss")
    assert "Ratios to the limits" in done.output


@driven
def test_a_server_that_answers_otherwise_is_told_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(place: Place) -> Peer:
        one_row = json.dumps({"Runs": [json.loads(place.pages["page-50"])["Runs"][0]]}).encode()
        return peers.ours.bare_edge(replace(place, pages=dict.fromkeys(place.pages, one_row)))

    monkeypatch.setitem(peers.PEERS, "bare edge", lying)
    out = tmp_path / "results.json"
    done = CliRunner().invoke(main, [*SHORT, "--only", "bare edge", "--out", str(out)])
    assert done.exit_code == 0, done.output
    told = json.loads(out.read_text())["servers"]["bare edge"]
    assert told["state"] == "failed"
    assert "answered 1 rows that are not the 50 expected ones" in told["why"]


@pytest.mark.parametrize("prepare", [wiremock.with_journal, prism.prism, mockoon.mockoon, json_server.json_server])
def test_a_peer_that_npm_has_not_installed_is_named(prepare, tmp_path: Path) -> None:
    pages = {"page-50": b'{"Runs": []}', "page-10": b'{"Runs": []}'}
    with pytest.raises(Failed, match=r"not installed: .*make bench"):
        prepare(Place(tmp_path, tmp_path / "nothing", pages))


def test_two_cores_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3})
    with pytest.raises(Failed, match="one core only, expected two"):
        plan(quick=True, rounds=None, seconds=None, cores=None)
    assert plan(quick=False, rounds=2, seconds=0.5, cores=(0, 1)).rounds == 2


def test_without_wrk_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    done = CliRunner().invoke(main, ["--cores", "0", "1"])
    assert done.exit_code == 2
    assert "wrk is not on the PATH; try: apt-get install wrk" in done.output
