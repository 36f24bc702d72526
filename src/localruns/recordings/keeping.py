"""What becomes of the exchanges of a live session: answered from the recording, added to it, or left out.

Nothing is written that has not been through the redaction and past the scan after it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from localruns.engine.message import Reply, Request
from localruns.engine.recorded.cassette import Cassette, Miss
from localruns.engine.recorded.exchange import Exchange
from localruns.engine.recorded.recording import Head, Reader, Writer, is_recording
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError
from localruns.placeholders import is_placeholder
from localruns.recordings.holding import Held, Hold, make_folder, taken
from localruns.recordings.redaction.randomness import masked
from localruns.recordings.redaction.redactor import Redactor
from localruns.recordings.scanning.exchanges import scan_exchange
from localruns.recordings.unpacking import Unreadable, unpacked

Mode = Literal["none", "once", "new_episodes", "all", "rewrite"]
MODES: Sequence[Mode] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An exchange that was not recorded: which, and why. `flagged`: because something in it looks like a secret."""

    line: str
    why: str
    flagged: bool = False


@dataclass(slots=True)
class Tally:
    """What became of all exchanges of a session.

    Shape: `renewed` requests for a token that the platform answered although the recording does.
    """

    saved: int = 0
    replayed: int = 0
    renewed: int = 0
    missed: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def flagged(self) -> bool:
        """Whether something was left out because it looks like a secret."""
        return any(item.flagged for item in self.left_out)


class Keeper:
    """One recording in the making. Its methods may be called by several threads.

    Raises ConfigError for a file that is no recording, cannot be read or cannot be written.
    """

    def __init__(self, path: Path, mode: Mode, redactor: Redactor, vendors: Mapping[str, Vendor]) -> None:
        self.tally = Tally()
        self._path, self._redactor, self._vendors = path, redactor, vendors
        self._lock = threading.Lock()
        self._closed = False
        self._writer: Writer | None = None
        _require_recording(path, mode)
        self._begun = not path.exists()
        self.forwards = speaks(mode, path)
        self._rewrites = mode == "rewrite" and not self._begun
        self._hold = _hold(path) if self.forwards else None
        try:
            self._head, past = _past(path)
            self._begun = self._begun and not past
            self.forwards = self.forwards and not (mode == "once" and past)  # another recorder may have been quicker
            if self.forwards and not self._rewrites:
                self._writer = Writer(path, self._head)
        except ConfigError:
            self.abandon()
            raise
        # Who asks for new episodes asks again where no answer came.
        kept = [exchange for exchange in past if mode != "new_episodes" or not exchange.failed]
        replays = mode == "new_episodes" or not self.forwards
        self._cassette = Cassette(self._head, kept) if replays else None
        self._plays = self._cassette.plays() if self._cassette else None

    def recorded(self, request: Request) -> Exchange | Miss | None:
        """What the recording answers to a request; None where it is to be asked of the platform."""
        if self._cassette is None or self._plays is None:
            return None
        found = self._cassette.find(self._asked(request), self._plays)
        if isinstance(found, Miss) and self.forwards:
            return None
        with self._lock:
            self.tally.missed += isinstance(found, Miss)
            self.tally.replayed += not isinstance(found, Miss)
        return found

    def learn(self, request: Request) -> None:
        """Remember the secrets of a request that is sent and not recorded: an answer may repeat them."""
        self._redactor.learn(Exchange(request, Reply(200)))

    def is_stale(self, found: Exchange) -> bool:
        """Whether a recorded answer gives out a token that is a placeholder: with it new requests would be refused."""
        return self.forwards and found.reply.status == 200 and is_placeholder(_token(found.reply.body))

    def lacks_token(self, request: Request) -> bool:
        """Whether a request comes with a token of the recording in place of a real one."""
        scheme, _, token = (request.header("authorization") or "").strip().partition(" ")
        return self._cassette is not None and scheme.lower() == "bearer" and is_placeholder(token.strip())

    def renew(self, asked: Exchange) -> None:
        """Note that the platform gave a token in place of the recorded one, and remember the secrets in it."""
        with contextlib.suppress(Unreadable):
            self._redactor.learn(unpacked(asked))
        with self._lock:
            self.tally.replayed -= 1
            self.tally.renewed += 1

    def text(self, text: str) -> str:
        """A text as it may be shown."""
        return self._redactor.text(text)

    def line(self, request: Request) -> str:
        """`GET /api/v1/runs?PageSize=10`, as it may be shown."""
        asked = self._redactor.request(replace(request, body=b""))
        line = masked(f"{asked.method} {asked.target}")
        return line if len(line) <= 200 else f"{line[:197]}..."

    def keep(self, exchange: Exchange) -> LeftOut | None:
        """Put an exchange into the file; or say why it is left out."""
        try:
            clean = self._redactor.exchange(unpacked(exchange))
            found = self._found(clean)
        except Unreadable as problem:
            return self.leave_out(exchange.request, str(problem))
        except Exception as error:  # what cannot be cleared of secrets is not written, whatever the reason
            why = f"it could not be cleared of secrets: {type(error).__name__}"
            return self.leave_out(exchange.request, why, flagged=True)
        if found:
            return self.leave_out(clean.request, found, flagged=True)
        try:
            with self._lock:
                self._open().add(clean)
                self.tally.saved += 1
        except ConfigError as error:
            return self.leave_out(exchange.request, str(error))
        return None

    def leave_out(self, request: Request, why: str, *, flagged: bool = False) -> LeftOut:
        """Note an exchange that is not recorded."""
        item = LeftOut(self.line(request), why, flagged)
        with self._lock:
            self.tally.left_out.append(item)
        return item

    def close(self) -> None:
        """Nothing is recorded any more; may be called twice."""
        with self._lock:
            self._end()

    def abandon(self) -> None:
        """Close; a file that was begun for nothing goes again."""
        with self._lock:
            self._end(remove=self._begun)

    def _end(self, *, remove: bool = False) -> None:
        if self._closed:
            return
        self._closed = True
        if self._writer:
            self._writer.close()
        if remove:  # while it is held: nobody else can have begun with it
            self._path.unlink(missing_ok=True)
        if self._hold:
            self._hold.release()

    def _found(self, exchange: Exchange) -> str:
        """What still looks like a secret, where, in words; nothing where nothing does."""
        findings = scan_exchange(exchange, self._vendors, self._redactor.rules)
        return "; ".join(dict.fromkeys(f"{item.where}: {item.what}" for item in findings))

    def _asked(self, request: Request) -> Request:
        """A request as it would stand in the file."""
        try:
            return self._redactor.request(unpacked(Exchange(request, Reply(200))).request)
        except Unreadable:
            return self._redactor.request(request)

    def _open(self) -> Writer:
        """The file; one that is to be rewritten keeps what it holds until something takes its place."""
        if self._writer is None:
            if self._rewrites:
                _empty(self._path)
            self._writer = Writer(self._path, self._head)
        return self._writer


