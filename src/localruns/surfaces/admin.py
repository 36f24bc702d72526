"""The control API under `/__admin`: JSON in, JSON out, problems as RFC 9457."""

from __future__ import annotations

import difflib
import hmac
from typing import Any

import flask
import orjson
from werkzeug.exceptions import HTTPException

import localruns
from localruns.engine.emulator import Emulator
from localruns.engine.journal import Entry
from localruns.engine.namespace import Namespace
from localruns.errors import Problem
from localruns.reports.words import as_json

MAX_LIMIT = 10_000
_FILTERS = ("vendor", "status", "since")


def version() -> str:
    """The version of this package."""
    return localruns.__version__


def blueprint(emulator: Emulator) -> flask.Blueprint:
    """The control API of one emulator."""
    admin = flask.Blueprint("admin", __name__, url_prefix="/__admin")

    @admin.before_request
    def guard() -> None:
        _require_token(emulator.options.admin_token)

    @admin.get("/health")
    def health() -> dict[str, Any]:
        return {"status": "ready", "scenario": space_of(emulator).scenario.name}

    @admin.get("/version")
    def show_version() -> dict[str, Any]:
        return {"version": version()}

    @admin.get("/scenarios")
    def scenarios() -> dict[str, Any]:
        return {"scenarios": list(emulator.library.describe())}

    @admin.put("/scenario")
    def load() -> dict[str, Any]:
        space = space_of(emulator)
        space.load(emulator.store(_text(_content(), "name")))
        return _shown(space)

    @admin.post("/reset")
    def reset() -> dict[str, Any]:
        space = space_of(emulator)
        space.reset()
        return _shown(space)

    _add_journal(admin, emulator)
    return admin


def _add_journal(admin: flask.Blueprint, emulator: Emulator) -> None:
    """The calls about what came in."""

    @admin.get("/requests")
    def requests() -> dict[str, Any]:
        space = space_of(emulator)
        return _listed(space, _chosen(emulator, space, "limit"))

    @admin.get("/requests/unmatched")
    def unmatched() -> dict[str, Any]:
        space = space_of(emulator)
        return _listed(space, [entry for entry in _chosen(emulator, space, "limit") if not entry.endpoint])

    @admin.get("/requests/count")
    def count() -> dict[str, Any]:
        space = space_of(emulator)
        return {"namespace": space.name, "count": len(_chosen(emulator, space))}

    @admin.get("/requests/<number>")
    def one(number: str) -> dict[str, Any]:
        space = space_of(emulator)
        entry = space.journal.get(_whole("id", number))
        if entry is None:
            raise Problem(404, "not found", f"the journal of {space.name!r} holds no request {number}")
        return as_json(entry)

    @admin.delete("/requests")
    def forget() -> dict[str, Any]:
        space = space_of(emulator)
        gone = space.journal.count
        space.journal.clear()
        return {"namespace": space.name, "forgotten": gone}


def space_of(emulator: Emulator) -> Namespace:
    """The namespace that `?namespace=`, the path prefix or the header names, else the default. Raises Problem 404."""
    request = flask.request
    named = request.args.get("namespace") or request.environ.get("localruns.namespace")
    if named is None:
        named = request.headers.get("X-Localruns-Namespace") or "default"
    return emulator.space(named)


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


def _require_token(token: str) -> None:
    """Raises Problem 401 unless the request carries the token, or none is needed."""
    scheme, _, given = flask.request.headers.get("Authorization", "").partition(" ")
    if token and not (scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())):
        raise Problem(401, "unauthorized", "the control API needs the header 'Authorization: Bearer TOKEN'")


def _shown(space: Namespace) -> dict[str, Any]:
    return {"namespace": space.name, "scenario": space.scenario.name}


def _listed(space: Namespace, entries: list[Entry]) -> dict[str, Any]:
    """The latest of these entries, oldest first; `evicted` counts entries that gave way."""
    limit = _argument("limit")
    shown = entries[-min(limit, MAX_LIMIT) :] if limit else []
    return {
        "namespace": space.name,
        "count": space.journal.count,
        "evicted": space.journal.evicted,
        "requests": [as_json(entry) for entry in shown],
    }


def _chosen(emulator: Emulator, space: Namespace, *more: str) -> list[Entry]:
    """The entries that the filters let through. Raises Problem 400 for a filter that cannot be used."""
    args = flask.request.args
    known = ("namespace", *_FILTERS, *more)
    for name in args:
        if name not in known:
            raise _unusable(name, args[name], f"no parameter of that name, but {', '.join(known)}")
    vendor = args.get("vendor")
    if vendor is not None and vendor not in emulator.all_vendors:
        raise _unusable("vendor", vendor, f"one of: {', '.join(emulator.all_vendors)}")
    since, status = _argument("since", 0), _argument("status", 0)
    return [
        entry
        for entry in space.journal
        if vendor in (None, entry.vendor)
        and entry.id > since
        and (not status or (entry.reply is not None and entry.reply.status == status))
    ]


def _argument(name: str, default: int = MAX_LIMIT) -> int:
    """A whole number from the query. Raises Problem 400."""
    text = flask.request.args.get(name)
    return default if text is None else _whole(name, text)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise _unusable(name, text, "a whole number")
    return int(text)


def _content() -> dict[str, Any]:
    """The JSON object in the body. Raises Problem 400."""
    try:
        content = orjson.loads(flask.request.get_data())
    except orjson.JSONDecodeError as error:
        raise Problem(400, "bad request", f"the body is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise _unusable("the body", content, "an object")
    return content


def _text(content: dict[str, Any], name: str) -> str:
    if name not in content:
        raise Problem(400, "bad request", f"{name} is missing, expected a text")
    if not isinstance(content[name], str):
        raise _unusable(name, content[name], "a text")
    return str(content[name])


def _unusable(name: str, value: object, expected: str) -> Problem:
    shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
    return Problem(400, "bad request", f"{name[:80]} is {shown}, expected {expected}")
