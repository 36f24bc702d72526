"""What came in and what went out, bounded; the oldest entries give way."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from localruns.engine.message import NO_ROWS, Page, Reply, Request, Rows

if TYPE_CHECKING:
    from localruns.engine.faults.wire import WirePlan
    from localruns.engine.query import Cut, Query
    from localruns.engine.walks import Visit, Walk
    from localruns.errors import ApiError

MAX_ENTRIES = 5_000
MAX_BYTES = 32 * 1024 * 1024
_ENTRY_BYTES = 1_000


@dataclass(slots=True, eq=False)
class Entry:
    """One exchange, filled in as it is worked on.

    Shape: `notes` are words on how the answer came about; `refusal` what the vendor refused with; `defect` our
    own breach; `near_miss` what to change in a request that matched nothing; `broken`: a wire fault kept the answer
    from arriving whole; `walk_id` is its client's pass, 0 for none, `walk` and `visit` where it stands in that until it
    has been answered; `has_rows`: the journal counts its rows; `outlined`: so many rows were sent that are no longer
    kept. Units: `took_ms` milliseconds; `asked_s` and `answered_s` seconds of a clock that only goes forward, for what
    lies between them.
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
    notes: Sequence[str] = ()
    took_ms: float = 0.0
    asked_s: float = field(default_factory=time.monotonic)
    answered_s: float | None = None
    sent: bool = False
    broken: bool = False
    wire: WirePlan | None = None
    walk: Walk | None = None
    visit: Visit | None = None
    walk_id: int = 0
    has_rows: bool = False
    outlined: int = 0

    def note(self, words: str) -> None:
        """Add to what is told of how the answer came about."""
        self.notes = [*self.notes, words]

    @property
    def row_count(self) -> int:
        """How many rows were sent."""
        return self.outlined or (len(self.page.rows) if self.page else 0)


class Journal:
    """The entries of one namespace. Of what is too much the oldest answers lose their rows first, then entries go.

    Shape: `count`, `defects` and `totals` (by vendor, status and whether an endpoint was met) hold for evicted entries
    too; ids are whole numbers from 1, so that those up to `evicted` are gone. Units: half of `max_bytes` is for
    entries, half for the rows that were sent; the rows of a page that was sent many times count once.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._lock = threading.Lock()
        self._max_entries = max_entries
        self._max_bytes = max_bytes // 2
        self._start()

    def _start(self) -> None:
        self._entries: deque[Entry] = deque()
        self._with_rows: deque[Entry] = deque()
        self._holders: dict[int, int] = {}  # how many entries hold rows, by the id() of those
        self._bytes = self._row_bytes = 0
        self.count = self.evicted = self.defects = 0
        self.totals: Counter[tuple[str, int, bool]] = Counter()

    def open(self, request: Request, at: datetime) -> Entry:
        """A new entry, in the journal from now on."""
        with self._lock:
            self.count += 1
            entry = Entry(self.count, request, at)
            self._entries.append(entry)
            self._bytes += _ENTRY_BYTES + request.size_bytes
            while len(self._entries) > self._max_entries or (self._bytes > self._max_bytes and len(self._entries) > 1):
                self._evict()
            return entry

    def answered(self, entry: Entry) -> None:
        """Count an entry whose answer is known, and make room for its rows; nothing for one that is gone."""
        status = entry.reply.status if entry.reply else 0
        rows = entry.page.rows if entry.page else NO_ROWS
        with self._lock:
            if self._at(entry.id) is not entry:
                return
            self.totals[entry.vendor, status, bool(entry.endpoint)] += 1
            self.defects += bool(entry.defect)
            if rows:
                self._keep_rows(entry, rows)
            while self._row_bytes > self._max_bytes and self._outline_oldest():
                pass

    def total(self, vendor: str = "", status: int = 0, met: bool | None = None) -> int:
        """How many entries there have been of a vendor, a status, with or without an endpoint; "", 0, None: of any."""
        with self._lock:
            return sum(
                number
                for (one, code, endpoint), number in self.totals.items()
                if vendor in ("", one) and status in (0, code) and met in (None, endpoint)
            )

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            return iter(tuple(self._entries))

    def get(self, number: int) -> Entry | None:
        """The entry of that id, or None when it is unknown or gone."""
        with self._lock:
            return self._at(number)

    def clear(self) -> None:
        """Forget everything, counts included."""
        with self._lock:
            self._start()

    def _at(self, number: int) -> Entry | None:
        return self._entries[number - self.evicted - 1] if self.evicted < number <= self.count else None

    def _evict(self) -> None:
        oldest = self._entries.popleft()
        self._bytes -= _ENTRY_BYTES + oldest.request.size_bytes
        self.evicted += 1
        if oldest.has_rows:
            self._drop_rows(oldest)

    def _outline_oldest(self) -> bool:
        """Leave of the oldest answer that has been written an outline; False when none can be spared."""
        entry = next((entry for entry in self._with_rows if entry.sent), None)
        if entry is None or entry.page is None or entry.reply is None or len(self._with_rows) == 1:
            return False
        self._drop_rows(entry)
        entry.outlined = len(entry.page.rows)
        entry.page, entry.reply = entry.page.outline, entry.reply.outline
        return True

    def _keep_rows(self, entry: Entry, rows: Rows) -> None:
        entry.has_rows = True
        self._with_rows.append(entry)
        holders = self._holders[id(rows)] = self._holders.get(id(rows), 0) + 1
        if holders == 1:
            self._row_bytes += rows.weight_bytes

    def _drop_rows(self, entry: Entry) -> None:
        entry.has_rows = False
        self._with_rows.remove(entry)
        rows = entry.page.rows if entry.page else NO_ROWS
        self._holders[id(rows)] -= 1
        if not self._holders[id(rows)]:
            del self._holders[id(rows)]
            self._row_bytes -= rows.weight_bytes
