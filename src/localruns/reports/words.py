"""A journal entry in words: what was asked, what was answered, and why."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from localruns.engine.journal import Entry
from localruns.engine.message import Reply
from localruns.engine.query import Condition, Field, Order, Query
from localruns.reports import secrets

MAX_VALUE = 60
MAX_FILTER = 200
_WORDS = {"present": "is there", "absent": "is not there", "in": "is one of", "not in": "is none of"}


def asked(entry: Entry) -> str:
    """`page 2 of runs, 10 a page, where Name = 'x', by GmtCreateTime descending, then RunId`."""
    if entry.query is None or entry.cut is None:
        return f"{entry.request.method or '(unreadable)'} {_short(secrets.target(entry.request.path), MAX_FILTER)}"
    text = f"page {entry.page_number} of {query_words(entry.query, f'{entry.cut.size} a page, ')}"
    return secrets.without(text, entry.request)


def query_words(query: Query, size: str = "") -> str:
    """`runs, 10 a page, where Name = 'x', by GmtCreateTime descending, then RunId`."""
    text = f"runs, {size}"
    if query.conditions:
        text += "where " + _filter([_condition(each) for each in query.conditions]) + ", "
    if query.order:
        text += "by " + ", then ".join(map(_order, query.order)) + ", "
    return text.removesuffix(", ")


def answered(entry: Entry) -> str:
    """`200, rows 11-20 of 25` or `429 Throttling.User`."""
    if entry.reply is None:
        return "nothing yet"
    return _outcome(entry, entry.reply) + (", broken on the wire" if entry.broken else "")


def _outcome(entry: Entry, reply: Reply) -> str:
    page = entry.page
    if entry.refusal is not None or page is None or reply.status != 200:
        return f"{reply.status} {_name(reply)}".strip()
    if not entry.row_count:
        return f"200, no rows of {page.total}"
    first, last = page.offset + 1, page.offset + entry.row_count
    return f"200, row {first} of {page.total}" if first == last else f"200, rows {first}-{last} of {page.total}"


def why(entry: Entry) -> str:
    """The reason behind the answer, as far as it is more than the query itself."""
    reasons = [f"defect: {entry.defect}" if entry.defect else "", entry.refusal.detail if entry.refusal else ""]
    notes = [note for note in entry.notes if note != entry.defect]
    text = "; ".join(dict.fromkeys(filter(None, [*reasons, entry.near_miss, *notes])))
    return secrets.without(text, entry.request)


def as_json(entry: Entry) -> dict[str, Any]:
    """The entry for the control API, secrets left out."""
    reply = entry.reply
    return {
        "id": entry.id,
        "at": entry.at.isoformat().replace("+00:00", "Z"),
        "vendor": entry.vendor or None,
        "endpoint": entry.endpoint or None,
        "method": entry.request.method,
        "target": secrets.target(entry.request.target),
        "headers": [[name, secrets.header(name, value)] for name, value in entry.request.headers],
        "status": reply.status if reply else None,
        "asked": asked(entry),
        "query": secrets.without(query_words(entry.query), entry.request) if entry.query else None,
        "answered": answered(entry),
        "why": why(entry),
        "near_miss": entry.near_miss or None,
        "defect": secrets.without(entry.defect, entry.request) or None,
        "credential": secrets.credential(entry.credential, entry.request) or None,
        "walk": entry.walk_id or None,
        "rows": entry.row_count,
        "row_keys": None if entry.outlined else list(entry.page.keys) if entry.page else [],
        "took_ms": round(entry.took_ms, 3),
        "asked_s": entry.asked_s,
        "answered_s": entry.answered_s,
        "sent": entry.sent,
        "broken": entry.broken,
    }


def _name(reply: Reply) -> str:
    """What an answer without rows says: the code in its body, else the status in words."""
    content = reply.content
    if isinstance(content, dict) and isinstance(content.get("error"), dict):
        content = content["error"]
    if reply.status >= 400 and isinstance(content, dict):
        names = ("Code", "code", "errorName", "errorCode", "error", "title")
        code = next((str(content[name]) for name in names if name in content), "")
        if code.isdecimal() and isinstance(content.get("message"), str):
            return f"{code} {content['message']}"
        if code:
            return code
    try:
        return HTTPStatus(reply.status).phrase
    except ValueError:
        return ""


def _filter(parts: list[str]) -> str:
    """Conditions in words, cut where they get long: `a = 1 and 3 more`."""
    text = parts[0]
    for at, part in enumerate(parts[1:], 1):
        if len(text) + len(part) > MAX_FILTER:
            return f"{text} and {len(parts) - at} more"
        text += f" and {part}"
    return text


def _condition(condition: Condition) -> str:
    operator = _WORDS.get(condition.operator, condition.operator)
    if condition.value is None:
        return f"{_field(condition.field)} {operator}"
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    value = ", ".join(map(repr, values))
    return f"{_field(condition.field)} {operator} {_short(value, MAX_VALUE)}"


def _order(order: Order) -> str:
    return f"{_field(order.field)} descending" if order.descending else _field(order.field)


def _field(field: Field) -> str:
    return _short(f"{field.bag}.{field.name}" if field.bag else field.name, MAX_VALUE)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
