"""The contract for other tools: OpenAPI documents and the schema files, under `/__admin`."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import flask

from localruns import schemas
from localruns.engine.emulator import Emulator
from localruns.errors import Problem
from localruns.reports import control, openapi
from localruns.surfaces import admin
from localruns.surfaces.admin.asking import one_of, only

_FLAGS = ("true", "false")


def blueprint(emulator: Emulator) -> flask.Blueprint:
    """The calls of one emulator."""
    contract = flask.Blueprint("contract", __name__, url_prefix="/__admin")

    @contract.before_request
    def guard() -> None:
        admin.require_token(emulator.options.admin_token)

    @contract.get("/openapi.json")
    def of_control() -> dict[str, Any]:
        only()
        return control.document(_server(emulator))

    @contract.get("/openapi/<vendor>.json")
    def of_vendor(vendor: str) -> dict[str, Any]:
        only()
        if vendor not in emulator.vendors:
            raise _unknown("vendor", vendor, list(emulator.vendors))
        return openapi.document(emulator.vendors[vendor], _server(emulator))

    _add_schemas(contract)
    return contract


def _add_schemas(contract: flask.Blueprint) -> None:
    """The calls about schema files; their references stand beside each other as the files do."""

    @contract.get("/schemas")
    def listed() -> dict[str, Any]:
        only()
        base = flask.request.environ.get("localruns.namespace")
        prefix = "" if base is None else f"/ns/{quote(base, safe='')}"
        shown = [
            {"name": name, "title": schemas.raw(name).get("title", ""), "path": f"{prefix}/__admin/schemas/{name}"}
            for name in schemas.names()
        ]
        return {"schemas": shown}

    @contract.get("/schemas/<file>")
    @contract.get("/schemas/<vendor>/<file>")
    def one(file: str, vendor: str = "") -> dict[str, Any]:
        only(("bundled",))
        name = f"{vendor}/{file}" if vendor else file
        if name not in schemas.names():
            raise _unknown("schema", name, schemas.names())
        return schemas.bundled(name) if one_of("bundled", _FLAGS, "false") == "true" else schemas.raw(name)


def _server(emulator: Emulator) -> str:
    """Where the paths of a document begin, seen from the document."""
    space = admin.space_of(emulator)
    return "/" if space.name == "default" else f"/ns/{quote(space.name, safe='')}"


def _unknown(what: str, name: str, known: list[str]) -> Problem:
    return Problem(404, "not found", f"there is no {what} {name[:200]!r}, expected one of: {', '.join(known)}")
