"""The command line: `localruns serve | scenarios | env`, and the commands of `authoring`.

Each command imports what it needs when it runs, so that the first answer is not kept waiting.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

import localruns
from localruns.errors import ConfigError
from localruns.surfaces import authoring, comparing
from localruns.surfaces.importing import import_
from localruns.surfaces.options import PATH, VENDORS, is_loopback, require_loopback, url_parts
from localruns.surfaces.recording import record
from localruns.surfaces.scan import scan
from localruns.surfaces.start import INTERRUPTED, await_signals, on_signal

if TYPE_CHECKING:
    from localruns.engine.emulator import Emulator, Options

DEFAULT_PORT = 8420
TOKEN_VARIABLE = "LOCALRUNS_ADMIN_TOKEN"


def main() -> None:
    """Run the command line; a configuration error is one clear message and exit code 2."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - they are None when they were closed before us
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    try:
        result = cli(prog_name="localruns", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(result)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ConfigError as error:
        _show(error.problems)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        from localruns.surfaces.console import hush

        hush()
        sys.exit(0)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _show([f"{where}{error.strerror or error}"])
        sys.exit(2)


def _show(problems: Iterable[str]) -> None:
    """A line per problem; the name of a file may hold line breaks and what else steers a terminal."""
    from localruns.surfaces.console import printable

    for problem in problems:
        click.echo(printable(f"error: {problem}"), err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(localruns.__version__, prog_name="localruns")
def cli() -> None:
    """An offline emulator of the list-runs APIs of four machine-learning platforms."""


for _command in (
    authoring.validate,
    authoring.new,
    authoring.freeze,
    import_,
    record,
    scan,
    comparing.drift,
    comparing.verify,
):
    cli.add_command(_command)


@cli.command()
@click.argument("scenario", nargs=-1)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--auth", type=click.Choice(["off", "present", "verify"]), help="Wins over the scenario.")
@click.option("--vendor", multiple=True, type=click.Choice(VENDORS), help="Serve this vendor only; may be repeated.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="In place of the scenario's seed.")
@click.option("--scenarios", multiple=True, type=PATH, help="A folder of scenarios; may be repeated.")
@click.option("--cache-dir", type=PATH, help="Where compiled snapshots, keys and certificates are kept.")
@click.option("--tls", is_flag=True, help="Serve HTTPS; `localruns env` shows how clients come to trust it.")
@click.option("--watch", is_flag=True, help="Reload edited scenarios; a broken edit keeps the old one.")
@click.option("--replay-delays", is_flag=True, help="Recorded answers take as long as they took.")
@click.option(
    "--journal-entries",
    type=click.IntRange(1, 1_000_000),
    help="How many requests the journal of a namespace keeps; default: 5,000, about a kilobyte each.",
)
@click.option(
    "--log",
    type=click.Choice(["requests", "defects", "none"]),
    help="What is shown: a line per request (default on a terminal), our own defects only (default in a pipe).",
)
@click.option("--allow-remote", is_flag=True, help=f"Listen beyond loopback; /__admin then needs ${TOKEN_VARIABLE}.")
def serve(
    scenario: Sequence[str],
    host: str,
    port: int,
    auth: str | None,
    vendor: Sequence[str],
    seed: int | None,
    scenarios: Sequence[Path],
    cache_dir: Path | None,
    tls: bool,
    watch: bool,
    replay_delays: bool,
    journal_entries: int | None,
    log: str | None,
    allow_remote: bool,
) -> None:
    """Serve SCENARIO, a recording too (default: quickstart). Further ones each get a namespace of their own name."""
    for number in (signal.SIGTERM, signal.SIGINT):  # the edge has handlers of its own once it serves
        on_signal(number, lambda: sys.exit(0))
    from localruns.surfaces.console import Building, Console, show_warnings
    from localruns.surfaces.edge import Edge
    from localruns.surfaces.http import App, is_slow, refuser
    from localruns.surfaces.tls import tls_context
    from localruns.surfaces.watch import Watch

    show_warnings()
    token = _admin_token(host, allow_remote)
    names = scenario or ("quickstart",)
    with Building() as progress:
        options = _options(scenarios, cache_dir, vendor, auth, seed, token)
        entries = journal_entries or options.journal_entries
        options = replace(options, replay_delays=replay_delays, journal_entries=entries)
        emulator = _emulator(names[0], options, progress)
        for name in names[1:]:
            emulator.open_space(Path(name).stem, name)
    _require_data(emulator)
    context, ca_pem = tls_context(emulator.options.cache, [host]) if tls else (None, b"")
    edge = Edge(App(emulator, ca_pem), refuser(emulator), host=host, port=port, tls=context, slow=is_slow)
    console = Console(log or ("requests" if sys.stdout.isatty() else "defects"))
    emulator.listeners.append(console.note)
    _spare_the_collector()
    with console, Watch(emulator, console.say) if watch else nullcontext():
        edge.run(lambda: console.ready(edge.url, emulator))
    if console.stuck:
        os._exit(0)


@cli.command()
@click.option("--scenarios", "folders", multiple=True, type=PATH, help="A folder of scenarios; may be repeated.")
def scenarios(folders: Sequence[Path]) -> None:
    """List what can be served, a line each."""
    from localruns.engine.library import Library
    from localruns.surfaces.console import show_scenarios
    from localruns.vendors import all_vendors

    show_scenarios(Library(folders).describe(all_vendors().values()))


@cli.command()
@click.argument("scenario", default="quickstart")
@click.option("--vendor", multiple=True, type=click.Choice(VENDORS), help="This vendor only; may be repeated.")
@click.option("--url", default=f"http://127.0.0.1:{DEFAULT_PORT}", show_default=True, help="Where the server is.")
@click.option("--scenarios", multiple=True, type=PATH, help="A folder of scenarios; may be repeated.")
@click.option("--cache-dir", type=PATH, help="That of the server, where its certificate is kept.")
@click.option("--only", type=click.Choice(["exports", "snippet", "curl"]), help="That part, ready for a pipe.")
def env(
    scenario: str, vendor: Sequence[str], url: str, scenarios: Sequence[Path], cache_dir: Path | None, only: str | None
) -> None:
    """Print how to point each vendor's real SDK here, with the credentials of SCENARIO."""
    from localruns.surfaces.console import Building
    from localruns.surfaces.hints import hints

    url_parts("--url", url)
    with Building() as progress:
        emulator = _emulator(scenario, _options(scenarios, cache_dir, vendor, None, None, ""), progress)
    _require_data(emulator)
    click.echo("\n\n".join(hints(emulator, url.rstrip("/"), only)))


def _spare_the_collector() -> None:
    """What is loaded by now stays, and an answer leaves no cycles behind: both need not be looked for so often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _options(
    scenarios: Sequence[Path],
    cache: Path | None,
    vendor: Sequence[str],
    auth: str | None,
    seed: int | None,
    token: str,
) -> Options:
    from localruns.engine.emulator import Options
    from localruns.paths import cache_dir

    return Options(cache or cache_dir(), scenarios, vendor, auth, seed, token)


def _emulator(scenario: str, options: Options, progress: Callable[[int, int], None]) -> Emulator:
    from localruns.engine.emulator import Emulator
    from localruns.vendors import all_vendors

    return Emulator(all_vendors(), scenario, replace(options, progress=progress))


def _admin_token(host: str, allow_remote: bool) -> str:
    """The token that guards the control API beyond loopback. Raises ConfigError when it is missing."""
    if is_loopback(host):
        return ""
    require_loopback(host, allow_remote)
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise ConfigError(f"--allow-remote needs a token for /__admin in the environment variable {TOKEN_VARIABLE}")
    return token


def _require_data(emulator: Emulator) -> None:
    """Raises ConfigError for a --vendor that no scenario has data for."""
    for vendor in emulator.vendors:
        if emulator.options.vendors and not any(vendor in space.states for space in emulator.spaces.values()):
            names = ", ".join(space.scenario.name for space in emulator.spaces.values())
            raise ConfigError(f"--vendor {vendor}: no data for it in {names}")


if __name__ == "__main__":
    await_signals()
    main()
