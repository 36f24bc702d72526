"""The calls about walks: what each client's pass through the pages saw."""

from __future__ import annotations

from typing import Any

import flask

from localruns.engine.emulator import Emulator
from localruns.errors import Problem
from localruns.reports.walks import as_json
from localruns.surfaces.admin.asking import one_of, only, space_of, whole


def add(admin: flask.Blueprint, emulator: Emulator) -> None:
    """The calls of this module."""

    @admin.get("/walks")
    def walks() -> dict[str, Any]:
        only(("vendor",))
        space = space_of(emulator)
        vendor = one_of("vendor", emulator.all_vendors, "")
        found = [as_json(walk, space) for walk in space.walks if vendor in ("", walk.vendor)]
        return {"namespace": space.name, "walks": found}

    @admin.get("/walks/<number>")
    def walk(number: str) -> dict[str, Any]:
        only(("keys",))
        space = space_of(emulator)
        found = space.walks.get(whole("id", number))
        if found is None:
            raise Problem(404, "not found", f"{space.name!r} has no walk {number}")
        return as_json(found, space, all_keys=one_of("keys", ("all", "some"), "some") == "all")
