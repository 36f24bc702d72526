"""The generated pages of the documentation: `python -m tests.docs_tables` writes them, a test holds them against the code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from localruns import schemas
from localruns.engine.vendor import Vendor
from localruns.vendors import all_vendors

DOCS = Path(__file__).parent.parent / "docs"
_NOTE = "<!-- Written by `python -m tests.docs_tables`; edit the code instead. -->"


def errors_page() -> str:
    """docs/errors.md."""
    lines = [
        "# Errors",
        "",
        _NOTE,
        "",
        "Every error of every vendor. Each can be asked for with the header `Prefer: code=STATUS; error=CODE` (for one",
        "request), or with a fault in a scenario (`refuse: CODE`). Those marked *injected* come no other way: the platform",
        "sends them for reasons that an emulator has not. The scenario `every-error` answers with each once, in this order.",
    ]
    for vendor in all_vendors().values():
        lines += ["", f"## {vendor.id}", "", "| status | code | comes when | neutral kind |", "|---|---|---|---|"]
        lines += _errors(vendor)
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        _NOTE,
        "",
        "Under `vendors.VENDOR.settings` of a scenario. Each is a rule that the vendor's pages leave open, or a switch.",
    ]
    for vendor in all_vendors():
        lines += ["", f"## {vendor}", "", "| setting | values | default | meaning |", "|---|---|---|---|"]
        settings = schemas.bundled(f"{vendor}/scenario.json")["properties"]["settings"]["properties"]
        lines += [
            f"| `{name}` | {_values(schema)} | `{_plain(schema['default'])}` | {schema['description']} |"
            for name, schema in settings.items()
        ]
    return "\n".join(lines) + "\n"


def _errors(vendor: Vendor) -> Iterator[str]:
    kinds = {code: kind for kind, code in vendor.errors.kinds.items()}
    for row in vendor.errors.rows:
        when = "*injected*" + (f": {row.when}" if row.when else "") if row.injected else row.when
        yield f"| {row.status} | `{row.code}` | {when} | {kinds.get(row.code, '')} |"


def _values(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{_plain(value)}`" for value in schema["enum"])
    low = schema.get("minimum")
    return f"{schema['type']}" + (f", {low} or more" if low is not None else "")


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


PAGES: dict[str, Callable[[], str]] = {"errors.md": errors_page, "settings.md": settings_page}

if __name__ == "__main__":
    for _name, _page in PAGES.items():
        (DOCS / _name).write_text(_page(), "utf-8")
