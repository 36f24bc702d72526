"""Which requests belong to one client's pass through the pages of one query.

A request joins the oldest open walk of its (credential, query) that expects this page, or that repeats its last
page after a refusal or a broken answer; page 1 after a whole answer opens a new walk. When several walks would take
the same request, the wire cannot tell them apart: all of them are marked ambiguous.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from localruns.engine.query import Query

MAX_WALKS = 1_000
MAX_VISITS = 50_000
MAX_ALIKE = 32
Place = tuple[int, int]
Key = tuple[str, str, Query]
NOWHERE: Place = (-1, -1)

Outcome = Literal["pending", "whole", "refused", "broken"]


@dataclass(slots=True)
class Visit:
    """One request of a walk.

    Shape: `place` is what page is asked for: (0, offset) by token, (page size, number) by number; `size` the size asked
    for; `numbers` the row numbers delivered; `resumes` the place that the answer leads to, NOWHERE on the last page.
    `off_course`: the answer before did not lead here; `doubtful`: the answer was whole, but not every client takes such
    a one, and who asks again did not. Units: rows, and seconds of wall time.
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
    numbers: Sequence[int] = ()
    resumes: Place = NOWHERE
    more: bool = False
    answered_s: float = 0.0
    doubtful: bool = False

    def disown(self) -> None:
        """The client asks again: what it did not take was not delivered."""
        if self.doubtful:
            self.outcome, self.numbers = "broken", ()


@dataclass(slots=True, eq=False)
class Walk:
    """One pass.

    Shape: `memory` is for faults that happen once per walk; `keys` under which it is looked for, one per credential.
    """

    id: int
    vendor: str
    credential: str
    query: Query
    visits: list[Visit] = field(default_factory=list)
    ambiguous: bool = False
    keys: tuple[Key, ...] = ()
    _memory: dict[str, Any] | None = None

    @property
    def memory(self) -> dict[str, Any]:
        """What is to be remembered of this pass; few have anything."""
        if self._memory is None:
            self._memory = {}
        return self._memory

    @property
    def last(self) -> Visit:
        """The latest request."""
        return self.visits[-1]

    @property
    def settled(self) -> bool:
        """Whether the last answer was whole, for every client."""
        last = self.visits[-1]
        return last.outcome == "whole" and not last.doubtful

    def led_to(self, place: Place, size: int) -> bool:
        """Whether an answer of this walk to a request of that page size has led to this page."""
        return any(visit.resumes == place and visit.size == size for visit in reversed(self.visits))

    @property
    def given_up(self) -> bool:
        """Whether the last answer was a refusal that asking again does not mend: 400, 403, 404 and the like."""
        last = self.last
        return last.outcome == "refused" and 400 <= last.status < 500 and last.status not in _PASSING

    def repeats(self, place: Place) -> bool:
        """Whether a request for this page tries again what was refused, broken, or has not been answered yet."""
        return not self.settled and self.last.place == place


_PASSING = (401, 408, 429)


def _fitting(known: Sequence[Walk], visit: Visit) -> list[Walk]:
    """The walks that a request may belong to, the oldest first."""
    place, first, likely, repeating = visit.place, visit.first, [], []
    for walk in known:
        last = walk.visits[-1]
        repeated = last.place == place and not walk.settled
        # A token may lead to the first page again; who asks for it without one begins anew.
        expected = last.resumes == place and last.outcome == "whole" and not first
        if repeated:
            repeating.append(walk)
        if expected or (repeated and not walk.given_up):
            likely.append(walk)
    return likely or repeating


class Walks:
    """The walks of one namespace; the oldest give way."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[int, Walk] = OrderedDict()
        self._by_key: dict[Key, list[Walk]] = {}
        self._unsettled: dict[int, Walk] = {}
        self._count = 0
        self._visits = 0

    def __iter__(self) -> Iterator[Walk]:
        return iter(tuple(self._by_id.values()))

    def get(self, number: int) -> Walk | None:
        """The walk of that id, or None when it is unknown or gone."""
        return self._by_id.get(number)

    def before(self, walk: Walk) -> Walk | None:
        """The walk of the same client and query that was opened before."""
        known = self.alike(walk)
        return next((known[index - 1] for index, other in enumerate(known) if other is walk and index), None)

    def alike(self, walk: Walk) -> Sequence[Walk]:
        """All walks of the same client and query, this one among them."""
        return self._by_key.get((walk.vendor, walk.credential, walk.query), [])

    def join(self, vendor: str, credential: str, query: Query, visit: Visit) -> Walk:
        """Put a request into the walk it belongs to, or into a new one."""
        key = (vendor, credential, query)
        known = self._by_key.get(key)
        if known is None:
            known = self._by_key[key] = []
        # Who asks for the first page goes on with nothing that was answered whole, and most walks were.
        fitting = _fitting(self._among(known) if visit.first else known, visit)
        if len(fitting) > 1:
            for walk in fitting:
                walk.ambiguous = True
        if not fitting and not visit.first:
            unsettled = sorted(self._unsettled.values(), key=lambda walk: walk.id)
            fitting = [walk for walk in unsettled if self._goes_on_as(walk, vendor, query, visit.place)][:1]
            for walk in fitting:
                self._look_for(walk, key, known)
        if fitting:
            walk = fitting[0]
            visit.retry = walk.repeats(visit.place)
            if visit.retry:
                walk.last.disown()
        elif visit.first or not known:
            walk = self._open(key, known)
        else:
            walk = known[-1]
            visit.off_course = True
        walk.visits.append(visit)
        self._unsettled[walk.id] = walk
        self._visits += 1
        self._give_way()
        return walk

    def settle(self, walk: Walk, visit: Visit, outcome: Outcome) -> None:
        """The request has been answered."""
        visit.outcome = outcome
        if walk.settled:
            self._unsettled.pop(walk.id, None)

    def _among(self, known: Sequence[Walk]) -> Sequence[Walk]:
        """Those of the known walks that are not settled."""
        return [walk for walk in known if walk.id in self._unsettled] if self._unsettled else ()

    @staticmethod
    def _goes_on_as(walk: Walk, vendor: str, query: Query, place: Place) -> bool:
        """Whether a client that was refused may have come back with another credential."""
        return walk.vendor == vendor and walk.query == query and walk.last.outcome == "refused" and walk.repeats(place)

    def _open(self, key: Key, known: list[Walk]) -> Walk:
        self._count += 1
        walk = self._by_id[self._count] = Walk(self._count, *key)
        self._look_for(walk, key, known)
        return walk

    def _look_for(self, walk: Walk, key: Key, known: list[Walk]) -> None:
        """Requests of that key may belong to the walk; so many walks of one key that the oldest are not looked for."""
        known.append(walk)
        walk.keys = (*walk.keys, key)
        if len(known) > MAX_ALIKE:
            oldest = known.pop(0)
            oldest.keys = tuple([other for other in oldest.keys if other != key])

    def _give_way(self) -> None:
        while len(self._by_id) > MAX_WALKS or self._visits > MAX_VISITS:
            oldest = next(iter(self._by_id.values()))
            del self._by_id[oldest.id]
            self._unsettled.pop(oldest.id, None)
            self._visits -= len(oldest.visits)
            for key in oldest.keys:
                self._by_key[key].remove(oldest)
                if not self._by_key[key]:
                    del self._by_key[key]
