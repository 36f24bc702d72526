"""What a call of the control API asks: its namespace, its query, its JSON body. Each refusal names the field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import flask
import orjson

from localruns import schemas
from localruns.engine.emulator import Emulator
from localruns.engine.namespace import Namespace
from localruns.errors import Problem
from localruns.yamlio import key_path

MAX_BODY_BYTES = 4 * 1024 * 1024


def space_of(emulator: Emulator) -> Namespace:
    """The namespace that `?namespace=`, the path prefix or the header names, else the default. Raises Problem 404."""
    request = flask.request
    named = request.args.get("namespace") or request.environ.get("localruns.namespace")
    if named is None:
        named = request.headers.get("X-Localruns-Namespace") or "default"
    return emulator.space(named)


def content(schema: str, *, needed: bool = True) -> dict[str, Any]:
    """The JSON object in the body, held against a schema; not `needed`: no body is an empty object.

    Raises Problem 413, and 400 with a line per breach.
    """
    body = flask.request.get_data()
    if len(body) > MAX_BODY_BYTES:
        words = f"the body has {len(body):,} bytes, expected at most {MAX_BODY_BYTES:,}"
        raise Problem(413, "too large", words)
    try:
        value = orjson.loads(body) if body or needed else {}
    except orjson.JSONDecodeError as error:
        raise Problem(400, "bad request", f"the body is not JSON: {error}") from None
    if not schemas.validator(schema).is_valid(value):
        found = (f"{key_path(path) if path else 'the body'}: {words}" for path, words in schemas.explain(schema, value))
        # The two checkers disagree in corners, such as a line break at the end of a name.
        raise Problem(400, "bad request", "\n".join(found) or "\n".join(schemas.pointers(schema, value)))
    return dict(value)


def only(known: Iterable[str] = ()) -> None:
    """Raises Problem 400 for a query parameter that the call does not know."""
    names = ("namespace", *known)
    for name, value in flask.request.args.items():
        if name not in names:
            hint = schemas.near(name[:80], names)
            raise unusable(name, value, f"no parameter of that name{hint}, but {', '.join(names)}")


def whole(name: str, text: str) -> int:
    """A whole number. Raises Problem 400."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise unusable(name, text, "a whole number")
    return int(text)


def argument(name: str, default: int) -> int:
    """A whole number from the query. Raises Problem 400."""
    text = flask.request.args.get(name)
    return default if text is None else whole(name, text)


def one_of(name: str, known: Iterable[str], default: str) -> str:
    """A word from the query that must be a known one. Raises Problem 400."""
    text, names = flask.request.args.get(name), tuple(known)
    if text is None:
        return default
    if text not in names:
        raise unusable(name, text, f"one of: {', '.join(names)}{schemas.near(text[:80], names)}")
    return text


def unusable(name: str, value: object, expected: str) -> Problem:
    """The refusal of a value, with what was expected."""
    shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
    return Problem(400, "bad request", f"{name[:80]} is {shown}, expected {expected}")
