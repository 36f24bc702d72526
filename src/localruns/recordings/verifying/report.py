"""The outcome of a verification for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from localruns.recordings.junit import Case, junit
from localruns.recordings.verifying.asking import Outcome, Verified

COLUMNS = ("exchange", "vendor", "request", "differs at", "ours", "recorded")
NOTHING = "nothing was replayed: no request that localruns can answer is in there"


def rows(verified: Verified) -> list[tuple[str, ...]]:
    """A line per difference under `COLUMNS`."""
    return [
        (outcome.place, outcome.vendor, outcome.request, each.pointer, each.ours, each.recorded)
        for outcome in verified.of("differs")
        for each in outcome.differences
    ]


def summary(verified: Verified) -> Iterator[str]:
    """Reasons of our own answers, what was not asked, and the counts."""
    for outcome in verified.of("differs"):
        if outcome.note:
            yield f"{outcome.place}: we answered so because {outcome.note}"
    skipped: dict[str, int] = {}
    for outcome in verified.of("skipped"):
        skipped[outcome.note] = skipped.get(outcome.note, 0) + 1
    for note, count in skipped.items():
        yield f"not replayed: {count} ({note})"
    if verified.nothing:
        yield NOTHING
    else:
        same, differ = len(verified.of("same")), len(verified.of("differs"))
        asked = f"{same + differ:,} request{'' if same + differ == 1 else 's'} replayed"
        yield f"{asked}: {same:,} answered the same, {differ:,} differently"


def as_json(verified: Verified) -> dict[str, Any]:
    """As in `schemas/verify.json`."""
    results = ("same", "differs", "skipped")
    return {
        "report": "verify",
        "good": verified.good,
        "counts": {result: sum(each.result == result for each in verified.outcomes) for result in results},
        "exchanges": [asdict(outcome) for outcome in verified.outcomes],
        "notes": list(verified.notes),
    }


def as_junit(verified: Verified) -> str:
    """A check for each exchange."""
    return junit("localruns verify", _cases(verified))


def _cases(verified: Verified) -> Iterator[Case]:
    if verified.nothing:
        yield Case("verify", "something was replayed", NOTHING)
    for outcome in verified.outcomes:
        name = f"{outcome.place}: {outcome.request}"
        if outcome.result == "skipped":
            yield Case(outcome.vendor, name, skipped=outcome.note)
        elif outcome.result == "differs":
            count = len(outcome.differences)
            words = f"{count} difference{'' if count == 1 else 's'}"
            yield Case(outcome.vendor, name, words, _lines(outcome))
        else:
            yield Case(outcome.vendor, name)


def _lines(outcome: Outcome) -> str:
    lines = [f"{each.pointer}: ours {each.ours}, recorded {each.recorded}" for each in outcome.differences]
    return "\n".join([*lines, f"we answered so because {outcome.note}"] if outcome.note else lines)
