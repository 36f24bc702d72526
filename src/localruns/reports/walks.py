"""The walk ledger: what a client's pass through the pages saw, missed and saw twice, and why it stopped.

A row that lived through the whole walk must be seen; one that lived in part of it may be; `missed`, `duplicates` and
`unstable` follow exactly from the data versions at which the pages were cut.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from localruns.engine.namespace import Namespace
from localruns.engine.walks import NOWHERE, Visit, Walk
from localruns.reports.words import query_words

MAX_LISTED = 100
Numbers = Sequence[int]
KeysOf = Callable[[Iterable[int]], Mapping[int, str]]
Judged = tuple[Numbers, Sequence[str], Sequence[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Ledger:
    """One walk, judged. Shape: `delivered` and `expected` row numbers, the others row keys, in the rows' order."""

    delivered: Sequence[int]
    expected: Sequence[int]
    missed: Sequence[str]
    duplicates: Sequence[str]
    unstable: Sequence[str]
    stop: str
    complete: bool


def ledger(walk: Walk, space: Namespace) -> Ledger:
    """What the walk saw, held against the rows that were alive while it lasted."""
    delivered = array("I", chain.from_iterable(visit.numbers for visit in walk.visits if visit.outcome == "whole"))
    versions = range(walk.visits[0].version, walk.last.version + 1)
    orders = [space.store.order(walk.query, version) for version in versions]
    judge = _judge_one_version if len(orders) == 1 else _judge_versions
    expected, missed, duplicates, unstable = judge(delivered, orders, partial(space.store.keys, walk.vendor))
    stop = _stop(walk, len(missed), len(expected))
    complete = not missed and walk.last.outcome == "whole"
    return Ledger(delivered, expected, missed, duplicates, unstable, stop, complete)


def _judge_one_version(delivered: Numbers, orders: Sequence[Numbers], keys_of: KeysOf) -> Judged:
    """(rows expected, keys missed, keys delivered twice, keys alive in part); millions of rows take a byte each."""
    (order,) = orders
    times = bytearray(max(chain(order, delivered), default=0) + 1)
    for number in delivered:
        times[number] = min(times[number] + 1, 2)
    missed = [number for number in order if not times[number]]
    twice = list(dict.fromkeys(number for number in delivered if times[number] > 1))
    keys = keys_of(chain(missed, twice))
    return order, [keys[number] for number in missed], [keys[number] for number in twice], []


def _judge_versions(delivered: Numbers, orders: Sequence[Numbers], keys_of: KeysOf) -> Judged:
    """The same where rows have changed: a changed row is another row under the same key, so keys tell them apart."""
    always = set(orders[0]).intersection(*orders[1:])
    must, may = [number for number in orders[0] if number in always], set().union(*orders)
    keys = keys_of(chain(delivered, must, may))
    expected = {keys[number]: number for number in must}
    every = Counter(keys[number] for number in delivered)
    missed = [key for key in expected if key not in every]
    twice = [key for key, times in every.items() if times > 1]
    return list(expected.values()), missed, twice, sorted({keys[number] for number in may} - set(expected))


def as_json(walk: Walk, space: Namespace, all_keys: bool = False) -> dict[str, Any]:
    """The walk for the control API; long lists are cut, their true length stands beside them.

    `all_keys` adds the keys of all rows that were delivered and expected, uncut.
    """
    judged, whole = ledger(walk, space), {}
    if all_keys:
        keys = space.store.keys(walk.vendor, chain(judged.delivered, judged.expected))
        named = {"delivered_keys": judged.delivered, "expected_keys": judged.expected}
        whole = {name: [keys[number] for number in numbers] for name, numbers in named.items()}
    return {
        "id": walk.id,
        "vendor": walk.vendor,
        "query": query_words(walk.query),
        "requests": len(walk.visits),
        "pages": sum(visit.outcome == "whole" for visit in walk.visits),
        "delivered": len(judged.delivered),
        "expected": len(judged.expected),
        **_listed("missed", judged.missed),
        **_listed("duplicates", judged.duplicates),
        **_listed("unstable", judged.unstable),
        "retries": sum(visit.retry for visit in walk.visits),
        "wasted": wasted(walk),
        "waits_s": waits_s(walk),
        "complete": judged.complete,
        "ambiguous": walk.ambiguous,
        "stop": judged.stop,
        **whole,
    }


def waits_s(walk: Walk) -> list[float]:
    """Wall time between each refused answer and the walk's next request."""
    pairs = zip(walk.visits, walk.visits[1:], strict=False)
    return [round(later.asked_s - visit.answered_s, 3) for visit, later in pairs if visit.outcome == "refused"]


def wasted(walk: Walk) -> int:
    """Requests whose whole answer brought no row that was new to the walk."""
    seen: set[int] = set()
    count = 0
    for visit in walk.visits:
        if visit.outcome == "whole":
            count += not set(visit.numbers) - seen
            seen.update(visit.numbers)
    return count


def _stop(walk: Walk, missed: int, expected: int) -> str:
    last = walk.last
    page = f"page {last.page_number}"
    left = f"; {missed} of {expected} runs were never delivered" if missed else ""
    if last.outcome == "pending":
        return f"{page} is being answered"
    if last.outcome in ("refused", "broken"):
        how = f"refused with {last.status}" if last.outcome == "refused" else "broken off on the wire"
        return f"{page} was {how}; the client asked no more{left}"
    if not last.more:
        return f"{page} was the last{left}"
    if _circling(walk.visits):
        return f"{page} brought nothing new, time and again, and still led on; the client stopped{left}"
    empty = "was empty and " if not last.numbers else ""
    return f"{page} {empty}led to another page; the client stopped{left}"


def _circling(visits: Sequence[Visit]) -> bool:
    """Whether the last two whole answers brought the same rows."""
    whole = [visit for visit in visits if visit.outcome == "whole"]
    return len(whole) > 1 and len(whole[-1].numbers) > 0 and whole[-1].numbers == whole[-2].numbers


def _listed(name: str, keys: Iterable[str]) -> dict[str, Any]:
    keys = list(keys)
    return {name: keys} if len(keys) <= MAX_LISTED else {name: keys[:MAX_LISTED], f"{name}_count": len(keys)}


__all__ = ["NOWHERE", "Ledger", "as_json", "ledger", "waits_s", "wasted"]
