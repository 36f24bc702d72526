"""The generated pages of the documentation: `python -m tests.docs_tables` writes them, a test checks them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from localruns import schemas
from localruns.engine.message import ErrorRow
from localruns.engine.vendor import Vendor
from localruns.vendors import all_vendors
from tests.clients.provocations import PROVOCATIONS
from tests.docs_torture import torture_page

DOCS = Path(__file__).parent.parent / "docs"
MEASURED = Path(__file__).parent / "golden" / "sdk-errors.json"
_ERRORS_COLUMNS = (
    "status", "code", "comes when", "how to provoke it", "what the SDK raises", "what it retries", "neutral kind",
)  # fmt: skip
_ERRORS_INTRO = """
Every error of every vendor. Each can be asked for with the header `Prefer: code=STATUS; error=CODE` (for one
request), or with a fault in a scenario (`refuse: CODE`). Those marked *injected* come no other way: the platform
sends them for reasons that an emulator has not. The scenario `every-error` answers with each once, in this order.

*How to provoke it* is what differs from an ordinary request; the tests send just that. What the SDKs do is measured
against a server that answers every call with the error, with their default settings (only their sleeping is cut
short): the exception, what it shows beside status and code, and how many requests came in until it was raised (`no`:
one). *With a wait* means an answer that names one (`retry_after_s` of a fault). Oracle's circuit breaker, which all
clients of a process share, would open after ten such errors in a row; here each client had its own. Measured were:
"""
_NOTE = "<!-- Written by `python -m tests.docs_tables`; edit the code instead. -->"


def errors_page() -> str:
    """docs/errors.md."""
    found = json.loads(MEASURED.read_text("utf-8"))
    lines = ["# Errors", "", _NOTE, "", *_ERRORS_INTRO.strip().splitlines(), ""]
    lines += [f"* `{package}` {version}" for package, version in found["versions"].items()]
    for vendor in all_vendors().values():
        lines += ["", f"## {vendor.id}", "", f"| {' | '.join(_ERRORS_COLUMNS)} |", "|---" * len(_ERRORS_COLUMNS) + "|"]
        lines += _errors(vendor, found["errors"][vendor.id])
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        _NOTE,
        "",
        "Under `vendors.VENDOR.settings` of a scenario. "
        "Each is a rule that the vendor's pages leave open, or a switch.",
    ]
    for vendor in all_vendors():
        lines += ["", f"## {vendor}", "", "| setting | values | default | meaning |", "|---|---|---|---|"]
        settings = schemas.bundled(f"{vendor}/scenario.json")["properties"]["settings"]["properties"]
        lines += [
            f"| `{name}` | {_values(schema)} | `{_plain(schema['default'])}` | {schema['description']} |"
            for name, schema in settings.items()
        ]
    return "\n".join(lines) + "\n"


def _errors(vendor: Vendor, measured: Mapping[str, Any]) -> Iterator[str]:
    kinds = {code: kind for kind, code in vendor.errors.kinds.items()}
    hows = {each.code: each.how.replace("|", "\\|") for each in PROVOCATIONS if each.vendor == vendor.id}
    for row in vendor.errors.rows:
        when = "*injected*" + (f": {row.when}" if row.when else "") if row.injected else row.when
        how = hows.get(row.code, "a fault or `Prefer`")
        raised = _by_sdk({sdk: _raised(row, each) for sdk, each in measured[row.code].items()})
        retried = _by_sdk({sdk: _retried(each) for sdk, each in measured[row.code].items()})
        cells = (str(row.status), f"`{row.code}`", when, how, raised, retried, kinds.get(row.code, ""))
        yield f"| {' | '.join(cells)} |"


def _by_sdk(cells: Mapping[str, str]) -> str:
    """One text where all SDKs agree, else a line each."""
    if len(set(cells.values())) == 1:
        return next(iter(cells.values()))
    return "<br>".join(f"{sdk}: {cell}" for sdk, cell in cells.items())


def _raised(row: ErrorRow, found: Mapping[str, Any]) -> str:
    """The exception, and what it shows that the first two columns do not."""
    more = [
        f"{name} `{value}`"
        for name, value in found.items()
        if name not in ("raises", "requests", "with_wait") and value not in (row.status, row.code)
    ]
    text = f"`{found['raises']}`" + (f" ({', '.join(more)})" if more else "")
    waiting = found.get("with_wait", found)
    return text if waiting["raises"] == found["raises"] else f"{text}; with a wait `{waiting['raises']}`"


def _retried(found: Mapping[str, Any]) -> str:
    """`no`, or how many requests came in until the SDK gave up."""
    requests, waiting = (each["requests"] for each in (found, found.get("with_wait", found)))
    text = "no" if requests == 1 else f"{requests} requests"
    return text if waiting == requests else f"{text}; with a wait {waiting} requests"


def _values(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{_plain(value)}`" for value in schema["enum"])
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = "" if low is None else f", {low} or more" if high is None else f", {low} to {high:,}"
    return f"{schema['type']}{bounds}"


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


PAGES: dict[str, Callable[[], str]] = {
    "errors.md": errors_page,
    "settings.md": settings_page,
    "torture.md": lambda: torture_page(_NOTE),
}

if __name__ == "__main__":
    for _name, _page in PAGES.items():
        (DOCS / _name).write_text(_page(), "utf-8")
