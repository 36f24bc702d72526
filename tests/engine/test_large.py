"""Many rows: a build that is killed leaves nothing half, and `large` holds what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from localruns import yamlio
from localruns.engine.library import Library
from localruns.engine.query import Cut, Query
from localruns.engine.snapshot import STALE_PART_S, load_snapshot
from localruns.engine.source import Source
from localruns.engine.store import Store
from localruns.paths import cache_dir
from localruns.surfaces.http import App
from localruns.vendors import IDS, all_vendors
from tests.clients.pagers import PAGERS, Pager
from tests.clients.processes import environment

ROWS = 60_000
BUILD = (
    "import sys; from pathlib import Path; from localruns.engine.snapshot import load_snapshot;"
    "from localruns.vendors import all_vendors; load_snapshot(Path(sys.argv[1]), all_vendors(), Path(sys.argv[2]))"
)


def scenario(folder: Path, name: str, rows: int) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(f"scenario: {name}\nvendors: {{naver-nsml: {{runs: [{{generate: {rows}}}]}}}}\n", "utf-8")
    return path


def parts(cache: Path) -> list[Path]:
    return list(cache.glob("*.part"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_build_that_is_killed_leaves_no_broken_cache(tmp_path: Path, number: int) -> None:
    many, cache = scenario(tmp_path, "many", ROWS), tmp_path / "cache"
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(many), str(cache)], env=environment(), stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not any(part.stat().st_size > 1_000_000 for part in parts(cache)):
        time.sleep(0.002)  # what is waited for is another process's file
    process.send_signal(number)
    assert process.wait(20) != 0
    assert list(cache.glob("*.sqlite")) == []
    left = parts(cache)
    assert len(left) == (number == signal.SIGKILL)

    found = load_snapshot(many, all_vendors(), cache)
    page = Store(found).page(Query("naver-nsml", "", (), ()), 0, Cut(ROWS - 1, 5), "run")
    assert (len(page.rows), page.total) == (1, ROWS)
    assert parts(cache) == left
    for part in left:
        os.utime(part, (time.time() - STALE_PART_S - 1,) * 2)
    load_snapshot(scenario(tmp_path, "few", 3), all_vendors(), cache)
    assert [path.suffix for path in cache.iterdir()] == [".sqlite"] * 2


def test_large_comes_to_a_hundred_thousand_runs_per_vendor() -> None:
    source = Source(yamlio.read_text(Library().find("large")), "large")
    assert {name: part["runs"] for name, part in source.content["vendors"].items()} == {
        vendor: [{"generate": 100_000}] for vendor in IDS
    }
    assert source.count_rows() == 400_000


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("pager", [pytest.param(each, id=f"{each.vendor}-{each.style}") for each in PAGERS])
def test_a_walk_of_large_visits_every_row_once(make_app: Callable[..., App], pager: Pager) -> None:
    keys = [pager.key(row) for row in pager.rows(make_app("large").test_client(), 1000)]
    assert len(keys) == len(set(keys)) == 100_000
    assert len(list(cache_dir().glob("*.part"))) == 0
