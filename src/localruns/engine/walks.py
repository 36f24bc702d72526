"""Which requests belong to one client's pass through the pages of one query.

A request joins the oldest open walk of its (credential, query) that expects this page, or that repeats its last
page after a refusal or a broken answer; page 1 after a whole answer opens a new walk. When several walks would take
the same request, the wire cannot tell them apart: all of them are marked ambiguous.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from localruns.engine.query import Query

MAX_WALKS = 1_000
MAX_VISITS = 200_000
NOWHERE = -1

Outcome = Literal["pending", "whole", "refused", "broken"]


@dataclass(slots=True)
class Visit:
    """One request of a walk.

    Shape: `numbers` are the row numbers delivered; `resumes` the offset at which the answer says the next page starts,
    NOWHERE on the last page. `off_course`: the answer before did not lead here. Units: rows, and seconds of wall time.
    """

    offset: int
    page_number: int
    version: int
    asked_s: float
    retry: bool = False
    off_course: bool = False
    outcome: Outcome = "pending"
    status: int = 0
    numbers: array[int] = field(default_factory=lambda: array("I"))
    resumes: int = NOWHERE
    more: bool = False
    answered_s: float = 0.0


@dataclass(slots=True)
class Walk:
    """One pass. `memory` is for faults that happen once per walk."""

    id: int
    vendor: str
    credential: str
    query: Query
    visits: list[Visit] = field(default_factory=list)
    ambiguous: bool = False
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def last(self) -> Visit:
        """The latest request."""
        return self.visits[-1]

    def expects(self, offset: int) -> bool:
        """Whether the last answer leads to a page at `offset`."""
        return self.last.outcome == "whole" and self.last.resumes == offset

    def repeats(self, offset: int) -> bool:
        """Whether a request at `offset` tries again what was refused, broken, or has not been answered yet."""
        return self.last.outcome != "whole" and self.last.offset == offset


Key = tuple[str, str, Query]


class Walks:
    """The walks of one namespace; the oldest give way."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[int, Walk] = OrderedDict()
        self._by_key: dict[Key, list[Walk]] = {}
        self._count = 0
        self._visits = 0

    def __iter__(self) -> Iterator[Walk]:
        return iter(tuple(self._by_id.values()))

    def get(self, number: int) -> Walk | None:
        """The walk of that id, or None when it is unknown or gone."""
        return self._by_id.get(number)

    def join(self, vendor: str, credential: str, query: Query, visit: Visit) -> Walk:
        """Put a request into the walk it belongs to, or into a new one."""
        known = self._by_key.setdefault((vendor, credential, query), [])
        fitting = [walk for walk in known if walk.expects(visit.offset) or walk.repeats(visit.offset)]
        if len(fitting) > 1:
            for walk in fitting:
                walk.ambiguous = True
        if fitting:
            walk = fitting[0]
            visit.retry = walk.repeats(visit.offset)
        elif visit.offset == 0 or not known:
            walk = self._open(vendor, credential, query, known)
        else:
            walk = known[-1]
            visit.off_course = True
        walk.visits.append(visit)
        self._visits += 1
        self._give_way()
        return walk

    def _open(self, vendor: str, credential: str, query: Query, known: list[Walk]) -> Walk:
        self._count += 1
        walk = Walk(self._count, vendor, credential, query)
        self._by_id[walk.id] = walk
        known.append(walk)
        return walk

    def _give_way(self) -> None:
        while len(self._by_id) > MAX_WALKS or (self._visits > MAX_VISITS and len(self._by_id) > 1):
            oldest = next(iter(self._by_id.values()))
            del self._by_id[oldest.id]
            self._visits -= len(oldest.visits)
            key = (oldest.vendor, oldest.credential, oldest.query)
            self._by_key[key].remove(oldest)
            if not self._by_key[key]:
                del self._by_key[key]
