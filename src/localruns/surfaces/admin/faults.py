"""The calls about faults: arm one while running, see how often each fired, take one away."""

from __future__ import annotations

from typing import Any

import flask

from localruns.engine.emulator import Emulator
from localruns.engine.faults import chaos
from localruns.engine.faults.armed import Fault, words
from localruns.engine.faults.rules import breaches
from localruns.engine.namespace import Namespace
from localruns.engine.recorded.store import RecordedStore
from localruns.errors import Problem
from localruns.surfaces.admin.asking import content, only, space_of, whole
from localruns.yamlio import key_path

SCHEMA = "admin/new-fault.json"


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
        space, asked = space_of(emulator), content(SCHEMA)
        if "profile" in asked:
            return drawn(space, asked, emulator), 201
        return shown(armed(space, asked, emulator)), 201

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
    if "page_fault" in spec and isinstance(space.store, RecordedStore):
        found.append(
            f"page_fault: found {spec['page_fault']!r}, expected refuse or wire: pages of a recording stay as recorded"
        )
    if found:
        raise Problem(400, "bad request", "\n".join(found))
    return space.arm(spec)


def drawn(space: Namespace, asked: dict[str, Any], emulator: Emulator) -> dict[str, Any]:
    """The faults of a chaos profile, armed for the calls that come from now on. Raises Problem 400."""
    held = [emulator.all_vendors[name] for name in space.states]
    for index, name in enumerate(asked.get("vendors", ())):
        if name not in space.states:
            listed = ", ".join(space.states)
            found = f"vendors[{index}]: found {name!r}, which has no data here"
            raise Problem(400, "bad request", f"{found}, expected one of: {listed}")
    struck = [vendor for vendor in held if vendor.id in asked.get("vendors", space.states)]
    made = {name: state.calls for name, state in space.states.items()}
    specs = chaos.expand(asked, struck, space.scenario.seed, made)
    recorded = isinstance(space.store, RecordedStore)  # whose pages stay as they are
    faults = [space.arm(spec) for spec in specs if not (recorded and "page_fault" in spec)]
    return {**chaos.stated(asked, space.scenario.seed), "faults": [shown(fault) for fault in faults]}


def shown(fault: Fault) -> dict[str, Any]:
    """A fault, how often it fired, and whether it is used up."""
    return {
        "id": fault.id,
        "fault": dict(fault.spec),
        "words": words(fault.spec),
        "fired": fault.fired,
        "used_up": fault.used_up,
    }
