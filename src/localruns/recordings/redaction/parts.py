"""An exchange taken apart into its smallest texts, and put together again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote_plus, unquote_plus

from localruns.engine.message import Reply, Request
from localruns.engine.recorded.exchange import Exchange, json_of, reply_from, request_from
from localruns.recordings.redaction import jsontext
from localruns.reports import secrets

Where = Literal["path", "query", "header", "form", "body", "text", "key", "whole"]
_FORM = re.compile(r"[\w.%+\[\]-]+=[^&\s?]*(?:&[\w.%+\[\]-]+=[^&\s]*)+|[\w.%\[\]-]{2,40}=[^&\s=?/]+")
_URL = re.compile(r"(?P<path>(?:https?://|/)[^\s?]*)\?(?P<query>[^\s?=&]+=\S*)")
_FIELD = re.compile(
    r'(?<=name=")(?P<name>[^"\n]{1,200})(?P<head>"[^\n]{0,300}\n(?:[^\n]{2,1000}\n){0,20}?\r?\n)'
    r"(?P<value>.{0,100000}?)(?=\r?\n--)",
    re.DOTALL,
)
_WHOLE = ("secret", "signature", "key")


@dataclass(frozen=True, slots=True)
class Place:
    """One smallest text of an exchange or a file.

    Shape: `where` is `key` for a key of JSON, `whole` for a text whose parts come one by one after it; `path` the keys
    that lead to it, `name` what its value is called, "" where it has no name of its own; `is_text` false for a number.
    """

    where: Where
    path: Sequence[str | int]
    name: str
    value: str
    is_text: bool = True


Change = Callable[[Place], str]


def edited(exchange: Exchange, change: Change) -> Exchange:
    """The exchange with what `change` gives for each of its texts."""
    failed = change(Place("text", ("answer", "failed"), "", exchange.failed)) if exchange.failed else ""
    reply = edited_reply(exchange.reply, change)
    return replace(exchange, request=edited_request(exchange.request, change), reply=reply, failed=failed)


def edited_request(request: Request, change: Change) -> Request:
    """The request with what `change` gives for each of its texts."""
    body = _body(request.body, request.header("content-type") or "", "request", change)
    headers = _headers(request.headers, len(request.body), len(body), "request", change)
    return request_from(request.method, _target(request.target, change), headers, body)


def edited_reply(reply: Reply, change: Change) -> Reply:
    """The reply with what `change` gives for each of its texts."""
    kind = next((value for name, value in reply.headers if name == "content-type"), "")
    body = _body(reply.body, kind, "answer", change)
    return reply_from(reply.status, _headers(reply.headers, len(reply.body), len(body), "answer", change), body)


def nested(place: Place, change: Change) -> str:
    """The text with what `change` gives for each text in it, when it is JSON, a form or an address, else for itself."""
    if place.value.startswith("--") and "form-data;" in place.value:
        place = replace(place, value=_FIELD.sub(lambda found: _field(found, place, change), place.value))
    whole = secrets.kind(place.name) in _WHOLE and not isinstance(_json(place.value), dict | list)
    if whole or not place.is_text or len(place.path) > jsontext.DEEPEST:
        return change(place)
    if jsontext.is_json(place.value):
        if place.name:  # a text that may look like JSON by chance
            place = replace(place, value=change(replace(place, where="whole")))
        return jsontext.edited(place.value, lambda leaf: nested(_inside(place, leaf), change))
    if "=" not in place.value:
        return change(place)
    if place.where != "header" and _FORM.fullmatch(place.value):
        return form(change(replace(place, where="whole")), replace(place, where="form"), change)
    if _URL.fullmatch(place.value) and (url := _URL.fullmatch(change(replace(place, where="whole")))):
        above = replace(place, where="query", name="")
        return change(replace(place, value=url["path"])) + "?" + form(url["query"], above, change)
    return change(place)


def _json(text: str) -> object:
    return json_of(text.encode("utf-8", "replace")) if jsontext.is_json(text) else None


def form(text: str, above: Place, change: Change) -> str:
    """The pairs `name=value` of a query or form with what `change` gives for each value."""
    pieces = []
    for pair in text.split("&"):
        name, sign, value = pair.partition("=")
        pieces.append(_changed(name, "", above, change) + sign + _changed(value, unquote_plus(name), above, change))
    return "&".join(pieces)


def _changed(text: str, name: str, above: Place, change: Change) -> str:
    value = unquote_plus(text)
    path = (*above.path, name) if name else above.path
    new = nested(Place(above.where, path, name, value), change) if value else value
    return text if new == value else quote_plus(new)


def _inside(above: Place, leaf: jsontext.Leaf) -> Place:
    where = "key" if leaf.is_key else above.where
    return Place(where, (*above.path, *leaf.path), leaf.name, leaf.value, leaf.is_text)


def _target(target: str, change: Change) -> str:
    path, sign, query = target.partition("?")
    path = change(Place("path", ("request", "target"), "", path))
    above = Place("query", ("request", "target"), "", query)
    return path + sign + form(query, above, change)


def _headers(
    headers: Sequence[tuple[str, str]], before: int, after: int, side: str, change: Change
) -> list[tuple[str, str]]:
    changed = [(name, nested(Place("header", (side, "headers", name), name, value), change)) for name, value in headers]
    if before == after:
        return changed
    return [(name, str(after) if name == "content-length" else value) for name, value in changed]


def _body(body: bytes, content_type: str, side: str, change: Change) -> bytes:
    if not body:
        return body
    try:
        text, codec = body.decode(), "utf-8"
    except UnicodeDecodeError:
        text, codec = body.decode("latin-1"), "latin-1"
    place = Place("form" if "urlencoded" in content_type else "body", (side, "body"), "", text)
    if not jsontext.is_json(text) and _FORM.fullmatch(text):
        place = replace(place, where="form")
    return nested(place, change).encode(codec, "replace")


def _field(found: re.Match[str], above: Place, change: Change) -> str:
    inner = replace(above, path=(*above.path, found["name"]), name=found["name"], value=found["value"])
    return found["name"] + found["head"] + nested(inner, change)
