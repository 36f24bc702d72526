"""The commands that hold recorded traffic against us: `localruns drift | verify`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from localruns.errors import ConfigError
from localruns.surfaces.options import ENDINGS, PATH, VENDORS

if TYPE_CHECKING:
    from types import ModuleType

    from localruns.recordings.rebuilding.seen import Query
    from localruns.recordings.verifying.asking import Verified

_FORMATS = click.Choice(["table", "json", "junit"])


@click.command()
@click.argument("file", nargs=-1, required=True, type=PATH)
@click.option("--vendor", type=click.Choice(VENDORS), help="Look at this vendor only.")
@click.option("--format", "form", default="table", show_default=True, type=_FORMATS, help="How it is told.")
@click.option("--out", type=PATH, help="The file to write it to; default: standard output.")
def drift(file: Sequence[Path], vendor: str | None, form: str, out: Path | None) -> None:
    """Compare recorded traffic with what we claim of each vendor; exit code 1 when something breaks clients."""
    from localruns.recordings.drift import comparing
    from localruns.recordings.drift import report as drift_report
    from localruns.recordings.reading.leftovers import Leftovers
    from localruns.recordings.reading.placing import placed
    from localruns.surfaces.console import counting, show_warnings
    from localruns.vendors import all_vendors

    show_warnings()
    left, found = Leftovers(), [_found(each) for each in file]
    with counting("reading", sum(map(_size, found))) as progress:
        recorded = placed(found, left, progress)
        report = comparing.drift(recorded, all_vendors(), only=vendor or "", left=left)
    _tell(drift_report, report, form, out)
    sys.exit(0 if report.good else 1)


@click.command()
@click.argument("file", type=PATH)
@click.option("--vendor", type=click.Choice(VENDORS), help="Replay this vendor's requests only.")
@click.option("--scenario", help="Ask this scenario, in place of the one rebuilt from FILE.")
@click.option("--scenarios", "folders", multiple=True, type=PATH, help="A folder of scenarios; may be repeated.")
@click.option("--format", "form", default="table", show_default=True, type=_FORMATS, help="How it is told.")
@click.option("--out", type=PATH, help="The file to write it to; default: standard output.")
def verify(
    file: Path, vendor: str | None, scenario: str | None, folders: Sequence[Path], form: str, out: Path | None
) -> None:
    """Ask our own emulation the recorded requests; exit code 1 where it answers differently."""
    from localruns.recordings.verifying import report as verifying_report
    from localruns.surfaces.console import counting, show_warnings

    show_warnings()
    found, passes = _found(file), 1 if scenario else 2
    with (
        tempfile.TemporaryDirectory(prefix="localruns-") as folder,
        counting("reading", passes * _size(found)) as progress,
    ):
        verified = _verified(found, vendor or "", scenario, folders, Path(folder), progress)
    _tell(verifying_report, verified, form, out)
    sys.exit(0 if verified.good else 1)


def _verified(
    file: Path, only: str, scenario: str | None, folders: Sequence[Path], cache: Path, progress: Callable[[int], None]
) -> Verified:
    from localruns.engine.emulator import Emulator, Options
    from localruns.recordings.reading.leftovers import Leftovers
    from localruns.recordings.reading.placing import placed
    from localruns.recordings.verifying import asking as verifying
    from localruns.vendors import all_vendors

    vendors, left = all_vendors(), Leftovers()
    unfinished: Collection[Query] = ()
    if scenario:
        emulator = Emulator(vendors, scenario, Options(cache, folders))
    else:
        exchanges = (exchange for _, exchange in placed([file], Leftovers(), progress))
        made = verifying.rebuilt(exchanges, vendors, only)
        if not made.text:
            return verifying.Verified((), made.notes)
        if made.lost:
            left.remark(f"rows and fields that our schemas do not allow, so that our answers lack them: {made.lost}")
        emulator, unfinished = verifying.emulator_of(made.text, vendors, cache), made.unfinished
    prefer = scenario is None
    recorded = placed([file], left, progress)
    return verifying.verify(recorded, vendors, emulator, only=only, prefer=prefer, unfinished=unfinished, left=left)


def _found(file: Path) -> Path:
    """The file, or what is shipped under that name. Raises ConfigError."""
    if file.exists() or file.suffix in (*ENDINGS, ".json", ".har") or len(file.parts) > 1:
        return file
    from localruns.engine.library import Library
    from localruns.engine.recorded.recording import is_recording

    shipped = {item.name: item.path for item in Library()}
    if str(file) in shipped:
        return shipped[str(file)]
    names = ", ".join(name for name, path in shipped.items() if is_recording(path))
    raise ConfigError(f"{file}: no such file, expected one, or the name of a shipped recording: {names}")


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _tell(kind: ModuleType, report: Any, form: str, out: Path | None) -> None:
    """Print a report, or write it to a file. `kind` is the module that knows its forms. Raises ConfigError."""
    import orjson

    from localruns.surfaces.console_tables import plain, show_table

    if form == "json":
        text = orjson.dumps(kind.as_json(report), option=orjson.OPT_INDENT_2).decode() + "\n"
    elif form == "junit":
        text = kind.as_junit(report)
    else:
        rows = kind.rows(report)
        text = (plain(kind.COLUMNS, rows) + "\n" if rows else "") + _lines(kind.summary(report))
    if out:
        _write(out, text)
        click.echo(_lines([*report.notes, *kind.summary(report)]), err=True, nl=False)
    elif form == "table":
        click.echo(_lines(report.notes), err=True, nl=False)
        show_table(kind.COLUMNS, rows)
        click.echo(_lines(kind.summary(report)), nl=False)
    else:
        click.echo(text, nl=False)


def _lines(lines: Iterable[str]) -> str:
    from localruns.surfaces.console import printable

    return "".join(f"{printable(line)}\n" for line in lines)


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror or error}") from None
