"""Servers for tests: our own in a thread, or one that runs elsewhere; each is a handle on its default namespace too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from localruns.errors import ConfigError, Problem
from localruns.testing.control import InProcess, Remote
from localruns.testing.handle import Handle, mistake
from localruns.testing.sources import Sources, Wanted

if TYPE_CHECKING:
    from ssl import SSLContext

    from localruns.surfaces.edge import Edge
    from localruns.surfaces.http import App

DEFAULT = "default"
NO_SOCKET = "http://localhost"
Auth = Literal["off", "present", "verify"]


class Server(Handle):
    """A server that namespaces can be opened on; by itself a handle on the namespace `default`."""

    def open(
        self,
        name: str = "",
        scenario: Wanted = "",
        *,
        ttl_s: float | None = None,
        vendor: str = "",
        beside: Path | None = None,
    ) -> Handle:
        """A new namespace; it holds the server's first scenario unless told otherwise.

        Raises ConfigError for a scenario or name that cannot be used, Problem for a name that is taken.
        """
        sources = replace(self._sources, beside=beside or self._sources.beside)
        choice = sources.choice(scenario) if scenario else None
        asked = {"name": name, "scenario": choice, "ttl_s": ttl_s}
        try:
            made = self._control.call("POST", "namespaces", {}, {key: value for key, value in asked.items() if value})
        except Problem as problem:
            raise mistake(problem) from None
        handle = Handle(self._control, made["name"], f"{self.url}/ns/{made['name']}", sources, vendor)
        handle.ca_pem = self.ca_pem
        return handle

    def close(self, handle: Handle) -> None:
        """Delete a namespace."""
        self._control.call("DELETE", f"namespaces/{handle.name}", {})


class RemoteRuns(Server):
    """The server at `url`, started by somebody else with `localruns serve`."""

    def __init__(self, url: str, *, scenarios: Sequence[str | Path] = (), beside: Path | None = None) -> None:
        control = Remote(url)
        control.call("GET", "health", {})
        super().__init__(control, DEFAULT, control.url, Sources(_folders(scenarios), beside, here=False))


class LocalRuns(Server):
    """A server of one's own, in a thread, on a free port: `with LocalRuns("quickstart") as emu: ...`.

    Without `start()` everything works but the socket; `app` is then the WSGI application to call. With `tls` it
    speaks HTTPS, and clients are to trust the certificate in the file `ca_pem`.
    """

    def __init__(
        self,
        scenario: Wanted = "quickstart",
        *,
        auth: Auth | None = None,
        seed: int | None = None,
        vendors: Sequence[str] = (),
        scenarios: Sequence[str | Path] = (),
        beside: Path | None = None,
        tls: bool = False,
    ) -> None:
        sources = Sources(_folders(scenarios), beside)
        self._context: SSLContext | None = None
        ca_pem = b""
        if tls:
            self._context, ca_pem = self._https()
        self.app = _application(sources, scenario, auth, seed, vendors, ca_pem)
        self._edge: Edge | None = None
        super().__init__(InProcess(self.app), DEFAULT, NO_SOCKET, sources)

    def __enter__(self) -> LocalRuns:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL; before `start()` one that only an in-process client may use."""
        return self._edge.url if self._edge else NO_SOCKET

    def start(self) -> None:
        """Listen on a free port of loopback, in a daemon thread."""
        from localruns.surfaces.edge import Edge
        from localruns.surfaces.http import is_slow, refuser

        self._edge = Edge(self.app, refuser(self.app.emulator), tls=self._context, slow=is_slow)
        self._edge.start()

    def _https(self) -> tuple[SSLContext, bytes]:
        """What the edge needs for HTTPS, and the certificate."""
        from localruns.paths import cache_dir
        from localruns.surfaces.tls import file_of, tls_context

        context, ca_pem = tls_context(cache_dir())
        self.ca_pem = file_of(ca_pem, cache_dir())
        return context, ca_pem

    def stop(self) -> None:
        """Stop listening and cut off what is open; may be called twice."""
        if self._edge:
            self._edge.stop()


def wsgi_app(scenario: Wanted = "quickstart", **options: Any) -> App:
    """The whole product as a WSGI application, for clients that need no socket; `options` are those of LocalRuns."""
    return LocalRuns(scenario, **options).app


def _folders(names: Sequence[str | Path]) -> tuple[Path, ...]:
    return tuple(Path(name).absolute() for name in names)


def _application(
    sources: Sources, scenario: Wanted, auth: Auth | None, seed: int | None, vendors: Sequence[str], ca_pem: bytes
) -> App:
    """The application of an emulator set up this way. Raises ConfigError."""
    from localruns.engine.emulator import Emulator, Options
    from localruns.paths import cache_dir
    from localruns.surfaces.http import App
    from localruns.vendors import all_vendors

    unknown = [name for name in vendors if name not in all_vendors()]
    if unknown:
        raise ConfigError(f"{unknown[0]!r} is no vendor, expected one of: {', '.join(all_vendors())}")
    options = Options(cache_dir(), sources.folders, vendors, auth, seed)
    choice = sources.choice(scenario)
    first = choice["name"] if "name" in choice else (choice["text"], choice["label"])
    return App(Emulator(all_vendors(), first, options), ca_pem)
