"""Shared by all tests: a cache of their own, emulators from scenario text, live servers on free ports."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

_CACHE = tempfile.TemporaryDirectory(prefix="localruns-tests-", ignore_cleanup_errors=True)
os.environ["XDG_CACHE_HOME"] = _CACHE.name
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so it is in the background, and children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)

from localruns import yamlio
from localruns.engine.emulator import Emulator, Options
from localruns.paths import cache_dir
from localruns.surfaces.edge import Edge
from localruns.surfaces.http import App, refuser
from localruns.vendors import all_vendors

pytest_plugins = ["pytester"]
MakeApp = Callable[..., App]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests marked `slow` run with --slow only."""
    parser.addoption("--slow", action="store_true", help="Run what takes long, too.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is marked `slow`, unless it is asked for."""
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="takes long; run with --slow"))


@pytest.fixture
def make_app(tmp_path: Path) -> MakeApp:
    """`make_app("quickstart")`, `make_app({...scenario...})`, `make_app(vendor="x", runs=[...], settings={...})`."""

    def make(scenario: str | dict[str, Any] | None = None, *, vendor: str = "", auth: str | None = None,
             seed: int | None = None, **part: Any) -> App:  # fmt: skip
        if scenario is None:
            scenario = {"scenario": "test", "seed": 1, "vendors": {vendor: {"runs": [{"generate": 25}], **part}}}
        if isinstance(scenario, dict):
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}.yaml"
            path.write_text(yamlio.dump(scenario), "utf-8")
            scenario = str(path)
        return App(Emulator(all_vendors(), scenario, Options(cache=cache_dir(), auth=auth, seed=seed)))

    return make


@pytest.fixture
def live(make_app: MakeApp) -> Iterator[Callable[..., str]]:
    """`live(...)` takes what `make_app` takes, or an App, and returns the base URL of a server that runs it."""
    with ExitStack() as servers:

        def start(*args: Any, **options: Any) -> str:
            app = args[0] if args and isinstance(args[0], App) else make_app(*args, **options)
            return servers.enter_context(Edge(app, refuser(app.emulator))).url

        yield start


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests counted and put down with `record_property("summary", ...)`."""
    for report in terminalreporter.getreports("passed"):
        for name, words in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(words)
