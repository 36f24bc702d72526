"""Changes of rows while they were recorded, as timeline events where one can tell when they took place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localruns.engine.rows.template import merged
from localruns.recordings.rebuilding.seen import Seen

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened behind one call and before another.

    Shape: `kind` is `insert`, `delete` or `change`; `row` the row inserted, or the fields that changed. `after` and
    `before` are numbers of calls.
    """

    kind: str
    key: str
    scope: str
    after: int
    before: int
    row: Row


def difference(old: Row, new: Row) -> dict[str, Any] | None:
    """The fields whose change turns one row into the other; None where no mere change of fields does."""
    changed = {name: value for name, value in new.items() if name not in old or old[name] != value}
    return changed if merged(old, changed) == new else None


def placed(changes: Sequence[Change], calls: Sequence[Seen]) -> tuple[list[tuple[int, list[Change]]], list[Change]]:
    """((page, the changes behind its first answer), ...) in order, and the changes that no page's answer precedes.

    An event fires at the first whole answer of its page once all events before it have fired.
    """
    events: list[tuple[int, list[Change]]] = []
    homeless: list[Change] = []
    waiting = sorted(changes, key=lambda change: (change.before, change.after))
    fired = -1
    while waiting:
        first = waiting[0]
        if events and first.after <= fired < first.before:
            events[-1][1].append(waiting.pop(0))
            continue
        spot = _spot(calls, max(first.after, fired + 1), first.before, fired)
        if spot is None:
            homeless.append(waiting.pop(0))
            continue
        events.append((spot.page, [waiting.pop(0)]))
        fired = spot.number
    return events, homeless


def _spot(calls: Sequence[Seen], low: int, high: int, fired: int) -> Seen | None:
    """The last good call within [low, high) that is the first answer of its page since the last event."""
    met: set[int] = set()
    found = None
    for seen in calls:
        if seen.number <= fired or not seen.good or not seen.page:
            continue
        if seen.number >= high:
            break
        if seen.page not in met and seen.number >= low:
            found = seen
        met.add(seen.page)
    return found
