"""Faults that make the same walk meet the same errors, and the same delays where they are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Any

from localruns.engine.message import Request
from localruns.engine.vendor import Vendor
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.rebuilding.seen import Seen, Spool
from localruns.recordings.rebuilding.trial import Trial, first_page

MAX_DELAYED_PAGES = 50
_MIN_DELAY_MS = 1.0

Fault = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Met:
    """One call in the view of faults. Shape: `call` its number as faults count it; `error` what a fault must bring."""

    seen: Seen
    call: int
    error: Mapping[str, Any]


def faults(vendor: Vendor, calls: Sequence[Seen], spool: Spool, trial: Trial, left: Leftovers) -> Iterator[Fault]:
    """The faults of one vendor, in the order in which they were met."""
    if all(seen.good or (seen.status < 400 and not seen.failed) for seen in calls):
        return
    met = list(_met(vendor, calls, spool, trial, left))
    operations = {each.seen.endpoint.name for each in met}
    when = {"vendor": vendor.id, **({"operation": vendor.traffic.endpoint} if len(operations) > 1 else {})}
    leading = _leading(met)
    for (page, error), some in groupby(_errors(met, leading), key=lambda each: (_page(each, leading), each.error)):
        run = list(some)
        if page:
            yield {"when": {**when, "page": page}, "times": len(run), **error}
            continue
        for first, last in _runs([each.call for each in run]):
            if first == last:
                yield {"when": {"vendor": vendor.id, "call": first}, **error}
            else:
                yield {"when": {"vendor": vendor.id, "calls": [first, last]}, "times": last - first + 1, **error}


def _met(vendor: Vendor, calls: Sequence[Seen], spool: Spool, trial: Trial, left: Leftovers) -> Iterator[Met]:
    """The calls that faults count, with the errors that do not come about by themselves."""
    count = 0
    for seen in calls:
        request = first_page(*spool.request(seen.number), vendor.traffic)
        error: Mapping[str, Any] = {}
        if not seen.good and (seen.status >= 400 or seen.failed):
            if _natural(vendor, seen, request, trial):
                left.remark(f"{vendor.id}: {seen.status} {seen.code} comes about by itself when it is asked for again")
            elif seen.endpoint.name != vendor.traffic.endpoint and not trial.counts(vendor, request):
                left.add(
                    f"errors of {seen.endpoint.name}, to which no fault can be bound", f"{seen.status} {seen.code}"
                )
                continue
            else:
                error = _error(vendor, seen, request, trial, left)
        if error or trial.counts(vendor, request):
            count += 1
            yield Met(seen, count, error)


def _natural(vendor: Vendor, seen: Seen, request: Request, trial: Trial) -> bool:
    """Whether we refuse that request by ourselves in the same way."""
    if seen.failed:
        return False
    wanted = (seen.status, seen.code)
    foreign = seen.asked.token is not None and not seen.page  # a token that nobody gave out
    if foreign and wanted == trial.codes(vendor, request)[vendor.errors.page_token][:2]:
        return True
    return any(trial.refusal(vendor, request, auth) == wanted for auth in ("off", "present"))


def _error(vendor: Vendor, seen: Seen, request: Request, trial: Trial, left: Leftovers) -> Mapping[str, Any]:
    """What of a fault says which error it brings."""
    if seen.failed:
        return {"wire": {"empty_reply": True}}
    known = trial.codes(vendor, request)
    code = _code(vendor, seen, known, left)
    waits = known[code][2]
    if seen.wait_s is not None:
        return {"refuse": code, "retry_after_s": seen.wait_s}
    return {"refuse": code, **({"retry_after_s": 0} if waits else {})}


def _code(vendor: Vendor, seen: Seen, known: Mapping[str, tuple[int, str, bool]], left: Leftovers) -> str:
    """The code of our error table that comes closest to the recorded error."""
    exact = [code for code, (status, wire, _) in known.items() if (status, wire) == (seen.status, seen.code)]
    if exact:
        # Two rows that look the same differ in whether a client may ask again.
        return next((code for code in exact if code.endswith(":DoNotRetry") == seen.final), exact[0])
    said = f"{seen.status} {seen.code}".strip()
    same = [code for code, (_, wire, _) in known.items() if seen.code and wire == seen.code]
    if same:
        left.remark(f"{vendor.id}: {said} is answered with the status {known[same[0]][0]}, which that code has here")
        return same[0]
    row = vendor.errors.of_status(seen.status)
    kind = "unavailable" if seen.status in (502, 503, 504) else "server_error" if seen.status >= 500 else "bad_request"
    code = row.code if row else vendor.errors.kinds[kind]
    left.remark(f"{vendor.id}: {said} is no error that localruns knows; {known[code][0]} {code} stands for it")
    return code


def _leading(met: Sequence[Met]) -> dict[int, int]:
    """Per page how many errors came before the first answer to it: those need no number of a call."""
    leading: dict[int, int] = {}
    over: set[int] = set()
    for each in met:
        page = each.seen.page
        if not each.seen.listing or not page:
            continue
        if each.error and page not in over:
            leading[each.call] = page
        else:
            over.add(page)
    return leading


def _errors(met: Sequence[Met], leading: Mapping[int, int]) -> list[Met]:
    """The errors, those of one page together."""
    errors = [each for each in met if each.error]
    first: dict[int, int] = {}
    for each in errors:
        first.setdefault(_page(each, leading) or -each.call, each.call)
    return sorted(errors, key=lambda each: (first[_page(each, leading) or -each.call], each.call))


def _page(met: Met, leading: Mapping[int, int]) -> int:
    return leading.get(met.call, 0)


def _runs(calls: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of each run of numbers that follow each other."""
    for _, some in groupby(enumerate(calls), key=lambda pair: pair[1] - pair[0]):
        run = [call for _, call in some]
        yield run[0], run[-1]


def delays(vendor: Vendor, calls: Sequence[Seen]) -> Iterator[Fault]:
    """What pages took, as latencies: a fault per page, or one for all where there are many. Units: milliseconds."""
    took: dict[int, list[float]] = {}
    for seen in calls:
        if seen.good and seen.page and seen.took_ms >= _MIN_DELAY_MS:
            took.setdefault(seen.page, []).append(seen.took_ms)
    when = {"vendor": vendor.id, "operation": vendor.traffic.endpoint}
    if len(took) > MAX_DELAYED_PAGES:
        times = sorted(time for some in took.values() for time in some)
        low, high = times[len(times) // 20], times[-1 - len(times) // 20]
        yield {"when": when, "wire": {"latency_ms": {"uniform": [round(low), round(high)]}}}
        return
    for page, times in sorted(took.items()):
        yield {"when": {**when, "page": page}, "wire": {"latency_ms": round(median(times))}}


def page_faults(vendor: Vendor, calls: Sequence[Seen]) -> Iterator[Fault]:
    """Forms of lists that stand in the torture catalogue: how the last page ends."""
    pages = [seen for seen in calls if seen.good]
    ends = [seen for seen in pages if not seen.more and not seen.by_number]
    if (
        "text" in vendor.paging
        and ends
        and all(seen.blank_token for seen in ends)
        and _can(vendor, "empty_string_token")
    ):
        yield {"when": {"vendor": vendor.id}, "page_fault": "empty_string_token"}
    empty = [seen for seen in ends if seen.rows == 0 and seen.page > 1]
    if empty and len(empty) == len(ends) and _can(vendor, "exact_boundary_token"):
        yield {"when": {"vendor": vendor.id}, "page_fault": "exact_boundary_token"}


def _can(vendor: Vendor, name: str) -> bool:
    return name not in vendor.cannot