def _token(body: bytes) -> str:
    """The access token of an answer in the form of OAuth 2; an empty text in any other."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    token = found.get("access_token") if isinstance(found, dict) else ""
    return token if isinstance(token, str) else ""


def speaks(mode: str, path: Path) -> bool:
    """Whether a recorder in that mode speaks to the platform; in the mode `once` only when there is nothing to replay.

    Raises ConfigError for a recording that cannot be read.
    """
    return mode in ("new_episodes", "all", "rewrite") or (mode == "once" and _is_bare(path))


def _is_bare(path: Path) -> bool:
    """Whether there is no file, or one that a broken run has left behind without exchanges."""
    return _is_empty(path) or (is_recording(path) and next(iter(Reader(path)), None) is None)


def _is_empty(path: Path) -> bool:
    return not path.exists() or (path.is_file() and not path.stat().st_size)


def _require_recording(path: Path, mode: Mode) -> None:
    """Raises ConfigError for a file that is no recording, or that the mode cannot do with."""
    if _is_empty(path):
        if mode == "none":
            raise ConfigError(f"{path}: found no recording there; the mode none only replays one")
    elif path.is_file() and not os.access(path, os.R_OK):
        raise ConfigError(f"{path}: cannot be read: {os.strerror(errno.EACCES)}")
    elif not is_recording(path):
        raise ConfigError(f"{path}: found something that is no recording, expected a recording or a new name")
    elif mode not in ("none", "once") and not os.access(path, os.W_OK):
        raise ConfigError(f"{path}: cannot be written")


def _hold(path: Path) -> Hold:
    """The file, for this recorder alone. Raises ConfigError."""
    try:
        make_folder(path)
        return Hold(path)
    except Held as held:
        raise taken(path, held) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from None


def _past(path: Path) -> tuple[Head, list[Exchange]]:
    """What the file holds already. Raises ConfigError."""
    if _is_empty(path):
        return Head(re.sub(r"[^A-Za-z0-9._-]", "-", path.stem).lstrip("._-") or "recording"), []
    reader = Reader(path)
    past = list(reader)
    return reader.head, past


def _empty(path: Path) -> None:
    try:
        os.truncate(path, 0)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from None
