"""One request on its way: answered from the recording, or passed on, its answer passed back and kept."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from http.client import responses
from itertools import chain

from localruns import clock
from localruns.engine.message import Request
from localruns.engine.recorded.cassette import Miss
from localruns.engine.recorded.exchange import Exchange, reply_from, request_from
from localruns.engine.recorded.resigning import Resigning, Signer, with_headers
from localruns.errors import ConfigError
from localruns.recordings.keeping import Keeper, LeftOut
from localruns.recordings.unpacking import KNOWN, MAX_BYTES, end_to_end
from localruns.surfaces.recorder.saving import Saver
from localruns.surfaces.recorder.serving import Down, problem
from localruns.surfaces.recorder.upstream import Answer, Failure, Line, Upstream

TOO_LARGE = f"the body is over {MAX_BYTES // 1024**2} MB"
NO_TOKEN = "its token is a placeholder out of the recording, and the platform gave no other: it takes real credentials"
_log = logging.getLogger("localruns.recorder")


class Signing:
    """Signs requests anew where the vendor's signatures cover the host. Who signs is found out at the first of them."""

    def __init__(self, resigning: Resigning | None) -> None:
        self._resigning = resigning
        self._lock = threading.Lock()
        self._asked = False
        self._signer: Signer | None = None

    def signed(self, request: Request) -> Request:
        """The request as the platform takes it, as far as there are credentials."""
        if self._resigning is None or not self._resigning.needed(request):
            return request
        with self._lock:
            if not self._asked:
                self._asked = True
                self._signer = self._find(self._resigning)
        return self._signer.sign(request) if self._signer else request

    def _find(self, resigning: Resigning) -> Signer | None:
        why = f"no real credentials are found in {resigning.wanted}"
        try:
            if signer := resigning.signer(os.environ):
                return signer
        except ConfigError as error:
            why = str(error)
        _log.warning("the client signs for this address, and %s: its requests go on as they come, to be refused", why)
        return None


@dataclass(slots=True)
class Session:
    """What all connections of a recorder share. Shape: `place` None where nothing is passed on."""

    keeper: Keeper
    saver: Saver
    place: Upstream | None
    signing: Signing
    timeout_s: float
    say: Callable[[str], None] | None


