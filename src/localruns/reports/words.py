"""A journal entry in words: what was asked, what was answered, and why."""

from __future__ import annotations

from typing import Any

from localruns.engine.journal import Entry
from localruns.engine.query import Condition, Order

_SECRET = ("authorization", "cookie", "token", "signature", "api-key", "secret", "access-key")


def asked(entry: Entry) -> str:
    """`page 2 of runs, 10 a page, where Name = 'x', by GmtCreateTime down`."""
    if entry.query is None or entry.cut is None:
        return f"{entry.request.method} {entry.request.path}"
    text = f"page {entry.page_number} of runs, {entry.cut.size} a page"
    if entry.query.conditions:
        text += ", where " + " and ".join(map(_condition, entry.query.conditions))
    return text + ", by " + ", ".join(map(_order, entry.query.order))


def answered(entry: Entry) -> str:
    """`200, rows 11-20 of 25` or `429 Throttling.User`."""
    if entry.reply is None:
        return "nothing yet"
    if entry.refusal is not None or entry.page is None:
        return f"{entry.reply.status} {_code(entry)}".strip()
    page = entry.page
    if not page.rows:
        return f"{entry.reply.status}, no rows of {page.total}"
    return f"{entry.reply.status}, rows {page.offset + 1}-{page.offset + len(page.rows)} of {page.total}"


def why(entry: Entry) -> str:
    """The reason behind the answer, as far as it is more than the query itself."""
    reasons = [entry.defect and f"defect: {entry.defect}", entry.refusal.detail if entry.refusal else ""]
    return "; ".join(filter(None, [*reasons, entry.near_miss, *entry.notes]))


def as_json(entry: Entry) -> dict[str, Any]:
    """The entry for the control API, secrets left out."""
    reply = entry.reply
    return {
        "id": entry.id,
        "at": entry.at.isoformat().replace("+00:00", "Z"),
        "vendor": entry.vendor or None,
        "endpoint": entry.endpoint or None,
        "method": entry.request.method,
        "target": entry.request.target,
        "headers": [[name, _redacted(name, value)] for name, value in entry.request.headers],
        "status": reply.status if reply else None,
        "asked": asked(entry),
        "answered": answered(entry),
        "why": why(entry),
        "near_miss": entry.near_miss or None,
        "defect": entry.defect or None,
        "credential": entry.credential[:12] + "..." if len(entry.credential) > 12 else entry.credential or None,
        "row_keys": list(entry.page.keys) if entry.page else [],
        "took_ms": round(entry.took_ms, 3),
        "sent": entry.sent,
    }


def _redacted(name: str, value: str) -> str:
    if not any(word in name for word in _SECRET):
        return value
    scheme = value.split(" ", 1)[0] if name == "authorization" and " " in value else ""
    return f"{scheme} (not kept)".strip()


def _code(entry: Entry) -> str:
    content = entry.reply.content if entry.reply else None
    if not isinstance(content, dict):
        return ""
    if isinstance(content.get("error"), dict):
        content = content["error"]
    names = ("Code", "code", "errorName", "errorCode", "error", "title")
    return next((str(content[name]) for name in names if name in content), "")


def _condition(condition: Condition) -> str:
    name = f"{condition.field.bag}.{condition.field.name}" if condition.field.bag else condition.field.name
    value = "" if condition.value is None else f" {condition.value!r}"
    return f"{name} {condition.operator}{value}"


def _order(order: Order) -> str:
    name = f"{order.field.bag}.{order.field.name}" if order.field.bag else order.field.name
    return f"{name} down" if order.descending else name
