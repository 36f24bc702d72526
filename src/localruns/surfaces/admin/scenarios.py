"""The calls about scenarios: what there is, which one a namespace holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask

from localruns.engine.emulator import Emulator
from localruns.engine.namespace import Namespace
from localruns.engine.store import Store
from localruns.errors import ConfigError, Problem
from localruns.surfaces.admin.asking import content, only, space_of

SCHEMA = "admin/scenario-choice.json"


def add(admin: flask.Blueprint, emulator: Emulator) -> None:
    """The calls of this module."""

    @admin.get("/scenarios")
    def scenarios() -> dict[str, Any]:
        only()
        return {"scenarios": list(emulator.library.describe(emulator.all_vendors.values()))}

    @admin.put("/scenario")
    def load() -> dict[str, Any]:
        only()
        space = space_of(emulator)
        space.load(chosen(emulator, content(SCHEMA)))
        return shown(space)

    @admin.post("/reset")
    def reset() -> dict[str, Any]:
        only()
        space = space_of(emulator)
        space.reset()
        return shown(space)


def chosen(emulator: Emulator, choice: str | Mapping[str, str]) -> Store:
    """The scenario that a call names, or gives the text of.

    Raises ConfigError for a name that is unknown, Problem 422 for a scenario that has problems: a line for each.
    """
    choice = {"name": choice} if isinstance(choice, str) else choice
    if "name" in choice:
        if "text" in choice:
            raise Problem(400, "bad request", "name: found it beside text, expected one of them")
        emulator.library.find(choice["name"])
    elif "text" not in choice:
        raise Problem(400, "bad request", "name: found neither it nor text, expected one of them")
    try:
        if "name" in choice:
            return emulator.shelf.named(choice["name"])
        return emulator.shelf.written(choice["text"], choice.get("label", "text"))
    except ConfigError as error:
        raise Problem(422, "scenario with problems", str(error)) from None


def shown(space: Namespace) -> dict[str, Any]:
    """What a namespace holds now."""
    return {"namespace": space.name, "scenario": space.scenario.name}