class Relay:
    """The requests of one connection, one after the other."""

    def __init__(self, session: Session, line: Line | None) -> None:
        self._session, self._line = session, line
        self._keeper = session.keeper

    def close(self) -> None:
        """The client has gone."""
        if self._line is not None:
            self._line.close()

    def answer(self, request: Request, pieces: Iterator[bytes], down: Down) -> None:
        """Answer one request."""
        begun_s = time.monotonic()
        request, rest = _gathered(request, pieces)
        found = None if rest else self._keeper.recorded(request)
        if isinstance(found, Exchange) and self._keeper.is_stale(found) and self._renewed(request, down):
            return
        if isinstance(found, Miss):
            status, words = 501, found.words
            down.whole(status, *problem(status, "no recorded exchange", words))
            self._say(request, f"{status}, not recorded: {words}", begun_s)
        elif found is not None:
            headers = tuple((name, value) for name, value in found.reply.headers if name != "content-length")
            down.whole(found.reply.status, responses.get(found.reply.status, ""), headers, found.reply.body)
            self._say(request, f"{found.reply.status} from the recording", begun_s)
        elif self._line is None or self._session.place is None:
            down.cut()
            down.whole(501, *problem(501, "no recorded exchange", f"nothing is passed on, and {TOO_LARGE}"))
        elif self._keeper.lacks_token(request):
            self._keeper.leave_out(request, NO_TOKEN)
            down.whole(501, *problem(501, "no recorded exchange", NO_TOKEN))
            self._say(request, f"501, not passed on: {NO_TOKEN}", begun_s)
        else:
            self._forward(request, rest, down, self._line, self._session.place)

    def _renewed(self, request: Request, down: Down) -> bool:
        """Pass on a request for a token, which is not recorded again; False where the platform gives none."""
        line, place, begun_s = self._line, self._session.place, time.monotonic()
        if line is None or place is None:
            return False
        outgoing = self._session.signing.signed(_addressed(request, place))
        self._keeper.learn(outgoing)
        try:
            answer = line.ask(outgoing)
            body = b"".join(answer.pieces)
        except Failure:
            return False
        if answer.status != 200:
            return False
        headers = tuple(pair for pair in end_to_end(answer.headers) if not _sized(pair))
        self._keeper.renew(Exchange(outgoing, reply_from(answer.status, headers, body)))
        down.whole(answer.status, answer.reason, headers, body)
        self._say(request, f"{answer.status}, a new token in place of the recorded one", begun_s)
        return True

    def _forward(self, request: Request, rest: Iterator[bytes] | None, down: Down, line: Line, place: Upstream) -> None:
        at, begun_s = _stamp(clock.wall_now()), time.monotonic()
        # Recorded is what the client asked, of the platform: not our address, and not our signature.
        host = with_headers(request, ("host",), [("host", place.host)])
        asked = Exchange(replace(request, headers=host), reply_from(502), at)
        outgoing = _addressed(request, place)
        if rest is None:
            outgoing = self._session.signing.signed(outgoing)
            self._keeper.learn(outgoing)
        framed = _framed(outgoing, rest) if rest else (outgoing, ())
        try:
            answer = line.ask(*framed)
        except Failure as failure:
            took_ms = (time.monotonic() - begun_s) * 1000
            reason, headers, body = problem(failure.status, "no answer from upstream", str(failure))
            reply = reply_from(failure.status, headers, body)
            left_out = self._kept(replace(asked, reply=reply, took_ms=took_ms, failed=str(failure)), whole=not rest)
            down.whole(failure.status, reason, headers, body)
            self._say(request, f"{failure.status}: {failure}", begun_s, left_out)
            return
        self._pass_back(asked, answer, down, begun_s, whole=not rest)

    def _pass_back(self, asked: Exchange, answer: Answer, down: Down, begun_s: float, *, whole: bool) -> None:
        """Send the answer on as it comes, its end once the exchange is in the file: a client that has its answer has it
        in the recording too, and its next request comes after it there."""
        headers = tuple(pair for pair in end_to_end(answer.headers) if answer.length is not None or not _sized(pair))
        body, held, failed, size = bytearray(), b"", "", 0
        if answer.length != 0:
            down.start(answer.status, answer.reason, headers, answer.length)
        try:
            for piece in answer.pieces:
                size += len(piece)
                if size <= MAX_BYTES:
                    body += piece
                elif whole:
                    whole, body = False, bytearray()
                if size == answer.length:
                    held = piece
                else:
                    down.write(piece)
        except Failure as failure:
            failed = str(failure)
        took_ms = (time.monotonic() - begun_s) * 1000
        reply = reply_from(answer.status, headers, bytes(body))
        left_out = self._kept(replace(asked, reply=reply, took_ms=took_ms, failed=failed), whole=whole)
        if answer.length == 0:
            down.start(answer.status, answer.reason, headers, 0)
        if failed:
            down.cut()
        else:
            if held:
                down.write(held)
            down.end()
        self._say(asked.request, f"{answer.status}, {size:,} bytes{failed and ', ' + failed}", begun_s, left_out)

    def _kept(self, exchange: Exchange, *, whole: bool) -> LeftOut | None:
        if not whole:
            return self._keeper.leave_out(exchange.request, TOO_LARGE)
        return self._session.saver.save(exchange)

    def _say(self, request: Request, outcome: str, begun_s: float, left_out: LeftOut | None = None) -> None:
        if self._session.say is None:
            return
        took_ms = (time.monotonic() - begun_s) * 1000
        words = f"{self._keeper.line(request)}  ->  {self._keeper.text(outcome)}, {took_ms:.0f} ms"
        self._session.say(words + (f"  LEFT OUT: {left_out.why}" if left_out else ""))


def _gathered(request: Request, pieces: Iterator[bytes]) -> tuple[Request, Iterator[bytes] | None]:
    """The request with its body; one that is too large to be kept has it in pieces, beside."""
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > MAX_BYTES:
            return request, chain([bytes(body)], pieces)
    return replace(request, body=bytes(body)), None


def _addressed(request: Request, place: Upstream) -> Request:
    """The request for the real host, in encodings that can be recorded."""
    kept = [pair for pair in end_to_end(request.headers) if pair[0] not in ("host", "expect", "accept-encoding")]
    headers = [("host", place.host), *kept]
    if wanted := request.header_values("accept-encoding"):
        listed = [part.strip() for value in wanted for part in value.split(",")]
        known = [part for part in listed if part.partition(";")[0].strip().lower() in KNOWN]
        headers.append(("accept-encoding", ", ".join(known) or "identity"))
    if request.body and request.header("content-length") is None:
        headers.append(("content-length", str(len(request.body))))
    return request_from(request.method, place.base + request.target, headers, request.body)


def _framed(request: Request, rest: Iterator[bytes]) -> tuple[Request, Iterator[bytes]]:
    """A request whose body follows: in the length that was announced, else in chunks."""
    if request.header("content-length") is not None:
        return request, rest
    chunks = chain((b"%x\r\n%b\r\n" % (len(piece), piece) for piece in rest), [b"0\r\n\r\n"])
    return replace(request, headers=(*request.headers, ("transfer-encoding", "chunked"))), chunks


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sized(pair: tuple[str, str]) -> bool:
    return pair[0].lower() == "content-length"
