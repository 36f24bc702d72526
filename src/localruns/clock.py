"""The two clocks: virtual time for what the emulator ages, wall time for what a client compares with its own."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


def wall_now() -> datetime:
    """The machine's time: signature freshness, `Date`, a namespace's time to live."""
    return datetime.now(UTC)


class VirtualClock:
    """A namespace's time: starts where the scenario says and ticks with real time until frozen.

    Units: aware UTC datetimes; steps in seconds.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start
        self.reset()

    def reset(self) -> None:
        """Back to the scenario's start, ticking."""
        self._base = self._start
        self._since: float | None = time.monotonic()

    def now(self) -> datetime:
        """The virtual time."""
        if self._since is None:
            return self._base
        return _moved(self._base, time.monotonic() - self._since)

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._since is None

    def freeze(self, at: datetime | None = None) -> None:
        """Stop at `at`, or at the present virtual time."""
        self._base = at or self.now()
        self._since = None

    def advance(self, seconds: float) -> None:
        """Jump ahead; a frozen clock stays frozen. At the end of all datetimes time stands still."""
        self._base = _moved(self._base, seconds)


def parse_time(text: str) -> datetime:
    """An aware UTC datetime from ISO 8601 text with `Z` or an offset. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone, expected Z or an offset")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999") from None


def _moved(moment: datetime, seconds: float) -> datetime:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if seconds > 0 else datetime.min.replace(tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MS


def from_epoch_ms(ms: int) -> datetime:
    """The aware UTC datetime of `ms` milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=ms)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
