"""The nonces of verified requests, as long as they could be played again.

**Source**: Request syntax and signature method V3: a nonce may not come twice within the 15 minutes of a date.
"""

from __future__ import annotations

from datetime import datetime
from threading import Lock

MAX_NONCES = 100_000


class Nonces:
    """Which (access key id, nonce) pairs have been used lately; of more than 100,000 the oldest are forgotten."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], datetime] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._until)

    def take(self, nonce: tuple[str, str], now: datetime, until: datetime) -> bool:
        """Use a nonce up and keep it `until` then; False when it is used already."""
        with self._lock:
            self._forget(now)
            if self._until.get(nonce, now) > now:
                return False
            self._until.pop(nonce, None)
            self._until[nonce] = until
            return True

    def _forget(self, now: datetime) -> None:
        while self._until:
            oldest = next(iter(self._until))
            if self._until[oldest] > now and len(self._until) < MAX_NONCES:
                return
            del self._until[oldest]
