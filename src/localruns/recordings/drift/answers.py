"""One answer held against what we claim: its status, its headers, its body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from localruns import placeholders
from localruns.engine.described import Header
from localruns.engine.recorded.exchange import Exchange, json_of
from localruns.engine.vendor import Endpoint
from localruns.recordings.drift.claims import Claims, ErrorClaim
from localruns.recordings.drift.kinds import Deviation
from localruns.recordings.drift.shape import deviations, form_of, kind_of, member

_UUID = re.compile(placeholders.UUID)


def answer(claims: Claims, endpoint: Endpoint | None, exchange: Exchange) -> Iterator[Deviation]:
    """How an answer differs; `endpoint` is None for a path that the vendor does not have."""
    name = endpoint.name if endpoint else "any other path"
    status = exchange.reply.status
    good = claims.operation(endpoint).status if endpoint else 0
    yield from _headers(claims, endpoint, exchange, name)
    if status == good and endpoint:
        yield from _good(claims, endpoint, exchange)
    elif status < 400:
        yield Deviation("status-unknown", name, f"status {status}", f"status {good}")
    else:
        yield from _error(claims, exchange, name)


def _good(claims: Claims, endpoint: Endpoint, exchange: Exchange) -> Iterator[Deviation]:
    reference = claims.answer(endpoint)
    if not reference:
        return
    content = json_of(exchange.reply.body)
    place = f"{endpoint.name} {exchange.reply.status}"
    if not isinstance(content, dict):
        yield Deviation("answer-shape", place, _what(exchange, content), "mapping")
        return
    skip = (claims.vendor.traffic.next_at,) if endpoint.name == claims.vendor.traffic.endpoint else ()
    yield from (each for each in deviations(reference, content, place, skip) if not _is_token(each, place, skip))


def _is_token(deviation: Deviation, place: str, skip: tuple[str, ...]) -> bool:
    """Whether it is about the page token, which is looked at with the pages."""
    return any(name and deviation.place == f"{place} /{name}" for name in skip)


def _error(claims: Claims, exchange: Exchange, name: str) -> Iterator[Deviation]:
    status, place = exchange.reply.status, f"{name} errors"
    rows = [row for row in claims.errors if row.status == status]
    if not rows:
        known = ", ".join(map(str, sorted({row.status for row in claims.errors})))
        yield Deviation("status-unknown", name, f"status {status}", f"one of: {known}")
        return
    with_body = [row for row in rows if row.schema]
    if not exchange.reply.body:
        if len(with_body) == len(rows) and exchange.request.method != "HEAD":
            yield Deviation("error-shape", f"{place}, status {status}", "no body", "mapping")
        return
    content = json_of(exchange.reply.body)
    if not with_body:
        yield Deviation("error-body", f"{place}, status {status}", _what(exchange, content), "no body")
    elif not isinstance(content, dict):
        yield Deviation("error-shape", f"{place}, status {status}", _what(exchange, content), "mapping")
    else:
        yield from _code(claims, exchange, with_body, place)


def _code(claims: Claims, exchange: Exchange, rows: list[ErrorClaim], place: str) -> Iterator[Deviation]:
    code, status = claims.code(exchange), exchange.reply.status
    row = next((row for row in rows if row.code == code), None)
    elsewhere = sorted({row.status for row in claims.errors if row.code == code})
    if row is None and code and elsewhere:
        expected = f"status {', '.join(map(str, elsewhere))}"
        yield Deviation("status-moved", f"{place}, code {member(code)}", f"status {status}", expected)
    elif row is None and code:
        expected = ", ".join(each.code for each in rows)
        yield Deviation("error-code", f"{place}, status {status}", member(code), f"one of: {expected}")
    reference = row.schema if row else rows[0].schema
    yield from deviations(reference, json_of(exchange.reply.body), place)


def _headers(claims: Claims, endpoint: Endpoint | None, exchange: Exchange, name: str) -> Iterator[Deviation]:
    reply = exchange.reply
    if not reply.headers:  # not recorded at all
        return
    found = {key.lower(): value for key, value in reply.headers}
    if reply.body:
        media = found.get("content-type", "").partition(";")[0].strip().lower()
        if not media:
            yield Deviation("header-absent", f"{name} header content-type", "no such header", "application/json")
        elif media != "application/json":
            yield Deviation("content-type", f"{name} header content-type", media, "application/json")
    for header in claims.headers(endpoint, reply.status):
        yield from _header(header, found.get(header.name.lower()), name)


def _header(header: Header, value: str | None, name: str) -> Iterator[Deviation]:
    place = f"{name} header {header.name.lower()}"
    if value is None:
        if header.always:
            yield Deviation("header-absent", place, "no such header", "always there")
    elif not placeholders.holds(value) and not _fits(header.schema, value):
        kind = "wait-form" if header.schema.get("type") == "integer" else "header-form"
        yield Deviation(kind, place, form_of(value), _wanted(header.schema))


def _fits(schema: Any, value: str) -> bool:
    if schema.get("type") == "integer":
        return re.fullmatch(r"[0-9]+", value) is not None
    if "const" in schema:
        return bool(value == schema["const"])
    if schema.get("format") == "uuid":
        return _UUID.fullmatch(value) is not None
    return re.search(schema.get("pattern", ""), value) is not None and len(value) >= schema.get("minLength", 0)


def _wanted(schema: Any) -> str:
    if schema.get("type") == "integer":
        return "a whole number"
    return str(schema.get("const", schema.get("format", schema.get("pattern", "text"))))


def _what(exchange: Exchange, content: Any) -> str:
    """What a body is when it is not what it should be."""
    if not exchange.reply.body:
        return "no body"
    if content is not None or exchange.reply.body.strip() == b"null":
        return kind_of(content)
    start = exchange.reply.body.lstrip()[:1]
    return "HTML or XML" if start == b"<" else "no JSON"
