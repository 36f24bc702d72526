"""Journal entries read by a person: a line each, and how long a client waited."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def lines(entries: Iterable[Entry]) -> Iterator[str]:
    """`#3 alibaba-pai  page 1 of runs, 10 a page  ->  429 Throttling.User  because ...` of each entry."""
    for entry in entries:
        reason = f"  because {entry['why']}" if entry["why"] else ""
        text = f"#{entry['id']} {entry['vendor'] or '-'}  {entry['asked']}  ->  {entry['answered']}{reason}"
        # What a client sends must not steer a terminal.
        yield _UNPRINTABLE.sub(lambda found: repr(found[0])[1:-1], text)


def waits(entries: Sequence[Entry], slept: Sequence[tuple[float, float]] = ()) -> list[float]:
    """How long a client waited after each refused answer before it tried again.

    Shape: `slept` are absorbed sleeps as (when, how long). Units: seconds; wall time and what was slept in between.
    """
    found = []
    for at, refused in enumerate(entries):
        if _is_refused(refused):
            again = next((later for later in entries[at + 1 :] if _tries_again(refused, later)), None)
            if again is not None:
                begin, end = refused["answered_s"], again["asked_s"]
                found.append(round(end - begin + sum(length for when, length in slept if begin <= when <= end), 3))
    return found


def _is_refused(entry: Entry) -> bool:
    return (entry["status"] or 0) >= 400 and not entry["defect"] and entry["answered_s"] is not None


def _tries_again(refused: Entry, later: Entry) -> bool:
    """Whether a request asks once more what was refused: the same endpoint and query.

    A request that was refused unread has no query; then it is the same credential, as far as it is known. After a 401
    it may be another.
    """
    if any(refused[name] != later[name] for name in ("vendor", "endpoint")):
        return False
    if refused["query"] and later["query"]:
        return bool(refused["query"] == later["query"])
    known = refused["credential"] and later["credential"] and refused["status"] != 401
    return not known or refused["credential"] == later["credential"]
