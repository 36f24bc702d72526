"""Results as JUnit XML, as continuous integration shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """One check. Shape: `failure` is its first line and `detail` the rest, "" for a check that holds."""

    suite: str
    name: str
    failure: str = ""
    detail: str = ""
    skipped: str = ""
    out: str = ""


def junit(name: str, cases: Iterable[Case]) -> str:
    """A report of all checks, a suite each for those of one name."""
    suites: dict[str, list[Case]] = {}
    for case in cases:
        suites.setdefault(case.suite, []).append(case)
    every = [case for held in suites.values() for case in held]
    root = ElementTree.Element("testsuites", {"name": name, **_counts(every)})
    for title, held in suites.items():
        # The root has no such count in the format's schema.
        skipped = {"skipped": str(sum(bool(case.skipped) for case in held))}
        suite = ElementTree.SubElement(root, "testsuite", {"name": _clean(title), **_counts(held), **skipped})
        for case in held:
            _add(suite, f"{name}.{_clean(title)}", case)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _counts(cases: list[Case]) -> dict[str, str]:
    failures = sum(bool(case.failure) for case in cases)
    return {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "time": "0"}


def _add(suite: ElementTree.Element, classname: str, case: Case) -> None:
    node = ElementTree.SubElement(suite, "testcase", classname=classname, name=_clean(case.name), time="0")
    if case.failure:
        ElementTree.SubElement(node, "failure", message=_clean(case.failure)).text = _clean(case.detail)
    elif case.skipped:
        ElementTree.SubElement(node, "skipped", message=_clean(case.skipped))
    if case.out:
        ElementTree.SubElement(node, "system-out").text = _clean(case.out)


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("?", text)
