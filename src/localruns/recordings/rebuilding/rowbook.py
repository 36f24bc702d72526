"""The rows of one vendor for a scenario: which there are from the start, and how they change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from localruns.engine.query import Query
from localruns.engine.vendor import Vendor
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.rebuilding import beyond
from localruns.recordings.rebuilding.changing import Change, difference, placed
from localruns.recordings.rebuilding.rows import Acceptor
from localruns.recordings.rebuilding.seen import Seen, Spool, Walk
from localruns.recordings.rebuilding.trial import Trial, first_page

Row = Mapping[str, Any]
_MAX_COMPARED = 200


class Rowbook:
    """Decides on the rows of one vendor.

    Shape: `scopes` the resources that hold rows; `events` (page, changes) in order; `rows(scope)` the rows there from
    the start; `lost` how many rows and fields could not be kept.
    """

    def __init__(self, vendor: Vendor, spool: Spool, left: Leftovers, trial: Trial) -> None:
        self.vendor = vendor
        self.scopes: list[str] = []
        self.events: list[tuple[int, list[Change]]] = []
        self._spool = spool
        self._left = left
        self._acceptor = Acceptor(vendor, trial.filling(vendor), left)
        self._trial = trial
        self._walks: Sequence[Walk] = ()
        self._queries: dict[int, Query | None] = {}
        self._late: set[tuple[str, str]] = set()
        self._latest: set[tuple[str, str]] = set()
        self._refused: set[tuple[str, str]] = set()

    @property
    def lost(self) -> int:
        """How many rows and fields could not be kept."""
        return self._acceptor.lost

    def fill(self, walks: Sequence[Walk], calls: Sequence[Seen]) -> Rowbook:
        """Decide on everything; returns itself."""
        self.scopes = list(dict.fromkeys(walk.scope for walk in walks))
        self._walks = walks[:_MAX_COMPARED]
        if len(walks) > _MAX_COMPARED:
            self._left.remark(f"{self.vendor.id}: only the first {_MAX_COMPARED} walks were compared with each other")
        self._queries = {walk.number: self._query(walk) for walk in self._walks}
        self._accept()
        self._changes(calls)
        return self

    def rows(self, scope: str) -> Iterator[Row]:
        """The rows of a resource from the start, in the order in which they were first seen."""
        for key, versions in self._spool.rows(self.vendor.id, scope):
            place = (scope, key)
            if place not in self._refused and place not in self._late:
                yield versions[-1 if place in self._latest else 0][0]

    def _accept(self) -> None:
        """Hold every version of every row against the schema, and keep it as it passes."""
        for scope in self.scopes:
            for key in self._spool.all_keys(self.vendor.id, scope):
                for number, row in self._spool.versions(self.vendor.id, scope, key):
                    kept = self._acceptor.take(key, row, scope)
                    if kept is None:
                        self._refused.add((scope, key))
                        break
                    if kept is not row:
                        self._spool.replace(number, kept)

    def _changes(self, calls: Sequence[Seen]) -> None:
        wanted, odd = self._edits()
        coming, strange = self._comings()
        changes = [change for change in [*wanted, *coming] if (change.scope, change.key) not in self._refused]
        events, homeless = placed(changes, calls)
        lost = {(change.scope, change.key) for change in homeless}
        if lost:
            events, _ = placed([change for change in changes if (change.scope, change.key) not in lost], calls)
        self.events = events
        self._latest = {(change.scope, change.key) for change in wanted} & lost | odd
        self._late = {(c.scope, c.key) for _, some in events for c in some if c.kind == "insert"}
        if self._latest:
            count = len(self._latest)
            words = (
                "rows that changed while they were recorded, at no time that can be told; the latest version is kept"
            )
            self._left.remark(f"{self.vendor.id}: {words}: {count}")
        gone = len({(change.scope, change.key) for change in coming} & lost) + strange
        if gone:
            words = "rows that came or went between walks at no time that can be told; they are always listed"
            self._left.remark(f"{self.vendor.id}: {words}: {gone}")

    def _edits(self) -> tuple[list[Change], set[tuple[str, str]]]:
        """(changes of fields, rows whose change is none of fields)."""
        edits: list[Change] = []
        odd: set[tuple[str, str]] = set()
        for scope in self.scopes:
            for key, versions in self._spool.changed(self.vendor.id, scope):
                for (old, _, last), (new, first, _) in pairwise(versions):
                    fields = difference(old, new)
                    if fields is None:
                        odd.add((scope, key))
                    elif fields:
                        edits.append(Change("change", key, scope, last, first, fields))
        return [edit for edit in edits if (edit.scope, edit.key) not in odd], odd

    def _comings(self) -> tuple[list[Change], int]:
        """(rows that came or went between whole walks of the same query, how many did so in no such way)."""
        groups: dict[Query, list[Walk]] = defaultdict(list)
        for walk, query in self.asked():
            if walk.started and walk.complete:
                groups[query].append(walk)
        found: dict[tuple[str, str], Change] = {}
        strange: set[tuple[str, str]] = set()
        for group in groups.values():
            for key, present in self._spool.sometimes([walk.number for walk in group]):
                scope = group[0].scope
                change = self._coming(key, [walk for walk in group if walk.number not in present], scope)
                if change is None:
                    strange.add((scope, key))
                else:
                    found.setdefault((scope, key), change)
        return [change for place, change in found.items() if place not in strange], len(strange)

    def _coming(self, key: str, absent: Sequence[Walk], scope: str) -> Change | None:
        row, first, last = self._spool.span(self.vendor.id, scope, key)
        starts, ends = [walk.calls[0] for walk in absent], [walk.calls[-1] for walk in absent]
        if max(ends) < first:
            return Change("insert", key, scope, max(ends), first, row)
        if min(starts) > last:
            return Change("delete", key, scope, last, min(starts), {})
        return None

    def _query(self, walk: Walk) -> Query | None:
        if beyond.parameters(walk.vendor, beyond.telling(walk.vendor, walk.rest)):
            return None  # what a parameter that we do not know asked for, only the platform could tell
        return self._trial.query(first_page(*self._spool.request(walk.calls[0]), self.vendor.traffic))

    def asked(self) -> Iterator[tuple[Walk, Query]]:
        """The walks whose query we can read."""
        for walk in self._walks:
            query = self._queries.get(walk.number)
            if query is not None and walk.pages:
                yield walk, query

    def known(self, walk: Walk) -> Iterator[str]:
        """The keys of a walk's rows that are there from the start, in the order in which they came."""
        gone = {key for scope, key in self._refused | self._late if scope == walk.scope}
        return (key for key in self._spool.keys(walk.number) if key not in gone)
