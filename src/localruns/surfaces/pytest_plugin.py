"""The pytest plugin: a namespace of its own for each test, its journal in the report of a failed one.

It is loaded in every run of pytest wherever localruns is installed, so nothing else is imported before a fixture is
used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from localruns.testing import Handle, LocalRuns, Server
    from localruns.testing.marks import Marked

MARK = (
    "localruns(scenario, *, vendors, cassette, upstream, vendor): the scenario a test begins with, or the recording; "
    "vendors='all', or a list: once for each; upstream: the platform to record, vendor: whose it is"
)
TTL_S = 4 * 3600  # on a shared server, for what a run that was killed leaves behind


class Watched:
    """A namespace whose journal goes into the report when its test fails.

    `server`, when it is this run's own, is where requests arrive that name no namespace.
    """

    def __init__(self, title: str, handle: Handle, server: Server | None = None) -> None:
        self.title = title
        self._handle = handle
        self._server = server
        self._since = server.count if server else 0
        self._kept = ""

    def text(self) -> str:
        """The journal, a line per request."""
        try:
            return self._kept or self._handle.report() + self._strays()
        except Exception as error:  # a report must come out, whatever became of the server
            return f"the journal cannot be read: {error}"

    def _strays(self) -> str:
        if self._server is None or self._server.count == self._since:
            return ""
        return f"\nmeanwhile in the namespace 'default', because they named none:\n{self._server.report(self._since)}"

    def judge(self) -> None:
        """Fail the test for defects of localruns itself that it has not heard of yet."""
        try:
            self._handle.expect_no_defects()
        except AssertionError as error:
            self._kept = self.text()
            pytest.fail(str(error), pytrace=False)


_watched = pytest.StashKey[list[Watched]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """What can be said on the command line."""
    group = parser.getgroup("localruns")
    group.addoption("--localruns-url", metavar="URL", help="use the server at URL, not one of this run's own")
    group.addoption(
        "--localruns-scenarios",
        metavar="DIR",
        action="append",
        default=[],
        help="a folder of scenarios that tests may name; may be repeated",
    )
    group.addoption(
        "--localruns-record",
        metavar="MODE",
        choices=("none", "once", "new_episodes", "all", "rewrite"),
        default="none",
        help="what becomes of cassettes: none (default) replays, the others record: once, new_episodes, all, rewrite",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", MARK)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once per vendor where its mark says so."""
    held = next((name for name in ("localruns", "localruns_tls") if name in metafunc.fixturenames), "")
    if held:
        from localruns.testing import marks

        marked = marks.read(metafunc.definition)  # what of it cannot be used is told when the test is set up
        if marked.vendors:
            metafunc.parametrize(held, marked.vendors, indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the journals of a failed test into its report."""
    report = yield
    if report.failed:
        report.sections += [(watched.title, watched.text()) for watched in item.stash.get(_watched, ())]
    return report


@pytest.fixture(scope="session")
def localruns_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The server of this run: one of its own in a thread, or the one that `--localruns-url` names."""
    from localruns.errors import ConfigError
    from localruns.testing import LocalRuns, RemoteRuns

    with ExitStack() as stack:
        url, folders = request.config.getoption("--localruns-url"), _folders(request.config)
        try:
            server = RemoteRuns(url, scenarios=folders) if url else stack.enter_context(LocalRuns(scenarios=folders))
        except ConfigError as error:
            pytest.fail(str(error), pytrace=False)
        yield server


@pytest.fixture
def localruns(request: pytest.FixtureRequest, localruns_server: Server) -> Iterator[Handle]:
    """A fresh namespace for this test; defects of localruns fail the test at its end."""
    yield from _fresh(request, localruns_server, shared=bool(request.config.getoption("--localruns-url")))


@pytest.fixture(scope="session")
def _localruns_tls_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The HTTPS server of this run, one of its own always."""
    from localruns.testing import LocalRuns

    with LocalRuns(scenarios=_folders(request.config), tls=True) as server:
        yield server


@pytest.fixture
def localruns_tls(request: pytest.FixtureRequest, _localruns_tls_server: Server) -> Iterator[Handle]:
    """The same over HTTPS; clients are to trust the certificate in the file `.ca_pem`."""
    yield from _fresh(request, _localruns_tls_server, shared=False)


@pytest.fixture
def make_localruns(request: pytest.FixtureRequest) -> Iterator[Callable[..., LocalRuns]]:
    """`make_localruns(scenario, auth=..., seed=..., vendors=...)`: a private server, stopped after the test."""
    from localruns.testing import LocalRuns

    with ExitStack() as stack:
        made: list[Watched] = []

        def make(scenario: Any = "quickstart", **options: Any) -> LocalRuns:
            options = {"scenarios": _folders(request.config), "beside": request.path.parent, **options}
            server = stack.enter_context(LocalRuns(scenario, **options))
            made.append(_watch(request.node, Watched(f"localruns: private server {server.url}", server)))
            return server

        yield make
        for watched in made:
            watched.judge()


@pytest.fixture
def virtual_time(localruns: Handle) -> Iterator[Handle]:
    """The client's `time.sleep` and `asyncio.sleep` in this test's thread pass at once; the namespace's clock moves."""
    from localruns.testing.sleeping import absorbed

    with absorbed(localruns.absorb):
        yield localruns


def _fresh(request: pytest.FixtureRequest, server: Server, *, shared: bool) -> Iterator[Handle]:
    """A namespace for this test, deleted at its end; `shared`: other runs use the same server."""
    from localruns.errors import LocalrunsError
    from localruns.testing import marks

    marked = marks.read(request.node)
    if marked.problem:
        pytest.fail(marked.problem, pytrace=False)
    stack = ExitStack()
    try:
        handle = _opened(request, server, marked, stack, shared=shared)
        own = None if shared else server
        watched = _watch(request.node, Watched(f"localruns: namespace {handle.name}", handle, own))
        yield handle
        watched.judge()
    except LocalrunsError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    finally:
        _close(stack)


def _close(stack: ExitStack) -> None:
    """Let go of what a test used; a recording that cannot be kept fails it."""
    from localruns.errors import LocalrunsError

    try:
        stack.close()
    except LocalrunsError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _opened(
    request: pytest.FixtureRequest, server: Server, marked: Marked, stack: ExitStack, *, shared: bool
) -> Handle:
    """The test's namespace, or what stands for it while a recording is made. Raises ConfigError, Problem."""
    begins, beside, mode = marked.scenario, request.path.parent, request.config.getoption("--localruns-record")
    place = None
    if marked.cassette:
        from localruns.testing import cassettes

        place = cassettes.place_of(marked.cassette, beside)
        if not cassettes.records(mode, place):
            begins, place = (
                cassettes.found(marked.cassette, beside, _folders(request.config), request.node.nodeid),
                None,
            )
    handle = server.open(
        _name(request.node, shared),
        begins,
        ttl_s=TTL_S if shared else None,
        beside=beside,
        vendor=getattr(request, "param", "") or marked.vendor,
    )
    stack.callback(server.close, handle)
    return stack.enter_context(cassettes.recording(handle, marked, place, mode)) if place else handle


def _watch(node: pytest.Item, watched: Watched) -> Watched:
    node.stash.setdefault(_watched, []).append(watched)
    return watched


def _folders(config: pytest.Config) -> list[Path]:
    """The folders of `--localruns-scenarios`: from where pytest was called, or from its root."""
    found = []
    for name in config.getoption("--localruns-scenarios"):
        here = config.invocation_params.dir / name
        found.append(here if here.is_dir() else config.rootpath / name)
    return found


def _name(node: pytest.Item, shared: bool) -> str:
    """The test's name made fit for a URL; the same in each run, unless runs share a server."""
    import hashlib
    import re
    import uuid

    mark = uuid.uuid4().hex[:8] if shared else hashlib.blake2b(node.nodeid.encode(), digest_size=4).hexdigest()
    words = re.sub(r"[^A-Za-z0-9]+", "-", node.name)[:40].strip("-")
    return f"{words or 'test'}-{mark}"
