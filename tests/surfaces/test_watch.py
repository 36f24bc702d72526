"""Edited scenarios while they are served: swapped in whole, or refused with the reason. Each round is asked for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localruns.engine.emulator import Emulator, Options
from localruns.paths import cache_dir
from localruns.surfaces.http import App
from localruns.surfaces.watch import Watch
from localruns.vendors import all_vendors
from tests.clients.pagers import HEADERS
from tests.clients.processes import serving

RUNS = "/nsml/v1/projects/runs"


def scenario(rows: int, vendor: str = "naver-nsml") -> str:
    return f"scenario: edited\nvendors:\n  {vendor}:\n    runs: [{{generate: {rows}}}]\n"


class Bench:
    """One server, a file `a.yaml` of 3 rows in its default namespace, and a watch that is driven by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = self.write("a.yaml", scenario(3))
        self.emulator = Emulator(all_vendors(), str(self.file), Options(cache_dir(), scenario_dirs=[folder]))
        self.client = App(self.emulator).test_client()
        self.said: list[str] = []
        self.watch = Watch(self.emulator, self.said.append)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def edit(self, text: str) -> list[str]:
        """What is said about an edit in the next round."""
        self.file.write_text(text, "utf-8")
        return self.round()

    def round(self) -> list[str]:
        self.said.clear()
        self.watch.check()
        return list(self.said)

    def count(self, namespace: str = "default") -> Any:
        """How many rows a namespace serves."""
        return self.client.get(f"/ns/{namespace}{RUNS}", headers=HEADERS["naver-nsml"]).get_json()["totalCount"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_an_edit_is_swapped_in(bench: Bench) -> None:
    assert bench.count() == 3
    assert bench.edit(scenario(5)) == [f"reloaded {bench.file}: namespace default starts over"]
    assert bench.count() == 5


def test_nothing_is_said_or_reset_without_an_edit(bench: Bench) -> None:
    bench.count()
    os.utime(bench.file, (1, 1))
    assert [bench.round(), bench.round()] == [[], []]
    assert bench.emulator.space("default").journal.count == 1


def test_an_edit_between_start_and_first_round_is_found(bench: Bench) -> None:
    assert bench.edit(scenario(4)) == [f"reloaded {bench.file}: namespace default starts over"]


def test_the_time_of_a_file_is_not_looked_at(bench: Bench) -> None:
    bench.round()
    before = bench.file.stat()
    bench.file.write_text(scenario(4), "utf-8")
    os.utime(bench.file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert bench.file.stat().st_size == before.st_size
    bench.round()
    assert bench.count() == 4


def test_a_file_behind_a_link_is_swapped_in_when_the_link_is_moved(bench: Bench, tmp_path: Path) -> None:
    bench.write("b.txt", scenario(8))
    bench.file.unlink()
    bench.file.symlink_to(tmp_path / "b.txt")
    assert bench.round() == [f"reloaded {bench.file}: namespace default starts over"]
    assert bench.count() == 8


def test_a_namespace_starts_over_as_with_another_scenario(bench: Bench) -> None:
    bench.count()
    bench.emulator.space("default").states["naver-nsml"].version = 7
    bench.edit(scenario(5))
    space = bench.emulator.space("default")
    assert (space.journal.count, space.states["naver-nsml"].number, space.states["naver-nsml"].version) == (0, 0, 0)


def test_every_namespace_that_serves_the_file_starts_over_and_no_other(bench: Bench) -> None:
    bench.write("twin.yaml", scenario(3))
    for name, source in (("by-path", str(bench.file)), ("by-name", "a"), ("twin", "twin"), ("other", "quickstart")):
        bench.emulator.open_space(name, source)
    for name in ("twin", "other"):
        bench.count(name)
    assert bench.edit(scenario(6)) == [f"reloaded {bench.file}: namespaces default, by-path, by-name start over"]
    assert [bench.count(name) for name in ("default", "by-path", "by-name", "twin", "other")] == [6, 6, 6, 3, 25]
    assert [bench.emulator.space(name).journal.count for name in ("twin", "other")] == [2, 2]


def test_a_long_list_of_namespaces_is_cut(bench: Bench) -> None:
    for number in range(9):
        bench.emulator.open_space(f"n{number}", "a")
    assert bench.edit(scenario(2)) == [
        f"reloaded {bench.file}: namespaces default, n0, n1, n2, n3 and 5 more start over"
    ]


def test_a_namespace_that_was_made_after_the_edit_is_left_alone(bench: Bench) -> None:
    bench.file.write_text(scenario(5), "utf-8")
    bench.emulator.open_space("later", "a")
    bench.count("later")
    assert bench.round() == [f"reloaded {bench.file}: namespace default starts over"]
    assert bench.emulator.space("later").journal.count == 1


def test_a_file_is_watched_from_when_it_is_used_until_it_is_not(bench: Bench) -> None:
    other = bench.write("other.yaml", scenario(2))
    bench.round()
    bench.client.put("/__admin/scenario", json={"name": "other"})
    assert bench.edit(scenario(9)) == []
    other.write_text(scenario(7), "utf-8")
    assert bench.round() == [f"reloaded {other}: namespace default starts over"]
    assert bench.count() == 7


def test_a_broken_edit_keeps_the_old_one_and_says_why_once(bench: Bench) -> None:
    bench.count()
    said = bench.edit("scenario: edited\nvendors:\n  naver-nsml:\n    run: []\n    auth: no\n")
    assert [line.partition(", ")[0] for line in said] == [
        f"not reloaded: {bench.file}:4: vendors.naver-nsml.run: found unknown key 'run'",
        f"not reloaded: {bench.file}:5: vendors.naver-nsml.auth: found 'no'",
    ]
    assert bench.round() == []
    assert bench.count() == 3
    assert bench.emulator.space("default").journal.count == 2


@pytest.mark.parametrize("text", ["", "a: [", scenario(-1), scenario(1).replace("generate", "status"), "\0", "x" * 99])
def test_whatever_breaks_a_line_says_so(bench: Bench, text: str) -> None:
    said = bench.edit(text)
    assert said
    assert all(line.startswith(f"not reloaded: {bench.file}") for line in said)
    assert bench.count() == 3


def test_a_mended_edit_is_swapped_in(bench: Bench) -> None:
    bench.edit("a: [")
    assert bench.edit(scenario(5)) == [f"reloaded {bench.file}: namespace default starts over"]


def test_an_edit_that_is_undone_is_confirmed(bench: Bench) -> None:
    bench.edit("a: [")
    assert bench.edit(scenario(3)) == [f"{bench.file}: as it was, nothing to reload"]
    assert bench.round() == []


def test_a_file_that_is_gone_is_said_once_and_may_come_back(bench: Bench) -> None:
    bench.round()
    bench.file.unlink()
    assert bench.round() == [f"not reloaded: {bench.file}: no such file"]
    assert bench.round() == []
    assert bench.count() == 3
    assert bench.edit(scenario(4)) == [f"reloaded {bench.file}: namespace default starts over"]


def test_half_of_a_file_that_is_being_written_is_passed_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    store = bench.emulator.store

    def meanwhile(name: Any) -> Any:
        try:
            return store(name)
        finally:
            bench.file.write_text(scenario(5), "utf-8")

    monkeypatch.setattr(bench.emulator, "store", meanwhile)
    assert bench.edit("scenario: edi") == []
    assert bench.round() == [f"reloaded {bench.file}: namespace default starts over"]


def test_a_request_that_is_under_way_sees_one_scenario(bench: Bench) -> None:
    """Half of the requests run beside swaps between 3 rows and 50; none gets a mixture."""
    totals: set[Any] = set()
    stop = threading.Event()

    def ask() -> None:
        client = App(bench.emulator).test_client()
        while not stop.is_set():
            answer = client.get(RUNS + "?pageSize=50", headers=HEADERS["naver-nsml"]).get_json()
            totals.add((answer["totalCount"], len(answer["runList"])))

    thread = threading.Thread(target=ask)
    thread.start()
    for rows in (50, 3) * 20:
        bench.edit(scenario(rows))
    stop.set()
    thread.join()
    assert totals <= {(3, 3), (50, 50)}


def test_the_thread_looks_again_and_again_and_a_defect_does_not_end_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = threading.Semaphore(0)

    def check() -> None:
        rounds.release()
        raise RuntimeError("a defect")

    watch = Watch(bench.emulator, bench.said.append, every_s=0.001)
    monkeypatch.setattr(watch, "check", check)
    with watch:
        assert rounds.acquire(timeout=10)
        assert rounds.acquire(timeout=10)
    watch._thread.join(10)
    assert not watch._thread.is_alive()
    assert "defect while looking for edited scenarios" in caplog.text


def test_serve_watch_reloads_and_explains(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(scenario(3), "utf-8")
    with serving("a.yaml", "--watch", cwd=tmp_path) as server:
        file.write_text(scenario(6), "utf-8")
        assert server.read_until(lambda line: "reloaded" in line) == "reloaded a.yaml: namespace default starts over"
        status, body = server.get(RUNS, **HEADERS["naver-nsml"])
        assert (status, body["totalCount"]) == (200, 6)
        file.write_text("scenario: edited\nvendors: {naver: {}}\n", "utf-8")
        assert server.read_until(lambda line: "not reloaded" in line).startswith(
            "not reloaded: a.yaml:2: vendors.naver: found unknown key 'naver', did you mean 'naver-nsml'?"
        )
        assert server.end()[2] < 1


def test_a_server_answers_while_a_large_edit_is_compiled(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(scenario(3), "utf-8")
    with serving("a.yaml", "--watch", "--cache-dir", "cache", cwd=tmp_path) as server:
        reloaded = threading.Event()
        wait: Callable[[], Any] = lambda: (server.read_until(lambda line: "reloaded" in line), reloaded.set())  # noqa: E731
        reader = threading.Thread(target=wait)
        reader.start()
        file.write_text(scenario(20_000), "utf-8")
        slowest = 0.0
        while not reloaded.is_set():
            started = time.perf_counter()
            assert server.get("/__admin/health")[0] == 200
            slowest = max(slowest, time.perf_counter() - started)
        reader.join()
        assert slowest < 0.5
