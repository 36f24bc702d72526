"""The command `localruns import`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from localruns.errors import ConfigError
from localruns.surfaces.options import ENDINGS, PATH, VENDORS, require_new

if TYPE_CHECKING:
    from localruns.recordings.importing import Outcome

_PLACE = Path("fixtures") / "recorded"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_ADVICE = "a rule replaces such values, or says that they are no secrets: see --redact"


@click.command("import")
@click.argument("file", nargs=-1, required=True, type=PATH)
@click.option("--as", "form", default="scenario", show_default=True, type=click.Choice(["scenario", "cassette"]))
@click.option("--name", help="The name of what is written; default: that of FILE.")
@click.option("--out", type=PATH, help="The file to write; default: fixtures/recorded/NAME.yaml here.")
@click.option("--vendor", type=click.Choice(VENDORS), help="Look for this vendor only.")
@click.option("--delays", is_flag=True, help="Answer as slowly as the platform did; scenarios only.")
@click.option("--redact", type=PATH, metavar="RULES.yaml", help="What is secret besides what is known anyway.")
@click.option("--force", is_flag=True, help="Overwrite the file that is there.")
def import_(
    file: Sequence[Path],
    form: str,
    name: str | None,
    out: Path | None,
    vendor: str | None,
    delays: bool,
    redact: Path | None,
    force: bool,
) -> None:
    """Turn HAR files, VCR.py cassettes and recordings into a scenario or a recording without secrets."""
    from localruns.paths import cache_dir
    from localruns.recordings.importing import Importing, NothingFound, name_of
    from localruns.recordings.redaction.redactor import Redactor, load_rules, redaction_key
    from localruns.surfaces.console import counting, show_warnings
    from localruns.vendors import all_vendors

    show_warnings()
    name = name or name_of(file[0])
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"--name {name!r}: expected lower-case letters, digits, '.', '_' and '-', a letter or digit first"
        )
    if delays and form == "cassette":
        raise ConfigError("--delays: a recording keeps what each exchange took anyway, expected it with --as scenario")
    place = out or _PLACE / f"{name}{'.recording' if form == 'cassette' else ''}.yaml"
    _require_place(place, force, file)
    redactor = Redactor(load_rules(redact), redaction_key(cache_dir()))
    if redactor.text(name) != name:
        raise ConfigError(f"{name}: found a name that looks like a secret, expected another by --name")
    with counting("reading", 2 * sum(_size(path) for path in file)) as progress:
        work = Importing(file, all_vendors(), redactor, vendor or "", progress)
        try:
            outcome = work.cassette(name, place) if form == "cassette" else work.scenario(name, place, delays)
        except NothingFound as error:
            _list(error.left)
            raise
    sys.exit(_told(outcome, place))


def _require_place(place: Path, force: bool, files: Sequence[Path]) -> None:
    """Raises ConfigError where the file cannot be written without loss of what is there."""
    if place.suffix in ENDINGS and any(os.path.realpath(place) == os.path.realpath(path) for path in files):
        raise ConfigError(f"{place}: found one of the files to read, expected another name")
    if force and place.suffix in ENDINGS and place.is_file():
        from localruns.recordings.holding import require_free

        require_free(place)
    else:
        try:
            require_new(place)
        except ConfigError as error:
            hint = "; --force overwrites it" if place.is_file() and place.suffix in ENDINGS else ""
            raise ConfigError(f"{error}{hint}") from None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None


def _list(lines: Sequence[str]) -> None:
    from localruns.surfaces.console import printable

    for line in lines:
        click.echo(printable(line), err=True)


def _told(outcome: Outcome, place: Path) -> int:
    """Say what has come of it; the exit code."""
    for path, count in outcome.read.items():
        click.echo(f"read {click.format_filename(path)}: {count} exchange{'' if count == 1 else 's'}")
    for line in outcome.understood:
        click.echo(line)
    _list(outcome.left)
    shown = click.format_filename(place)
    if outcome.findings:
        _list([f"{shown}:{line}" for line in outcome.findings])
        click.echo(f"not written: {shown} would hold what looks like a secret; {_ADVICE}", err=True)
        return 1
    click.echo(f"wrote {shown}; next: `localruns serve {shown}`")
    if not outcome.whole:
        click.echo("not all could be kept: see above", err=True)
    return 0 if outcome.whole else 1
