"""The calls about faults: arm one while running, see how often each fired, take one away."""

from __future__ import annotations

from typing import Any

import flask

from localruns.engine.emulator import Emulator
from localruns.engine.fault_rules import breaches
from localruns.engine.faults import Fault, words
from localruns.engine.namespace import Namespace
from localruns.errors import Problem
from localruns.surfaces.admin.asking import content, only, space_of, whole
from localruns.yamlio import key_path

SCHEMA = "scenario.schema.json#/properties/faults/items"


def add(admin: flask.Blueprint, emulator: Emulator) -> None:
    """The calls of this module."""

    @admin.get("/faults")
    def faults() -> dict[str, Any]:
        only()
        space = space_of(emulator)
        return {"namespace": space.name, "faults": [shown(fault) for fault in space.faults]}

    @admin.post("/faults")
    def arm() -> tuple[dict[str, Any], int]:
        only()
        space = space_of(emulator)
        return shown(armed(space, content(SCHEMA), emulator)), 201

    @admin.delete("/faults/<number>")
    def disarm(number: str) -> dict[str, Any]:
        only()
        space = space_of(emulator)
        found = [fault for fault in space.faults if fault.id == whole("id", number)]
        if not found:
            listed = ", ".join(str(fault.id) for fault in space.faults) or "none"
            raise Problem(404, "not found", f"{space.name!r} has no fault {number}, it has: {listed}")
        space.faults.remove(found[0])
        return shown(found[0])


def armed(space: Namespace, spec: dict[str, Any], emulator: Emulator) -> Fault:
    """A fault that is armed from now on. Raises Problem 400 with a line per breach; nothing is armed then."""
    found = [f"{key_path(path) if path else 'the fault'}: {text}" for path, text in breaches(
        spec, emulator.all_vendors, list(space.states)
    )]  # fmt: skip
    if found:
        raise Problem(400, "bad request", "\n".join(found))
    return space.arm(spec)


def shown(fault: Fault) -> dict[str, Any]:
    """A fault, how often it fired, and whether it is used up."""
    return {
        "id": fault.id,
        "fault": dict(fault.spec),
        "words": words(fault.spec),
        "fired": fault.fired,
        "used_up": fault.used_up,
    }
