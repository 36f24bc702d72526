"""The calls about what came in."""

from __future__ import annotations

from typing import Any

import flask

from localruns.engine.emulator import Emulator
from localruns.engine.journal import Entry
from localruns.engine.namespace import Namespace
from localruns.errors import Problem
from localruns.reports.words import as_json
from localruns.surfaces.admin.asking import argument, one_of, only, space_of, whole

MAX_LIMIT = 10_000
_FILTERS = ("vendor", "status", "since")


def add(admin: flask.Blueprint, emulator: Emulator) -> None:
    """The calls of this module."""

    @admin.get("/requests")
    def requests() -> dict[str, Any]:
        space = space_of(emulator)
        return _listed(space, _chosen(emulator, space, "limit"))

    @admin.get("/requests/unmatched")
    def unmatched() -> dict[str, Any]:
        space = space_of(emulator)
        return _listed(space, [entry for entry in _chosen(emulator, space, "limit") if not entry.endpoint])

    @admin.get("/requests/count")
    def count() -> dict[str, Any]:
        space = space_of(emulator)
        return {"namespace": space.name, "count": len(_chosen(emulator, space))}

    @admin.get("/requests/<number>")
    def request(number: str) -> dict[str, Any]:
        space = space_of(emulator)
        entry = space.journal.get(whole("id", number))
        if entry is None:
            raise Problem(404, "not found", f"the journal of {space.name!r} holds no request {number}")
        return as_json(entry)

    @admin.delete("/requests")
    def forget() -> dict[str, Any]:
        space = space_of(emulator)
        gone = space.journal.count
        space.journal.clear()
        return {"namespace": space.name, "forgotten": gone}


def _listed(space: Namespace, entries: list[Entry]) -> dict[str, Any]:
    """The latest of these entries, oldest first; `evicted` counts those that gave way, `defects` our own breaches."""
    limit = argument("limit", MAX_LIMIT)
    shown = entries[-min(limit, MAX_LIMIT) :] if limit else []
    return {
        "namespace": space.name,
        "count": space.journal.count,
        "evicted": space.journal.evicted,
        "defects": space.journal.defects,
        "requests": [as_json(entry) for entry in shown],
    }


def _chosen(emulator: Emulator, space: Namespace, *more: str) -> list[Entry]:
    """The entries that the filters let through. Raises Problem 400 for a filter that cannot be used."""
    only((*_FILTERS, *more))
    vendor = one_of("vendor", emulator.all_vendors, "")
    since, status = argument("since", 0), argument("status", 0)
    return [
        entry
        for entry in space.journal
        if vendor in ("", entry.vendor)
        and entry.id > since
        and (not status or (entry.reply is not None and entry.reply.status == status))
    ]
