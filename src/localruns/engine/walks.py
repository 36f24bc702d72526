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
Place = tuple[int, int]
NOWHERE: Place = (-1, -1)

Outcome = Literal["pending", "whole", "refused", "broken"]


@dataclass(slots=True)
class Visit:
    """One request of a walk.

    Shape: `place` is what page is asked for: (0, offset) by token, (page size, number) by number; `size` the size asked
    for; `numbers` the row numbers delivered; `resumes` the place that the answer leads to, NOWHERE on the last page.
    `off_course`: the answer before did not lead here. Units: rows, and seconds of wall time.
    """

    place: Place
    first: bool
    size: int
    page_number: int
    version: int
    asked_s: float
    retry: bool = False
    off_course: bool = False
    outcome: Outcome = "pending"
    status: int = 0
    numbers: array[int] = field(default_factory=lambda: array("I"))
    resumes: Place = NOWHERE
    more: bool = False
    answered_s: float = 0.0


@dataclass(slots=True, eq=False)
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

    def expects(self, place: Place) -> bool:
        """Whether the last answer leads to this page."""
        return self.last.outcome == "whole" and self.last.resumes == place

    def repeats(self, place: Place) -> bool:
        """Whether a request for this page tries again what was refused, broken, or has not been answered yet."""
        return self.last.outcome != "whole" and self.last.place == place


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

    def before(self, walk: Walk) -> Walk | None:
        """The walk of the same client and query that was opened before."""
        known = self._by_key.get((walk.vendor, walk.credential, walk.query), [])
        return next((known[index - 1] for index, other in enumerate(known) if other is walk and index), None)

    def join(self, vendor: str, credential: str, query: Query, visit: Visit) -> Walk:
        """Put a request into the walk it belongs to, or into a new one."""
        known = self._by_key.setdefault((vendor, credential, query), [])
        fitting = [walk for walk in known if walk.expects(visit.place) or walk.repeats(visit.place)]
        if len(fitting) > 1:
            for walk in fitting:
                walk.ambiguous = True
        if not fitting and not visit.first:
            fitting = [walk for walk in self if self._goes_on_as(walk, vendor, query, visit.place)][:1]
            known += fitting
        if fitting:
            walk = fitting[0]
            visit.retry = walk.repeats(visit.place)
        elif visit.first or not known:
            walk = self._open(vendor, credential, query, known)
        else:
            walk = known[-1]
            visit.off_course = True
        walk.visits.append(visit)
        self._visits += 1
        self._give_way()
        return walk

    @staticmethod
    def _goes_on_as(walk: Walk, vendor: str, query: Query, place: Place) -> bool:
        """Whether a client that was refused may have come back with another credential."""
        return walk.vendor == vendor and walk.query == query and walk.last.outcome == "refused" and walk.repeats(place)

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
            for key in [key for key, known in self._by_key.items() if oldest in known]:
                self._by_key[key].remove(oldest)
                if not self._by_key[key]:
                    del self._by_key[key]
