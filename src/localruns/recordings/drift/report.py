"""A drift report for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from localruns.recordings.drift.comparing import Compared, Finding, Report
from localruns.recordings.drift.kinds import CLASSES, KINDS
from localruns.recordings.junit import Case, junit

COLUMNS = ("class", "kind", "vendor", "place", "found", "expected", "count", "first")
NOTHING = "nothing was compared: no exchange of a list that localruns knows is in there"


def rows(report: Report) -> list[tuple[str, ...]]:
    """A line per finding under `COLUMNS`."""
    return [
        (each.classed, each.kind, each.vendor, each.place, each.found, each.expected, str(each.count), each.first)
        for each in report.findings
    ]


def summary(report: Report) -> Iterator[str]:
    """What was compared, and how much was found."""
    for each in report.compared:
        yield f"compared with {each.vendor}: {_words(each)}"
    counts = ", ".join(f"{len(report.of(classed))} {classed}" for classed in CLASSES)
    read = f"{report.read:,} exchange{'' if report.read == 1 else 's'} read"
    yield f"{read}: {counts}" if not report.nothing else NOTHING


def as_json(report: Report) -> dict[str, Any]:
    """As in `schemas/drift.json`."""
    return {
        "report": "drift",
        "good": report.good,
        "read": report.read,
        "compared": [asdict(each) for each in report.compared],
        "counts": {classed: len(report.of(classed)) for classed in CLASSES},
        "findings": [_named(each) for each in report.findings],
        "notes": list(report.notes),
    }


def as_junit(report: Report) -> str:
    """A check for each kind of drift and vendor; breaking findings fail it, others stand in its output."""
    return junit("localruns drift", _cases(report))


def _cases(report: Report) -> Iterator[Case]:
    if report.nothing:
        yield Case("drift", "something was compared", NOTHING)
    for compared in report.compared:
        for kind in KINDS.values():
            found = [each for each in report.findings if (each.vendor, each.kind) == (compared.vendor, kind.name)]
            lines = "\n".join(map(_line, found))
            if found and kind.classed == "breaking":
                yield Case(compared.vendor, kind.name, f"{len(found)} breaking: {kind.what}", lines)
            else:
                yield Case(compared.vendor, kind.name, out=lines)


def _line(finding: Finding) -> str:
    what = f"{finding.place}: found {finding.found}, expected {finding.expected}"
    return f"{finding.classed}: {what} ({finding.count} times, first {finding.first})"


def _words(compared: Compared) -> str:
    counts = [(compared.lists, "list exchange"), (compared.rows, "row"), (compared.errors, "error")]
    counts += [(compared.others, "other exchange")] if compared.others else []
    return ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for count, name in counts)


def _named(finding: Finding) -> dict[str, Any]:
    found = asdict(finding)
    return {"class": found.pop("classed"), **found}
