"""The commands for those who write scenarios: `localruns validate | new | freeze`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from localruns.errors import ConfigError
from localruns.surfaces.options import ENDINGS, PATH, VENDORS, require_new

if TYPE_CHECKING:
    from localruns.engine.scenario import Scenario


@click.command()
@click.argument("path", nargs=-1, type=PATH)
@click.option("--verbose", "-v", is_flag=True, help="List the faults of each, those of a chaos profile too.")
def validate(path: Sequence[Path], verbose: bool) -> None:
    """Check scenario files or folders of them (default: all that are shipped); exit code 2 when one has a problem."""
    from localruns.engine.checking import check_files
    from localruns.surfaces.console import Building
    from localruns.vendors import all_vendors

    told = _list_faults if verbose else lambda place, scenario: None
    with Building("checking") as progress:
        good, problems = check_files(path, all_vendors(), told, progress)
    if not good and not problems:
        raise ConfigError(
            f"{', '.join(map(str, path))}: found no file to check, expected some with {' or '.join(ENDINGS)}"
        )
    for problem in problems:
        click.echo(problem)
    click.echo(f"{good} of {good + len({problem.split(':', 1)[0] for problem in problems})} scenarios hold", err=True)
    sys.exit(2 if problems else 0)


def _list_faults(place: Path, scenario: Scenario) -> None:
    from localruns.engine.faults.armed import words

    for fault in scenario.faults:
        click.echo(f"{click.format_filename(place)}: {fault['when']['vendor']}: {words(fault)}")


@click.command()
@click.argument("name")
@click.option("--vendor", required=True, type=click.Choice(VENDORS), help="Whose runs it holds.")
@click.option("--out", type=PATH, help="The file to write; default NAME.yaml here.")
def new(name: str, vendor: str, out: Path | None) -> None:
    """Write a commented scenario to start from."""
    from localruns.surfaces.starter import starter
    from localruns.vendors import all_vendors

    place = out or Path(f"{name}.yaml")
    require_new(place)
    text = starter(name, all_vendors()[vendor])
    _write(place, [text.encode()])
    shown = click.format_filename(place)
    click.echo(f"wrote {shown}; next: `localruns serve {shown} --watch`, edit it, and `localruns env {shown}`")


@click.command()
@click.argument("scenario")
@click.option("--out", type=PATH, default="-", show_default=True, help="The file to write; -: standard output.")
@click.option("--scenarios", multiple=True, type=PATH, help="A folder of scenarios; may be repeated.")
def freeze(scenario: str, out: Path, scenarios: Sequence[Path]) -> None:
    """Write SCENARIO with its generated rows as literal ones and the faults of its chaos profile one by one."""
    to_file = out != Path("-")
    if to_file:
        require_new(out)
    pieces = _frozen(scenario, scenarios)
    if to_file:
        _write(out, pieces)
        click.echo(f"wrote {click.format_filename(out)}", err=True)
    else:
        _copy(pieces, sys.stdout.buffer)


def _frozen(scenario: str, folders: Sequence[Path]) -> Iterable[bytes]:
    """The frozen scenario piece by piece, once the whole of it has been checked. Raises ConfigError."""
    from localruns import yamlio
    from localruns.engine.library import Library
    from localruns.engine.recorded.recording import is_recording
    from localruns.engine.rows.freezing import frozen
    from localruns.engine.scenario import read
    from localruns.engine.snapshot import load_snapshot
    from localruns.paths import cache_dir
    from localruns.surfaces.console import counting
    from localruns.vendors import all_vendors

    path = Library(folders).find(scenario)
    if is_recording(path):
        raise ConfigError(f"{path}: found a recording, expected a scenario; `localruns import` makes one of the other")
    source, written = read(path), 0
    total = source.count_rows()
    with counting("checking", total) as progress:
        snapshot = load_snapshot(path, all_vendors(), cache_dir(), progress=lambda rows, _: progress(rows))
    with counting("writing", total) as progress:
        for text, rows in frozen(source, snapshot.scenario, all_vendors()):
            piece = text.encode()
            written += len(piece)
            if written > yamlio.MAX_BYTES:
                words = f"found over {yamlio.MAX_BYTES:,} bytes when written out, more than a scenario may have"
                raise ConfigError(f"{path}: {words}; expected fewer than its {total:,} rows")
            yield piece
            progress(rows)


def _write(place: Path, pieces: Iterable[bytes]) -> None:
    """Write a new file, or none at all. Raises ConfigError."""
    from localruns.recordings.holding import part_of

    with part_of(place) as part:
        with part.open("wb") as file:
            _copy(pieces, file)
        require_new(place)
        part.rename(place)


def _copy(pieces: Iterable[bytes], file: BinaryIO) -> None:
    for piece in pieces:
        file.write(piece)
    file.flush()
