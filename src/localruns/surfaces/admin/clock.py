"""The calls about a namespace's virtual time."""

from __future__ import annotations

from typing import Any

import flask

from localruns.clock import parse_time
from localruns.engine.emulator import Emulator
from localruns.engine.namespace import Namespace
from localruns.errors import Problem
from localruns.surfaces.admin.asking import content, only, space_of

SCHEMA = "admin/clock-change.json"
_DETAILS = {"freeze": "at", "advance": "seconds"}


def add(admin: flask.Blueprint, emulator: Emulator) -> None:
    """The calls of this module."""

    @admin.get("/clock")
    def clock() -> dict[str, Any]:
        only()
        return shown(space_of(emulator))

    @admin.put("/clock")
    def change_clock() -> dict[str, Any]:
        only()
        space = space_of(emulator)
        asked = content(SCHEMA)
        for action, detail in _DETAILS.items():
            if detail in asked and asked["action"] != action:
                words = f"found it beside action {asked['action']!r}, expected it with {action!r} only"
                raise Problem(400, "bad request", f"{detail}: {words}")
        act(space, asked)
        return shown(space)


def act(space: Namespace, asked: dict[str, Any]) -> None:
    """Change the clock as asked. Raises Problem 400; the clock is then as it was."""
    if asked["action"] == "reset":
        space.clock.reset()
    elif asked["action"] == "freeze":
        try:
            space.clock.freeze(parse_time(asked["at"]) if "at" in asked else None)
        except ValueError:
            words = "expected a time such as 2026-01-15T09:00:00Z"
            raise Problem(400, "bad request", f"at: found {asked['at'][:80]!r}, {words}") from None
    elif "seconds" in asked:
        space.clock.advance(asked["seconds"])
    else:
        raise Problem(400, "bad request", "seconds: found none, expected how far to advance")


def shown(space: Namespace) -> dict[str, Any]:
    """The virtual time of a namespace."""
    now = space.clock.now().isoformat().replace("+00:00", "Z")
    return {"namespace": space.name, "now": now, "frozen": space.clock.frozen}
