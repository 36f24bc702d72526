"""The calls about what came in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import flask

from localruns.engine.emulator import Emulator
from localruns.engine.journal import Entry
from localruns.engine.namespace import Namespace
from localruns.errors import Problem
from localruns.reports import curls, har
from localruns.reports.words import as_json
from localruns.surfaces.admin.asking import argument, one_of, only, space_of, whole
from localruns.surfaces.hints import server_url

MAX_LIMIT = 10_000
FORMATS = ("json", "har", "curl")
_FILTERS = ("vendor", "status", "walk", "since")


@dataclass(frozen=True, slots=True)
class Found:
    """What the filters of a call let through.

    Shape: `total` counts entries that gave way too where `exact`; `complete`: none of those is missing in `entries`.
    """

    space: Namespace
    entries: list[Entry]
    total: int
    exact: bool
    complete: bool

    @property
    def evicted(self) -> int:
        """How many entries of the journal gave way, whatever the filters."""
        return self.space.journal.evicted


def add(admin: flask.Blueprint, emulator: Emulator) -> None:
    """The calls of this module."""

    @admin.get("/requests")
    def requests() -> flask.Response | dict[str, Any]:
        only((*_FILTERS, "limit", "format"))
        return _written(_newest(_found(emulator)), one_of("format", FORMATS, "json"))

    @admin.get("/requests/unmatched")
    def unmatched() -> flask.Response | dict[str, Any]:
        only((*_FILTERS, "limit", "format"))
        return _written(_newest(_found(emulator, met=False)), one_of("format", FORMATS, "json"))

    @admin.get("/requests/count")
    def count() -> dict[str, Any]:
        only(_FILTERS)
        found = _found(emulator)
        return {
            "namespace": found.space.name,
            "count": found.total,
            "evicted": found.evicted,
            "complete": found.exact,
        }

    @admin.get("/requests/<number>")
    def request(number: str) -> dict[str, Any]:
        only()
        space = space_of(emulator)
        entry = space.journal.get(asked := whole("id", number))
        if entry is None:
            gone = f": it gave way to newer ones, as did all up to {space.journal.evicted}"
            more = gone if 0 < asked <= space.journal.evicted else ""
            raise Problem(404, "not found", f"the journal of {space.name!r} holds no request {number}{more}")
        return as_json(entry)

    @admin.delete("/requests")
    def forget() -> dict[str, Any]:
        only()
        space = space_of(emulator)
        gone = space.journal.count
        space.journal.clear()
        return {"namespace": space.name, "forgotten": gone}


def _found(emulator: Emulator, met: bool | None = None) -> Found:
    """The entries that the filters let through. Raises Problem 400 for a filter that cannot be used."""
    space = space_of(emulator)
    vendor = one_of("vendor", emulator.all_vendors, "")
    since, status, walk = argument("since", 0), argument("status", 0), argument("walk", 0)
    journal = space.journal
    entries = [
        entry
        for entry in journal
        if vendor in ("", entry.vendor)
        and entry.id > since
        and (not status or (entry.reply is not None and entry.reply.status == status))
        and walk in (0, entry.walk_id)
        and met in (None, bool(entry.endpoint))
    ]
    if since >= journal.evicted:
        return Found(space, entries, len(entries), exact=True, complete=True)
    if since or walk:
        return Found(space, entries, len(entries), exact=False, complete=False)
    total = journal.total(vendor, status, met)
    return Found(space, entries, total, exact=True, complete=total <= len(entries))


def _newest(found: Found) -> Found:
    """The latest of what was found, as many as the call wants."""
    limit = min(argument("limit", MAX_LIMIT), MAX_LIMIT)
    shown = found.entries[-limit:] if limit else []
    return replace(found, entries=shown, complete=found.complete or len(shown) == limit)


def _written(found: Found, form: str) -> flask.Response | dict[str, Any]:
    """The entries in a format, oldest first."""
    gone = 0 if found.complete else found.evicted
    if form == "har":
        return har.archive(found.entries, server_url(), gone)
    if form == "curl":
        text = "".join(f"{line}\n" for line in curls.lines(found.entries, server_url(), gone))
        return flask.Response(text, content_type="text/plain; charset=utf-8")
    return {
        "namespace": found.space.name,
        "count": found.space.journal.count,
        "evicted": found.evicted,
        "defects": found.space.journal.defects,
        "complete": found.complete,
        "requests": [as_json(entry) for entry in found.entries],
    }
