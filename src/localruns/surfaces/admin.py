"""The control API under `/__admin`: JSON in, JSON out, problems as RFC 9457."""

from __future__ import annotations

import hmac
from typing import Any

import flask

import localruns
from localruns.engine.emulator import Emulator
from localruns.engine.namespace import Namespace
from localruns.errors import Problem
from localruns.reports.words import as_json

MAX_LIMIT = 10_000


def version() -> str:
    """The version of this package."""
    return localruns.__version__


def blueprint(emulator: Emulator) -> flask.Blueprint:
    """The control API of one emulator."""
    admin = flask.Blueprint("admin", __name__, url_prefix="/__admin")

    @admin.before_request
    def guard() -> None:
        token = emulator.options.admin_token
        given = flask.request.headers.get("Authorization", "")
        if token and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise Problem(401, "unauthorized", "the control API needs the header 'Authorization: Bearer TOKEN'")

    @admin.get("/health")
    def health() -> dict[str, Any]:
        return {"status": "ready", "scenario": _space(emulator).scenario.name}

    @admin.get("/version")
    def show_version() -> dict[str, Any]:
        return {"version": version()}

    @admin.get("/scenarios")
    def scenarios() -> dict[str, Any]:
        return {"scenarios": list(emulator.library.describe())}

    @admin.post("/reset")
    def reset() -> dict[str, Any]:
        space = _space(emulator)
        space.reset()
        return {"namespace": space.name, "scenario": space.scenario.name}

    @admin.get("/requests")
    def requests() -> dict[str, Any]:
        return _requests(_space(emulator))

    @admin.delete("/requests")
    def forget() -> dict[str, Any]:
        space = _space(emulator)
        gone = space.journal.count
        space.journal.clear()
        return {"namespace": space.name, "forgotten": gone}

    return admin


def _space(emulator: Emulator) -> Namespace:
    """The namespace that `?namespace=`, the header or the path prefix names, else the default."""
    request = flask.request
    named = request.args.get("namespace") or request.environ.get("localruns.namespace")
    return emulator.space(named or request.headers.get("X-Localruns-Namespace") or "default")


def _requests(space: Namespace) -> dict[str, Any]:
    """The journal, oldest first, filtered; `evicted` counts entries that gave way."""
    args = flask.request.args
    limit, since, status = (_number(name) for name in ("limit", "since", "status"))
    entries = [
        entry
        for entry in space.journal
        if (args.get("vendor") in (None, entry.vendor))
        and (status is None or (entry.reply is not None and entry.reply.status == status))
        and (since is None or entry.id > since)
    ]
    shown = entries[-(limit or MAX_LIMIT) :]
    return {
        "namespace": space.name,
        "count": space.journal.count,
        "evicted": space.journal.evicted,
        "requests": [as_json(entry) for entry in shown],
    }


def _number(name: str) -> int | None:
    text = flask.request.args.get(name)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise Problem(400, "bad request", f"{name} is {text[:80]!r}, expected a whole number")
    return int(text)
