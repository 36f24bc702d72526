"""What came in and what went out, bounded; the oldest entries give way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from localruns.engine.message import Page, Reply, Request

if TYPE_CHECKING:
    from localruns.engine.query import Cut, Query
    from localruns.engine.walks import Visit, Walk
    from localruns.engine.wire import WirePlan
    from localruns.errors import ApiError

MAX_ENTRIES = 10_000
MAX_BYTES = 16 * 1024 * 1024
_ENTRY_BYTES = 1_000


@dataclass(slots=True)
class Entry:
    """One exchange, filled in as it is worked on.

    Shape: `notes` are words on how the answer came about; `refusal` what the vendor refused with; `defect` our
    own breach; `near_miss` what to change in a request that matched nothing; `broken`: a wire fault kept the answer
    from arriving whole; `walk` and `visit` where the request stands in its client's pass. Units: `took_ms` milliseconds;
    `asked_s` and `answered_s` seconds of a clock that only goes forward, for what lies between them.
    """

    id: int
    request: Request
    at: datetime
    vendor: str = ""
    endpoint: str = ""
    query: Query | None = None
    cut: Cut | None = None
    page: Page | None = None
    page_number: int = 0
    reply: Reply | None = None
    refusal: ApiError | None = None
    defect: str = ""
    near_miss: str = ""
    credential: str = ""
    notes: list[str] = field(default_factory=list)
    took_ms: float = 0.0
    asked_s: float = field(default_factory=time.monotonic)
    answered_s: float | None = None
    sent: bool = False
    broken: bool = False
    wire: WirePlan | None = None
    walk: Walk | None = None
    visit: Visit | None = None


class Journal:
    """The entries of one namespace. Units: limits in entries and bytes of what came in.

    `count` and `defects` go on counting when entries give way.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._entries: deque[Entry] = deque()
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        self.count = 0
        self.evicted = 0
        self.defects = 0

    def open(self, request: Request, at: datetime) -> Entry:
        """A new entry, in the journal from now on."""
        self.count += 1
        entry = Entry(self.count, request, at)
        self._entries.append(entry)
        self._bytes += _size(request)
        while len(self._entries) > self._max_entries or (self._bytes > self._max_bytes and len(self._entries) > 1):
            self._bytes -= _size(self._entries.popleft().request)
            self.evicted += 1
        return entry

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def get(self, number: int) -> Entry | None:
        """The entry of that id, or None when it is unknown or gone."""
        return next((entry for entry in self if entry.id == number), None)

    def clear(self) -> None:
        """Forget everything, counts included."""
        self._entries.clear()
        self._bytes = self.count = self.evicted = self.defects = 0


def _size(request: Request) -> int:
    headers = sum(len(name) + len(value) for name, value in request.headers)
    return _ENTRY_BYTES + len(request.target) + headers + len(request.body)
