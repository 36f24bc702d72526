"""The command `localruns record`."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from localruns.surfaces.options import PATH, VENDORS, require_loopback

if TYPE_CHECKING:
    from localruns.recordings.keeping import Mode
    from localruns.surfaces.recorder import Recorder

DEFAULT_PORT = 8421
_MODES = ("none", "once", "new_episodes", "all", "rewrite")
_ADVICE = """\
what was left out may hold a secret; a rule replaces such values, or says that they are none: see --redact"""


@click.command()
@click.option("--vendor", required=True, type=click.Choice(VENDORS), help="Whose platform it is.")
@click.option("--upstream", default="", metavar="URL", help="Where the platform is, https://HOST; not for --mode none.")
@click.option("--out", required=True, type=PATH, help="The recording, a file whose name ends in .yaml.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--mode", default="once", show_default=True, type=click.Choice(_MODES), help="What is recorded.")
@click.option("--redact", type=PATH, metavar="RULES.yaml", help="What is secret besides what is known anyway.")
@click.option("--ca", type=PATH, help="Certificates in PEM that are trusted besides the system's.")
@click.option(
    "--timeout", default=60.0, show_default=True, type=click.FloatRange(0.1, 3600), help="Wait so many seconds."
)
@click.option("--allow-remote", is_flag=True, help="Listen beyond loopback; whoever can reach it is signed for.")
def record(
    vendor: str,
    upstream: str,
    out: Path,
    host: str,
    port: int,
    mode: str,
    redact: Path | None,
    ca: Path | None,
    timeout: float,
    allow_remote: bool,
) -> None:
    """Stand in front of a real platform, pass requests on, and record what it answers, without secrets."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    from localruns.surfaces.console import show_warnings
    from localruns.surfaces.recorder import Recorder

    show_warnings()
    require_loopback(host, allow_remote)
    lines = _Lines()
    say = lines.say if sys.stdout.isatty() else None
    recorder = Recorder(
        vendor, upstream, out, cast("Mode", mode), host, port, redact=redact, ca=ca, timeout_s=timeout, say=say
    )
    with recorder:
        lines.say(f"localruns recording on {recorder.url}", *_introduced(recorder))
        while not ended.wait(0.5):  # in pieces: on Windows a signal does not end a wait
            pass
    sys.exit(_told(recorder, lines.say))


class _Lines:
    """Standard output, for several threads; when nobody reads it any more the recording goes on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def say(self, *lines: str) -> None:
        """Print lines now."""
        from localruns.surfaces.console import hush, printable

        with self._lock:
            try:
                sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
                sys.stdout.flush()
            except (OSError, ValueError):
                hush()


def _introduced(recorder: Recorder) -> list[str]:
    out, keeps = click.format_filename(recorder.out), f"mode {recorder.mode}"
    if recorder.forwards:
        return [f"  requests go on to {recorder.upstream} and are recorded in {out} ({keeps}); Ctrl-C stops"]
    return [f"  answers come from {out} alone ({keeps}); Ctrl-C stops"]


def _told(recorder: Recorder, say: Callable[..., None]) -> int:
    """Say what has become of all exchanges; the exit code."""
    from localruns.surfaces.console import printable

    tally, out = recorder.tally, click.format_filename(recorder.out)
    words = [
        f"{tally.saved} exchange{'' if tally.saved == 1 else 's'} recorded in {out}",
        f"{len(tally.left_out)} left out",
    ]
    words += [f"{tally.replayed} answered from it"] if tally.replayed else []
    words += [f"{tally.renewed} asked anew for their tokens"] if tally.renewed else []
    words += [f"{tally.missed} not found in it"] if tally.missed else []
    say(", ".join(words))
    for item in tally.left_out:
        click.echo(printable(f"left out: {item.line}: {item.why}"), err=True)
    if tally.flagged:
        click.echo(_ADVICE, err=True)
    return 1 if tally.flagged else 0
