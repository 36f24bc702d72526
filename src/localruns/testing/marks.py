"""What a test's marks say: `@pytest.mark.localruns(scenario, vendors=...)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from localruns.testing.sources import Wanted
from localruns.vendors import IDS

FORM = "localruns(scenario, *, vendors)"
KEYS = ("scenario", "vendors")


@dataclass(frozen=True, slots=True)
class Marked:
    """What a test begins with. Shape: `problem` says in words what of the marks cannot be used, "" if all can."""

    scenario: Wanted = ""
    vendors: Sequence[str] = ()
    problem: str = ""


def read(node: Any) -> Marked:
    """The marks of a pytest node, the closest one first."""
    said: dict[str, Any] = {}
    for mark in node.iter_markers("localruns"):
        given = {**dict(zip(KEYS[:1], mark.args, strict=False)), **mark.kwargs}
        unknown = [repr(each) for each in mark.args[1:]] + [name for name in given if name not in KEYS]
        if unknown:
            return Marked(problem=f"mark localruns: found {unknown[0]}, expected {FORM}")
        said = {**given, **said}
    return _checked(said.get("scenario", ""), said.get("vendors", ()))


def _checked(scenario: Wanted, wanted: str | Sequence[str]) -> Marked:
    named = list(IDS) if wanted == "all" else [wanted] if isinstance(wanted, str) else list(wanted)
    unknown = [name for name in named if name not in IDS]
    if unknown:
        words = f"found the vendor {unknown[0]!r}, expected 'all' or of: {', '.join(IDS)}"
        return Marked(problem=f"mark localruns: {words}")
    return Marked(scenario, named)
