"""The call about a cassette: what of it has been played."""

from __future__ import annotations

from typing import Any

import flask

from localruns.engine.emulator import Emulator
from localruns.engine.recorded.store import RecordedStore
from localruns.errors import Problem
from localruns.reports import secrets
from localruns.surfaces.admin.asking import only, space_of


def add(admin: flask.Blueprint, emulator: Emulator) -> None:
    """The call of this module."""

    @admin.get("/recording")
    def recording() -> dict[str, Any]:
        only()
        space = space_of(emulator).pinned()
        if not isinstance(space.store, RecordedStore):
            held = f"{space.name!r} holds the scenario {space.scenario.name!r}, which is no recording"
            raise Problem(404, "not found", held)
        cassette = space.store.cassette
        unplayed = cassette.unplayed(space.plays)
        return {
            "namespace": space.name,
            "recording": cassette.head.name,
            "replay": cassette.head.replay,
            "match_on": list(cassette.head.match_on),
            "exchanges": len(cassette.exchanges),
            "played": len(cassette.exchanges) - len(unplayed),
            "unplayed": [{"exchange": at + 1, "request": secrets.target(cassette.line(at))} for at in unplayed],
        }
