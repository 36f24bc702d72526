"""The control API under `/__admin`: JSON in, JSON out, problems as RFC 9457. One module per noun."""

from __future__ import annotations

import difflib
import hmac
from typing import Any

import flask
from werkzeug.exceptions import HTTPException

import localruns
from localruns.engine.emulator import Emulator
from localruns.errors import Problem
from localruns.surfaces.admin import clock, faults, journal, namespaces, recording, scenarios, walks
from localruns.surfaces.admin.asking import only, space_of

__all__ = ["blueprint", "certificate", "misdirected", "require_token", "space_of", "version"]


def version() -> str:
    """The version of this package."""
    return localruns.__version__


def blueprint(emulator: Emulator) -> flask.Blueprint:
    """The control API of one emulator."""
    admin = flask.Blueprint("admin", __name__, url_prefix="/__admin")

    @admin.before_request
    def guard() -> None:
        require_token(emulator.options.admin_token)

    @admin.get("/health")
    def health() -> dict[str, Any]:
        only()
        return {"status": "ready", "scenario": space_of(emulator).scenario.name}

    @admin.get("/version")
    def show_version() -> dict[str, Any]:
        only()
        return {"version": version()}

    for calls in (scenarios, recording, namespaces, clock, journal, faults, walks):
        calls.add(admin, emulator)
    return admin


def certificate(ca_pem: bytes) -> flask.Response:
    """The certificate of our authority. Raises Problem 404 when serving plain HTTP."""
    if not ca_pem:
        raise Problem(404, "not found", "this server speaks plain HTTP and has no certificate; --tls serves HTTPS")
    return flask.Response(ca_pem, content_type="application/x-pem-file")


def misdirected(error: HTTPException) -> tuple[Problem, dict[str, str]]:
    """An error of Flask's own as a problem, and its headers."""
    path, method, headers = flask.request.path[:500], flask.request.method, dict[str, str]()
    detail = error.description or ""
    if error.code == 404:
        calls = [str(rule) for rule in flask.current_app.url_map.iter_rules()]
        close = difflib.get_close_matches(path, calls, 1, 0.5)
        hint = f"; the nearest call is {close[0]}" if close else ""
        detail = f"nothing is served at {path}{hint}; GET / lists what is"
    if error.code == 405:
        headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))  # type: ignore[attr-defined]
        detail = f"{path} is not served for {method[:40]}, expected one of: {headers['Allow']}"
    return Problem(error.code or 500, (error.name or "error").lower(), detail), headers


def require_token(token: str) -> None:
    """Raises Problem 401 unless the request carries the token, or none is needed."""
    scheme, _, given = flask.request.headers.get("Authorization", "").partition(" ")
    if token and not (scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())):
        raise Problem(401, "unauthorized", "the control API needs the header 'Authorization: Bearer TOKEN'")
