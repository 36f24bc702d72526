"""What a test's marks say: `@pytest.mark.localruns(scenario, vendors=...)`, `localruns(cassette=...)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localruns.testing.sources import Wanted
from localruns.vendors import IDS

FORM = "localruns(scenario, *, vendors, cassette, upstream, vendor)"
KEYS = ("scenario", "vendors", "cassette", "upstream", "vendor")
_KINDS: Mapping[str, tuple[type, ...]] = {
    "cassette": (str, Path),
    "upstream": (str,),
    "vendor": (str,),
    "vendors": (str, list, tuple, set, frozenset),
}
_EXPECTED = {"cassette": "a name or a path", "vendors": "'all' or a list of names"}
_EITHER = {"scenario": "cassette", "cassette": "scenario"}


@dataclass(frozen=True, slots=True)
class Marked:
    """What a test begins with.

    Shape: either `scenario` or `cassette`; `upstream` is the platform to record, `vendor` whose it is; `problem` says
    in words what of the marks cannot be used, "" if all can.
    """

    scenario: Wanted = ""
    vendors: Sequence[str] = ()
    cassette: str | Path = ""
    upstream: str = ""
    vendor: str = ""
    problem: str = ""


def read(node: Any) -> Marked:
    """The marks of a pytest node, the closest one first."""
    said: dict[str, Any] = {}
    for mark in node.iter_markers("localruns"):
        given = {**dict(zip(KEYS[:1], mark.args, strict=False)), **mark.kwargs}
        unknown = [repr(each) for each in mark.args[1:]] + [name for name in given if name not in KEYS]
        if unknown:
            return Marked(problem=f"mark localruns: found {unknown[0]}, expected {FORM}")
        if len(both := given.keys() & _EITHER.keys()) == 2:
            return Marked(problem=f"mark localruns: found {' and '.join(sorted(both))}, expected one of them")
        # What a closer mark says a test begins with, one farther away cannot say otherwise.
        said = {**{name: value for name, value in given.items() if _EITHER.get(name) not in said}, **said}
    return _checked(said, said.get("vendors", ()))


def _checked(said: Mapping[str, Any], wanted: Any) -> Marked:
    for name, kind in _KINDS.items():
        if name in said and not isinstance(said[name], kind):
            return Marked(problem=f"mark localruns: {name} is {said[name]!r}, expected {_EXPECTED.get(name, 'a text')}")
    named = list(IDS) if wanted == "all" else [wanted] if isinstance(wanted, str) else list(wanted)
    vendor = said.get("vendor", "")
    unknown = [name for name in [*named, *([vendor] if vendor else [])] if name not in IDS]
    if unknown:
        words = f"found the vendor {unknown[0]!r}, expected 'all' or of: {', '.join(IDS)}"
        return Marked(problem=f"mark localruns: {words}")
    return Marked(said.get("scenario", ""), named, said.get("cassette", ""), said.get("upstream", ""), vendor)
