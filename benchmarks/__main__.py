"""The command: `python -m benchmarks --help`."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

import localruns
from benchmarks import fixture, limits, machine, size, wrk
from benchmarks.capture import captured
from benchmarks.figures import Figure
from benchmarks.peers import PEERS
from benchmarks.peers.peer import Place
from benchmarks.plan import Plan, plan
from benchmarks.processes import Failed
from benchmarks.race import Race
from benchmarks.tables import tables

PARTS = ("fixture", "size", "million")
NPM = Path(__file__).parent.parent / "build" / "bench"
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--quick", is_flag=True, help="Some three minutes, for a first impression.")
@click.option("--only", multiple=True, type=click.Choice([*PEERS, *PARTS]), help="Measure this only; may be repeated.")
@click.option("--rounds", type=click.IntRange(1), help="How often each server is measured.")
@click.option("--seconds", type=click.FloatRange(0.1), help="How long a server is under load in each round.")
@click.option("--cores", nargs=2, type=int, help="The core for servers and the core for wrk.")
@click.option(
    "--npm", type=FOLDER, default=NPM, help="Where npm installed the peers; filled stores are kept there too."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the results here as JSON.")
def main(
    quick: bool,
    only: tuple[str, ...],
    rounds: int | None,
    seconds: float | None,
    cores: tuple[int, int] | None,
    npm: Path,
    out: Path | None,
) -> None:
    """Measure localruns beside its peers, on this machine, in one run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if out is not None and not out.absolute().parent.is_dir():
            raise Failed(f"--out: {out.absolute().parent} is no folder")
        results = measured(plan(quick=quick, rounds=rounds, seconds=seconds, cores=cores), only or _all(quick), npm)
    except Failed as failure:
        click.echo(f"error: {failure}", err=True)
        sys.exit(2)
    for table in tables(results):
        table.show()
    if out is not None:
        out.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
        click.echo(f"written to {out}")


def measured(plan: Plan, only: tuple[str, ...], npm: Path) -> dict[str, Any]:
    """The results of a run, as they are written. Raises: Failed when nothing can be measured here."""
    wrk.must_exist()
    hardware = machine.hardware()
    servers = _servers(plan, only, npm)
    results: dict[str, Any] = {"localruns": localruns.__version__, "taken": datetime.now(UTC).isoformat()}
    results |= {"machine": hardware, "versions": machine.versions(), "plan": asdict(plan), "servers": servers}
    results["ratios"] = _told(limits.ratios(servers)) if "localruns" in servers and len(servers) > 1 else []
    parts = {
        "fixture": lambda: fixture.figures(plan.fixture_runs),
        "size": lambda: size.figures(plan),
        "million": size.a_million,
    }
    return results | {name: _part(name, figures) if name in only else [] for name, figures in parts.items()}


def _all(quick: bool) -> tuple[str, ...]:
    return (*PEERS, *(part for part in PARTS if part != "million" or not quick))


def _servers(plan: Plan, only: tuple[str, ...], npm: Path) -> dict[str, dict[str, Any]]:
    names = [name for name in PEERS if name in only]
    if not names:
        return {}
    with tempfile.TemporaryDirectory(prefix="localruns-bench-") as folder:
        place = Place(Path(folder), npm.absolute())
        bodies = captured(place)
        place = replace(place, pages=bodies.pages, runs=bodies.runs)
        return {each.name: asdict(each) for each in Race(names, place, bodies, plan, _say).run()}


def _part(name: str, figures: Callable[[], list[Figure]]) -> list[dict[str, Any]]:
    """The figures of one part; when it fails, that is told in their place, and all other figures stay."""
    _say(name)
    try:
        return _told(figures())
    except Exception as failure:
        return _told([Figure(f"failed: {failure}", None, "s")])


def _told(figures: list[Figure]) -> list[dict[str, Any]]:
    return [each.told() for each in figures]


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
