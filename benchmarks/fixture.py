"""What the pytest plugin costs: `python -m benchmarks.fixture` prints a table of medians beside their limits.

Each figure is taken in fresh processes. A bare run is measured with the plugin and with `-p no:localruns`, in turn, so
that a busy machine slows both alike.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from time import perf_counter

from benchmarks.figures import Figure
from benchmarks.processes import Failed
from benchmarks.tables import table

SOURCE = Path(__file__).resolve().parent.parent / "src"
RUNS = 15
TESTS = 300

START = """
import json, sys, time, urllib.request
import localruns.surfaces.edge, localruns.surfaces.http
from localruns.testing import LocalRuns
from localruns.vendors import all_vendors
all_vendors()
begun = time.perf_counter()
emu = LocalRuns("quickstart")
emu.start()
started = time.perf_counter()
urllib.request.urlopen(emu.url + "/__admin/health").read()
import http.client
idle = http.client.HTTPConnection("127.0.0.1", int(emu.url.rpartition(":")[2]))
idle.request("GET", "/__admin/health")
idle.getresponse().read()
stopping = time.perf_counter()
emu.stop()
print(json.dumps([started - begun, time.perf_counter() - stopping]))
"""

OWN_COST = """
import json, statistics, sys
import pytest

class Phases:
    def __init__(self):
        self.spent = {}
    def pytest_runtest_logreport(self, report):
        assert report.passed
        if report.when != "call":
            self.spent[report.nodeid] = self.spent.get(report.nodeid, 0) + report.duration

phases = Phases()
arguments = ["-q", "-c", "bench.ini", "-pno:cacheprovider", "-plocalruns.surfaces.pytest_plugin", sys.argv[1]]
assert pytest.main(arguments, plugins=[phases]) == 0
print(json.dumps(statistics.median(phases.spent.values())))
"""


def main() -> None:
    """Measure and print."""
    table("The pytest plugin", figures(RUNS)).show()


def figures(runs: int) -> list[Figure]:
    """Medians of so many runs beside their limits. Raises: Failed."""
    with tempfile.TemporaryDirectory(prefix="localruns-bench-") as folder:
        place = Path(folder)
        environment = _environment(place)
        added, without = _bare(place, environment, runs)
        starts, stops = _starts(environment, runs)
        own = _own_cost(place, environment)
    bare = f"a bare pytest run, plugin loaded ({without * 1000:.0f} ms without)"
    return [
        Figure(bare, added, "s", 0.015),
        Figure("fixture start, server included, after import", statistics.median(starts), "s", 0.150),
        Figure("a test's own cost: a fresh namespace, its reset and its end", own, "s", 0.002),
        Figure("stop, with a connection open", statistics.median(stops), "s", 0.050),
    ]


def _bare(place: Path, environment: dict[str, str], count: int) -> tuple[float, float]:
    """What the plugin adds to a run of one empty test, and what that takes without it: medians. Units: seconds."""
    path = place / "test_bare.py"
    path.write_text("def test_nothing():\n    pass\n", "utf-8")
    (place / "bench.ini").write_text("[pytest]\n", "utf-8")
    # Other plugins are found as usual and then left out, so that they add no noise.
    others = [f"-pno:{each.name}" for each in entry_points(group="pytest11") if each.name != "localruns"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *others, "-c", "bench.ini", str(path)]
    runs: dict[tuple[str, ...], list[float]] = {(): [], ("-pno:localruns",): []}
    for _ in range(count):
        for extra, times in runs.items():
            times.append(_timed(lambda extra=extra: _run([*command, *extra], environment)))  # type: ignore[misc]
    loaded, bare = runs.values()
    # Pairs that ran one after the other met the same load, so it is their differences that are compared.
    added = statistics.median(each - other for each, other in zip(loaded, bare, strict=True))
    return added, statistics.median(bare)


def _starts(environment: dict[str, str], count: int) -> tuple[list[float], list[float]]:
    """How long servers took to start and to stop. Units: seconds."""
    pairs = [json.loads(_run([sys.executable, "-c", START], environment)) for _ in range(count)]
    return [start for start, _ in pairs], [stop for _, stop in pairs]


def _own_cost(place: Path, environment: dict[str, str]) -> float:
    """What the fixture adds to set-up and teardown of a test. Units: seconds."""
    spent = []
    for name, argument in (("test_with.py", "localruns"), ("test_plain.py", "")):
        tests = "\n\n".join(f"def test_{number}({argument}):\n    pass" for number in range(TESTS))
        (place / name).write_text(tests + "\n", "utf-8")
        said = _run([sys.executable, "-c", OWN_COST, name], {**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
        spent.append(float(json.loads(said.splitlines()[-1])))
    return spent[0] - spent[1]


def _environment(place: Path) -> dict[str, str]:
    """A cache of its own, and the plugin's entry point where the package is not installed."""
    paths = [str(SOURCE), os.environ.get("PYTHONPATH", "")]
    if not entry_points(group="pytest11", name="localruns"):
        told = place / "localruns-0.dist-info"
        told.mkdir()
        (told / "METADATA").write_text("Metadata-Version: 2.1\nName: localruns\nVersion: 0\n", "utf-8")
        (told / "entry_points.txt").write_text("[pytest11]\nlocalruns = localruns.surfaces.pytest_plugin\n", "utf-8")
        paths.append(str(place))
    own = {"XDG_CACHE_HOME": str(place / "cache"), "PWD": str(place)}
    return {**os.environ, **own, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def _run(command: list[str], environment: dict[str, str]) -> str:
    place = environment["PWD"]
    done = subprocess.run(command, env=environment, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _timed(act: Callable[[], object]) -> float:
    begun = perf_counter()
    act()
    return perf_counter() - begun


if __name__ == "__main__":
    main()
