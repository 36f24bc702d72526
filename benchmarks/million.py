"""A million rows per vendor: `python -m benchmarks.million [--rows N] [--vendor V ...] [--out FILE]`.

For each vendor a snapshot is built, then served from the cache in a process of its own, and asked over one connection.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import click

from benchmarks.figures import Figure
from benchmarks.processes import Failed

ROWS = 1_000_000
PAGE = 50
STEP = 1_000
ASKED = 200
QUIET_S = 1.0
SETTINGS = {"palantir-foundry": {"max_page_size": STEP}}
STUDIO = "ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890"
SIGNED = ("x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-api-key", "x-ncp-apigw-signature-v2")
HEADERS = {"Content-Type": "application/json", **dict.fromkeys(SIGNED, "1")}
BUILD = """
import resource, sys, time
from pathlib import Path
from localruns.engine.snapshot import load_snapshot
from localruns.vendors import all_vendors
vendors, began = all_vendors(), time.perf_counter()
load_snapshot(Path(sys.argv[1]), vendors, Path(sys.argv[2]))
print(time.perf_counter() - began, time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@dataclass(frozen=True)
class Lists:
    """How a vendor is asked for a page. Shape: `narrow` filters and sorts, empty where the vendor cannot."""

    path: str
    rows: str
    size: str
    token: str
    next: str = ""
    narrow: Mapping[str, Any] = field(default_factory=dict)
    posts: bool = False
    credential: str = "Bearer any"


VENDORS = {
    "alibaba-pai": Lists("/api/v1/runs", "Runs", "MaxResults", "PageToken", "NextPageToken",
                         {"SourceType": "DLC", "SortBy": "Name", "Order": "ASC"},
                         credential="ACS3-HMAC-SHA256 Credential=any,SignedHeaders=host,Signature=00"),
    "oracle-aidp": Lists(
        "/20260430/aiDataPlatforms/ocid1.aidataplatform.oc1.iad.localruns/workspaces/default/mlops/api/2.0/mlflow"
        "/runs/search", "runs", "max_results", "page_token", "next_page_token",
        {"filter": "metrics.rmse < 2.0", "order_by": ["metrics.`val/loss` DESC"]}, posts=True),
    "naver-nsml": Lists("/nsml/v1/projects/runs", "runList", "pageSize", "page"),
    "palantir-foundry": Lists(f"/api/v2/models/modelStudios/{STUDIO}/runs?preview=true", "data", "pageSize",
                              "pageToken", "nextPageToken", {"configVersion": 3}),
}  # fmt: skip


class Client:
    """One connection to a server, asked one request after the other."""

    def __init__(self, port: int, lists: Lists, prefix: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._lists = lists
        self._prefix = prefix

    def ask(self, size: int, token: Any = None, **more: Any) -> tuple[float, bytes]:
        """How long a page took, and its body. Units: seconds. Raises: Failed for anything but a 200."""
        lists = self._lists
        asked = {lists.size: size, **more, **({} if token is None else {lists.token: token})}
        body = json.dumps({"experiment_ids": ["1"], **asked}) if lists.posts else None
        query = "" if body else ("&" if "?" in lists.path else "?") + "&".join(f"{k}={v}" for k, v in asked.items())
        began = time.perf_counter()
        method, path = "POST" if body else "GET", self._prefix + lists.path + query
        self._connection.request(method, path, body, {**HEADERS, "Authorization": lists.credential})
        answer = self._connection.getresponse()
        told = answer.read()
        took_s = time.perf_counter() - began
        if answer.status != 200:
            raise Failed(f"{method} {path}: {answer.status} {told[:300]!r}")
        return took_s, told

    def token_at(self, offset: int, **more: Any) -> Any:
        """What leads to the page of `PAGE` rows that begins at an offset."""
        if not self._lists.next:
            return offset // PAGE + 1
        token, done = None, 0
        while done < offset:
            size = min(STEP, offset - done)
            token = json.loads(self.ask(size, token, **more)[1])[self._lists.next]
            done += size
        return token

    def pages_s(self, *pages: Mapping[str, Any]) -> list[float]:
        """The median of many answers to each page, asked in turns: what else slows the machine then slows all alike.

        Units: seconds.
        """
        times = [[self.ask(PAGE, **page)[0] for page in pages] for _ in range(ASKED)]
        return [median(each) for each in zip(*times, strict=True)]


class Beside(threading.Thread):
    """A client of another namespace that asks all the while. Shape: `times` are (when asked, how long), in seconds."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._client = Client(port, VENDORS["naver-nsml"], "/ns/quickstart")
        self._over = threading.Event()
        self.times: list[tuple[float, float]] = []

    def run(self) -> None:
        """Ask until it is over."""
        while not self._over.is_set():
            asked = time.perf_counter()
            self.times.append((asked, self._client.ask(10)[0]))

    def during(self, began: float, ended: float) -> list[float]:
        """How long requests took that were asked in that time."""
        return [took for asked, took in self.times if began <= asked <= ended] or [0.0, 0.0]

    def end(self) -> None:
        """Ask no more."""
        self._over.set()
        self.join()


def measure(rows: int = ROWS, vendors: Sequence[str] = tuple(VENDORS)) -> dict[str, Any]:
    """Everything, vendor by vendor. Shape: `{"rows": N, "figures": [as Figure.told()]}`. Raises: Failed."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="localruns-bench-") as name:
        for vendor in vendors:
            scenario = _scenario(Path(name), vendor, rows)
            figures += [*_built(vendor, scenario, rows), *_served(vendor, scenario, rows)]
            for part in (Path(name) / "cache").glob("*.sqlite"):
                part.unlink()
    return {"rows": rows, "figures": [each.told() for each in figures]}


def _scenario(folder: Path, vendor: str, rows: int) -> Path:
    path = folder / f"{vendor}.yaml"
    content = {"runs": [{"generate": rows}], "settings": SETTINGS.get(vendor, {})}
    path.write_text(json.dumps({"scenario": f"million-{vendor}", "seed": 7, "vendors": {vendor: content}}), "utf-8")
    return path


def _built(vendor: str, scenario: Path, rows: int) -> Iterator[Figure]:
    command = [sys.executable, "-c", BUILD, str(scenario), str(scenario.parent / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{vendor}: not built:\n{done.stderr}")
    wall_s, cpu_s, resident_mb = map(float, done.stdout.split())
    yield Figure(f"{vendor}: snapshot of {rows:,} rows, built", rows / wall_s, "rows/s", 30_000, at_most=False)
    yield Figure(f"{vendor}: the same by the time of the processor", rows / cpu_s, "rows/s")
    yield Figure(f"{vendor}: memory while building", resident_mb, "MB", 300)


def _served(vendor: str, scenario: Path, rows: int) -> Iterator[Figure]:
    lists = VENDORS[vendor]
    with _server(scenario) as (process, port, start_s):
        yield Figure(f"{vendor}: first answer from the cache", start_s, "s", 1.0)
        beside = Beside(port)
        beside.start()
        time.sleep(QUIET_S)
        client = Client(port, lists)
        moments, firsts = [time.perf_counter()], list[float]()
        for more in ({}, lists.narrow) if lists.narrow else ({},):
            firsts.append(client.ask(PAGE, **more)[0])
            moments.append(time.perf_counter())
        quiet = beside.during(0, moments[0])
        sorting = [took for began, ended in pairwise(moments) for took in beside.during(began, ended)]
        beside.end()
        yield Figure(f"{vendor}: first page, sorted", firsts[0], "s", 3.0)
        if lists.narrow:
            yield Figure(f"{vendor}: first page, filtered and sorted", firsts[1], "s", 3.0)
        yield Figure(f"{vendor}: others meanwhile, median", median(sorting), "s")
        yield Figure(f"{vendor}: others meanwhile, 99 of 100", quantiles(sorting, n=100)[98], "s", 0.05)
        yield Figure(f"{vendor}: others before, 99 of 100", quantiles(quiet, n=100)[98], "s")
        deep = {"token": client.token_at(rows - PAGE)}
        narrow = {"token": client.token_at(2 * PAGE, **lists.narrow), **lists.narrow}
        first_s, deep_s, narrow_s = client.pages_s({}, deep, narrow)
        yield Figure(f"{vendor}: page {rows // PAGE:,} of {PAGE}, to page 1", deep_s / first_s, "times", 1.3)
        if lists.narrow:
            yield Figure(f"{vendor}: a filtered page, to page 1", narrow_s / first_s, "times", 1.3)
        yield Figure(f"{vendor}: highest memory while serving", _highest_mb(process.pid), "MB", 300)


@contextmanager
def _server(scenario: Path) -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """A server from the cache, its port, and how long it took to its first answer. Units: seconds."""
    command = [sys.executable, "-m", "localruns.surfaces.cli", "serve", str(scenario), "quickstart", "--port", "0"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--log", "none", "--cache-dir", str(scenario.parent / "cache")],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        Client(port, VENDORS["naver-nsml"], "/ns/quickstart").ask(1)
        yield process, port, time.perf_counter() - began
    finally:
        process.terminate()
        process.communicate()


def _highest_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@click.command()
@click.option("--rows", default=ROWS, show_default=True, type=click.IntRange(STEP), help="How many, per vendor.")
@click.option("--vendor", multiple=True, type=click.Choice(list(VENDORS)), help="This vendor only; may be repeated.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the results here as JSON.")
def main(rows: int, vendor: Sequence[str], out: Path | None) -> None:
    """Measure and print."""
    results = measure(rows, vendor or tuple(VENDORS))
    for told in results["figures"]:
        click.echo("  ".join(word.ljust(width) for word, width in zip(_row(told), (62, 16, 24, 4), strict=True)))
    if out is not None:
        out.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


def _row(told: Mapping[str, Any]) -> list[str]:
    return Figure(told["name"], told["value"], told["unit"], told["limit"], told["at_most"]).row()


if __name__ == "__main__":
    main()
