"""The edge's one thread for work that would hold up the event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue


class Worker:
    """One daemon thread for slow work, in order. It starts with the first job and never holds up an exit."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], None]) -> None:
        """Have a job done."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="localruns-edge-worker", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def stop(self) -> None:
        """End after the job in hand."""
        self._jobs.put(None)

    def _work(self) -> None:
        for job in iter(self._jobs.get, None):
            job()
