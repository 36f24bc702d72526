"""Exchanges go into the file one after the other, in the order in which they were over, beside the answering."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

from localruns.engine.recorded.exchange import Exchange
from localruns.recordings.keeping import Keeper, LeftOut

HOLD_S = 2.0
PATIENCE_S = 60.0
STOPPED = "the recorder was stopped meanwhile"
_log = logging.getLogger("localruns.recorder")


class Saver:
    """Saves in a thread of its own, so that a large answer, which takes seconds to clear of secrets, is not held up.

    Units: seconds; about one for a body of 1 MB.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._pool = ThreadPoolExecutor(1, "localruns-saving")
        self._lock = Lock()
        self._last: Future[LeftOut | None] | None = None
        self._closed = False

    def save(self, exchange: Exchange) -> LeftOut | None:
        """Save an exchange; what is known of it after a moment.

        It comes back once all those before it are in the file, and this one too unless that takes long: a client that
        gets the end of its answer only then has all its answers in the file, at the worst but for the last.
        """
        with self._lock:
            closed, before = self._closed, self._last
            if not closed:
                self._last = saved = self._pool.submit(self._keeper.keep, exchange)
        if closed:
            return self._keeper.leave_out(exchange.request, STOPPED)
        if before is not None:
            wait([before], PATIENCE_S)
        done, _ = wait([saved], HOLD_S)
        return saved.result() if done else None

    def close(self) -> None:
        """Save what waits; what comes now is left out. May be called twice."""
        with self._lock:
            self._closed, last = True, self._last
        if last is not None and wait([last], HOLD_S).not_done:
            _log.warning("large answers are still being cleared of secrets: wait, or the last of them are lost")
        self._pool.shutdown()
        self._keeper.close()
