"""A recorder with all that belongs to it, in threads of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from localruns.errors import ConfigError
from localruns.paths import cache_dir
from localruns.recordings.keeping import Keeper, Mode, Tally
from localruns.recordings.redaction.redactor import Redactor, load_rules, redaction_key
from localruns.surfaces.options import ENDINGS
from localruns.surfaces.recorder.relay import Relay, Session, Signing
from localruns.surfaces.recorder.saving import Saver
from localruns.surfaces.recorder.serving import Server
from localruns.surfaces.recorder.upstream import Line, upstream
from localruns.vendors import all_vendors

TIMEOUT_S = 60.0
POLL_S = 0.05


class Recorder:
    """Stands in front of a platform and records: `with Recorder("naver-nsml", "https://...", "new.yaml") as recorder`.

    Clients speak to `url`. `mode` says what is answered from the recording and what is passed on; where nothing is
    passed on, `upstream` may be empty. `redact` is a file of rules, `ca` one of certificates to be trusted besides the
    system's. Units: seconds. Raises ConfigError for arguments, files or an address that cannot be used.
    """

    def __init__(
        self,
        vendor: str,
        upstream: str,
        out: str | Path,
        mode: Mode = "once",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        redact: str | Path | None = None,
        ca: str | Path | None = None,
        timeout_s: float = TIMEOUT_S,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.out, self.mode, self.upstream = Path(out), mode, upstream
        self._where = (host, port)
        self._keeper, self._session = self._prepared(vendor, redact, ca, timeout_s, say)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Recorder:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL. Raises RuntimeError before `start()`."""
        if self._server is None:
            raise RuntimeError("the recorder has not been started")
        return self._server.url

    @property
    def forwards(self) -> bool:
        """Whether anything is passed on to the platform."""
        return self._keeper.forwards

    @property
    def tally(self) -> Tally:
        """What has become of all exchanges so far."""
        return self._keeper.tally

    def start(self) -> None:
        """Listen, in a daemon thread."""
        try:
            server = self._server = Server(*self._where, self._begin)
        except ConfigError:
            self._keeper.abandon()
            raise
        self._thread = threading.Thread(
            target=server.serve_forever, args=(POLL_S,), name="localruns-recorder", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the file, stop listening and cut off what is open; may be called twice."""
        self._session.saver.close()  # first, or answers that we cut off ourselves would stand in it as failures
        if self._server and self._thread and self._thread.is_alive():
            self._server.stop()
            self._thread.join()

    def _prepared(
        self,
        vendor: str,
        redact: str | Path | None,
        ca: str | Path | None,
        timeout_s: float,
        say: Callable[[str], None] | None,
    ) -> tuple[Keeper, Session]:
        vendors = all_vendors()
        if vendor not in vendors:
            raise ConfigError(f"{vendor!r} is no vendor, expected one of: {', '.join(vendors)}")
        if self.mode not in get_args(Mode):
            raise ConfigError(f"{self.mode!r} is no mode of recording, expected one of: {', '.join(get_args(Mode))}")
        if self.out.suffix not in ENDINGS:
            raise ConfigError(f"{self.out}: found no name that ends in {' or '.join(ENDINGS)}, expected one")
        place = upstream(self.upstream, Path(ca) if ca else None) if self.upstream else None
        rules = load_rules(Path(redact) if redact else None)
        keeper = Keeper(self.out, self.mode, Redactor(rules, redaction_key(cache_dir())), vendors)
        if place is None and keeper.forwards:
            keeper.abandon()
            raise ConfigError(f"the mode {self.mode} passes requests on, expected --upstream to say where")
        return keeper, Session(keeper, Saver(keeper), place, Signing(vendors[vendor].resigning), timeout_s, say)

    def _begin(self) -> Relay:
        """What answers the requests of one connection."""
        session, server = self._session, self._server
        if session.place is None or server is None or not self.forwards:
            return Relay(session, None)
        return Relay(session, Line(session.place, session.timeout_s, server.watch))
