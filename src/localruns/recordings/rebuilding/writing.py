"""The text of a rebuilt scenario."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from localruns import yamlio
from localruns.errors import ConfigError
from localruns.recordings.rebuilding.changing import Change
from localruns.recordings.rebuilding.rowbook import Rowbook

_EDITORS = "# yaml-language-server: $schema=../../schemas/scenario.schema.json\n"
_LINE = re.compile(r"(?m)^(?=[^\n])")
_BATCH = 100
_MAX_NOTES = 60


@dataclass(frozen=True, slots=True)
class Page:
    """All that goes into the file. Shape: `head` its first keys, `parts` what stands above the rows of each vendor."""

    head: Mapping[str, Any]
    parts: Mapping[str, Mapping[str, Any]]
    books: Sequence[Rowbook]
    faults: Sequence[Mapping[str, Any]]


def text_of(page: Page) -> str:
    """The scenario's text without its heading. Raises ConfigError where it would be larger than a scenario may be."""
    pieces: list[str] = []
    size = 0
    for piece in _pieces(page):
        size += len(piece.encode())
        if size > yamlio.MAX_BYTES:
            words = f"found rows of over {yamlio.MAX_BYTES:,} bytes, more than a scenario may have"
            raise ConfigError(f"{page.head['scenario']}: {words}; use --as cassette, or import fewer exchanges")
        pieces.append(piece)
    return "".join(pieces)


def heading(notes: Sequence[str]) -> str:
    """The comments at the top of the file: what was not understood, for whoever reads it."""
    return "".join([_EDITORS, *_comments(notes)])


def _pieces(page: Page) -> Iterator[str]:
    yield yamlio.dump(dict(page.head))
    yield "vendors:\n"
    for book in page.books:
        yield f"  {book.vendor.id}:\n"
        yield _indented(dict(page.parts[book.vendor.id]), 4)
        yield from _runs(book)
    if page.faults:
        yield yamlio.dump({"faults": [dict(fault) for fault in page.faults]})
    events = [_event(book, page_number, changes) for book in page.books for page_number, changes in book.events]
    if events:
        yield yamlio.dump({"timeline": events})


def _comments(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield "# What was not taken over, or only in part:\n"
    for line in notes[:_MAX_NOTES]:
        yield f"#   {' '.join(line.split())}\n"
    if len(notes) > _MAX_NOTES:
        yield f"#   and {len(notes) - _MAX_NOTES} more lines\n"


def _runs(book: Rowbook) -> Iterator[str]:
    scoped = [scope for scope in book.scopes if scope and next(book.rows(scope), None) is not None]
    if not scoped and next(book.rows(""), None) is None:
        yield "    runs: []\n"
        return
    yield "    runs:\n"
    for scope in scoped:
        yield _indented([{"in": scope}], 4) + "      rows:\n"
        yield from _batches(book.rows(scope), 6)
    yield from _batches(book.rows(""), 4)


def _batches(rows: Iterable[Mapping[str, Any]], spaces: int) -> Iterator[str]:
    left = iter(rows)
    while batch := [dict(row) for row in islice(left, _BATCH)]:
        yield _indented(batch, spaces)


def _event(book: Rowbook, page: int, changes: Sequence[Change]) -> dict[str, Any]:
    event: dict[str, Any] = {"vendor": book.vendor.id, "after": {"page": page}}
    for change in changes:
        row = dict(change.row)
        if change.kind == "delete":
            event.setdefault("delete", []).append(change.key)
        elif change.kind == "change":
            event.setdefault("change", {})[change.key] = row
        elif change.scope:
            event.setdefault("insert", []).append({"in": change.scope, "rows": [row]})
        else:
            event.setdefault("insert", []).append(row)
    return event


def _indented(value: Any, spaces: int) -> str:
    return _LINE.sub(" " * spaces, yamlio.dump(value))
