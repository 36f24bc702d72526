"""The calls about namespaces: make, list, show, delete."""

from __future__ import annotations

from typing import Any

import flask

from localruns.engine.emulator import Emulator
from localruns.engine.namespace import Namespace
from localruns.engine.terms import Terms
from localruns.errors import Problem
from localruns.surfaces.admin.asking import content, only
from localruns.surfaces.admin.scenarios import chosen
from localruns.surfaces.hints import url_of

SCHEMA = "admin/new-namespace.json"


def add(admin: flask.Blueprint, emulator: Emulator) -> None:
    """The calls of this module."""

    @admin.post("/namespaces")
    def make_namespace() -> tuple[dict[str, Any], int]:
        only()
        asked = content(SCHEMA, needed=False)
        limits = {name: asked.get(name) for name in ("journal_entries", "journal_bytes")}
        for name, value in limits.items():
            if value is not None and value > (most := getattr(emulator.options, name)):
                raise Problem(400, "bad request", f"{name}: found {value}, expected {most} or less")
        if asked.get("name") in emulator.spaces:
            raise emulator.spaces.taken(asked["name"])
        store = chosen(emulator, asked["scenario"]) if "scenario" in asked else None
        return shown(emulator, emulator.make_space(asked.get("name"), store, asked.get("ttl_s"), **limits)), 201

    @admin.get("/namespaces")
    def namespaces() -> dict[str, Any]:
        only()
        return {"namespaces": [summary(space) for space in emulator.spaces.values()]}

    @admin.get("/namespaces/<name>")
    def namespace(name: str) -> dict[str, Any]:
        only()
        space = emulator.space(name)
        return {**summary(space), **shown(emulator, space)}

    @admin.delete("/namespaces/<name>")
    def delete_namespace(name: str) -> dict[str, Any]:
        only()
        return {"name": emulator.spaces.remove(name).name, "deleted": True}


def shown(emulator: Emulator, space: Namespace) -> dict[str, Any]:
    """Where a namespace is, and what its clients present."""
    helps = {vendor: emulator.vendors[vendor].client for vendor in space.states if vendor in emulator.vendors}
    return {
        "name": space.name,
        "url": url_of(space),
        "credentials": {vendor: dict(help_.keys(space.credentials(vendor))) for vendor, help_ in helps.items()},
    }


def summary(space: Namespace) -> dict[str, Any]:
    """One line of the list. Shape: `expires` is wall time, None without an end."""
    terms: Terms = space.terms
    return {
        "name": space.name,
        "url": url_of(space),
        "scenario": space.scenario.name,
        "expires": terms.expires_text,
        "requests": space.journal.count,
    }
