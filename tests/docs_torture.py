"""docs/torture.md: the catalogue, what it did to the reference clients, and what it does to the real SDKs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.clients.stories import ENTRIES, Told
from tests.clients.torture import GOLDEN, SIZES, reason, scenario

SDKS = Path(__file__).parent / "golden" / "sdk-torture.json"
_STYLES = {
    ("alibaba-pai", "token"): "alibaba-pai, by token",
    ("alibaba-pai", "page"): "alibaba-pai, by page number",
    ("oracle-aidp", "token"): "oracle-aidp",
    ("naver-nsml", "page"): "naver-nsml",
    ("palantir-foundry", "token"): "palantir-foundry",
}
_INTRO = """
Ways in which a list of runs goes wrong page by page. Each is a scenario of its own, with 120 runs per vendor and pages
of 10 at most, for every vendor whose paging can express it:

```sh
localruns serve empty-page-with-token
```

Each can also be put into a scenario, `faults: [{when: {vendor: oracle-aidp}, page_fault: empty_page_with_token}]`. It
acts at page 3 of every walk, for ever, unless the table says otherwise; where it speaks of page 3 (or of the total on
page 1), `page` under `when:` puts it elsewhere. *Once per walk* means that the walk's second request for the page is
answered as usual. `insert_before_cursor` and `delete_at_cursor` are no page faults: their scenarios have a `timeline:`.

Every body still keeps the vendor's schema. What a client saw, missed and saw twice stands in the walk ledger,
`GET /__admin/walks`.

Where the words leave something open: an empty page of alibaba-pai carries the offset it was asked with, since its
tokens are offsets. A row that is listed twice does not raise the total. `token_expired` refuses the token that page 2
gave out, once; asked again, or in the walk that a client starts anew, it is good.
"""
_MATRIX = """
## The reference clients

For each way of paging, the suite has a [naive client](../tests/clients/naive.py), the loop that most people write, and
a [good one](../tests/clients/good.py). A cell is *naive / good*, as measured: *whole*, all rows that lived through the
walk, each once; *loops*, more than 200 requests; `-`, cannot be expressed. Both ask for pages of 10 ({sizes}). A
good client loses rows where it cannot know of them, or where it stops because pages bring nothing new and says so; the
ledger names them.
"""
_SDKS = """
## The real SDKs

Measured with the SDKs' default settings, in a process where sleeping costs no time. Each lists all runs with its own
iterator where it has one, else with the loop that its platform documents, and *survives* when it has all rows once;
*loops* is more than 60 requests. `mlflow.search_runs` asks for pages of a size of its own.
"""
_CANNOT = """
## What cannot be expressed, and why

`localruns validate` refuses an entry with these words where the vendor has no way of paging that can express it.
alibaba-pai pages in two ways; an entry that needs tokens acts on walks by token only.
"""


def torture_page(note: str) -> str:
    """docs/torture.md."""
    lines = ["# The torture catalogue", "", note, "", *_INTRO.strip().splitlines(), ""]
    lines += _table(("entry", "what happens", "a good client"), _overview())
    sizes = ", ".join(f"{size} at `{entry}`" for entry, size in SIZES.items())
    measured = json.loads(GOLDEN.read_text("utf-8"))
    lines += ["", *_MATRIX.format(sizes=sizes).strip().splitlines(), ""]
    lines += _table(("entry", *_STYLES.values()), _matrix(measured))
    lines += ["", *_sdks(json.loads(SDKS.read_text("utf-8")))]
    lines += ["", *_CANNOT.strip().splitlines(), ""]
    lines += _table(("entry", *_STYLES.values()), _reasons())
    lines += ["", "## The entries"]
    for name, told in ENTRIES.items():
        lines += ["", *_entry(name, told, measured[name])]
    return "\n".join(lines) + "\n"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _linked(name: str) -> str:
    return f"[`{name}`](#{name})"


def _overview() -> Iterator[Sequence[str]]:
    for name, told in ENTRIES.items():
        yield _linked(name), told.about, told.good


def _matrix(measured: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for name in ENTRIES:
        cells = [measured[name].get(vendor, {}).get(style) for vendor, style in _STYLES]
        yield _linked(name), *(f"{cell['naive']} / {cell['good']}" if cell else "-" for cell in cells)


def _sdks(measured: Mapping[str, Any]) -> Iterator[str]:
    yield from _SDKS.strip().splitlines()
    yield ""
    yield from (f"* `{package}` {version}" for package, version in measured["versions"].items())
    yield ""
    entries = measured["entries"]
    names = list(entries["auth_expiry_mid_walk"])  # the one that all of them meet
    yield from _table(("entry", *names), (_sdk_row(name, entries[name], names) for name in ENTRIES))


def _sdk_row(entry: str, cells: Mapping[str, Any], names: Sequence[str]) -> Sequence[str]:
    return _linked(entry), *(_sdk_cell(cells[name]) if name in cells else "-" for name in names)


def _sdk_cell(cell: Mapping[str, Any]) -> str:
    if cell["verdict"] == "whole":
        return "survives"
    return f"raises `{cell['raises']}`" if "raises" in cell else str(cell["verdict"])


def _reasons() -> Iterator[Sequence[str]]:
    for name in ENTRIES:
        cells = [reason(name, vendor, style) for vendor, style in _STYLES]
        if any(cells):
            yield _linked(name), *(cell or "yes" for cell in cells)


def _entry(name: str, told: Told, measured: Mapping[str, Any]) -> Iterator[str]:
    label, address = told.link
    yield f"### {name}"
    yield ""
    yield f"* What happens: {told.about}."
    yield f'* Story: "{told.story}"' + (f" ({told.note})" if told.note else "") + f", [{label}]({address})."
    yield f"* A naive client {told.naive}."
    yield f"* A good client: {told.good}."
    yield f"* Scenario: [`{scenario(name)}`](../fixtures/torture/{scenario(name)}.yaml)."
    yield ""
    yield from _table(("paging", "naive", "good"), _verdicts(name, measured))


def _verdicts(name: str, measured: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for (vendor, style), words in _STYLES.items():
        cell = measured.get(vendor, {}).get(style)
        yield (words, cell["naive"], cell["good"]) if cell else (words, f"- ({reason(name, vendor, style)})", "-")
