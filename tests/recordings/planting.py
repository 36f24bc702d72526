"""Changes planted in a recording, one kind each: what a vendor might do to its answers one day."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from localruns.engine.recorded.exchange import Exchange
from localruns.vendors import all_vendors

Body = dict[str, Any]
Exchanges = list[Exchange]


@dataclass(frozen=True)
class Facts:
    """Where things stand with a vendor, written down here anew.

    Shape: the names of fields of a row: `text` is required, `listed` has a closed list of values, `time` a form, `sort`
    is what rows are sorted by first; "" for none.
    """

    rows: str
    text: str
    listed: str
    time: str
    token: str
    total: str
    code: tuple[str, ...]
    header: str
    moved: tuple[int, str, int]
    inner: str = ""


FACTS = {
    "alibaba-pai": Facts("Runs", "Name", "Accessibility", "GmtCreateTime", "NextPageToken", "TotalCount", ("Code",),
                         "x-acs-trace-id", (429, "Throttling.User", 503)),
    "oracle-aidp": Facts("runs", "experiment_id", "status", "", "next_page_token", "", ("code",),
                         "opc-request-id", (429, "TooManyRequests", 500), "info"),
    "naver-nsml": Facts("runList", "projectName", "", "createTime", "", "totalCount", ("error", "errorCode"),
                        "x-ncp-trace-id", (406, "406", 413)),
    "palantir-foundry": Facts("data", "runId", "buildStatus", "startedTime", "nextPageToken", "", ("errorName",),
                              "cache-control", (404, "ModelStudioNotFound", 400)),
}  # fmt: skip


def content(exchange: Exchange) -> Body:
    """The body of an answer."""
    found: Body = json.loads(exchange.reply.body or b"{}")
    return found


def told(exchange: Exchange, **changes: Any) -> Exchange:
    """The exchange with another answer; `body` is sent as JSON unless it is bytes."""
    if not isinstance(body := changes.pop("body", exchange.reply.body), bytes):
        body = json.dumps(body).encode()
    return replace(exchange, reply=replace(exchange.reply, raw=body, **changes))


def pages(vendor: str, exchanges: Sequence[Exchange]) -> list[int]:
    """The places of good pages with rows."""
    at = FACTS[vendor].rows
    return [i for i, each in enumerate(exchanges) if each.reply.status == 200 and len(content(each).get(at, ())) > 1]


def on_pages(change: Callable[[str, Body], Body | None]) -> Callable[[str, Exchanges], Exchanges | None]:
    """A change of each good page; None where the vendor cannot express it."""

    def plant(vendor: str, exchanges: Exchanges) -> Exchanges | None:
        planted, touched = list(exchanges), False
        for index in pages(vendor, exchanges):
            if (changed := change(vendor, content(exchanges[index]))) is not None:
                planted[index], touched = told(exchanges[index], body=changed), True
        return planted if touched else None

    return plant


def on_rows(change: Callable[[Facts, Body], bool]) -> Callable[[str, Exchanges], Exchanges | None]:
    """A change of each row's fields, made in place; False where the vendor cannot express it."""

    def page(vendor: str, body: Body) -> Body | None:
        facts = FACTS[vendor]
        done = [change(facts, row[facts.inner] if facts.inner else row) for row in body[facts.rows]]
        return body if all(done) else None

    return on_pages(page)


def on_error(change: Callable[[Facts, Exchange], Exchange | None]) -> Callable[[str, Exchanges], Exchanges | None]:
    """A change of the first error with a body."""

    def plant(vendor: str, exchanges: Exchanges) -> Exchanges | None:
        errors = (i for i, each in enumerate(exchanges) if each.reply.status >= 400 and each.reply.body)
        index = next(errors)
        changed = change(FACTS[vendor], exchanges[index])
        return [*exchanges[:index], changed, *exchanges[index + 1 :]] if changed else None

    return plant


def _added(facts: Facts, row: Body) -> bool:
    row["surprise"] = [1]
    return True


def _removed(facts: Facts, row: Body) -> bool:
    del row[facts.text]
    return True


def _retyped(facts: Facts, row: Body) -> bool:
    row[facts.text] = 7
    return True


def _nulled(facts: Facts, row: Body) -> bool:
    row[facts.text] = None
    return True


def _listed(facts: Facts, row: Body) -> bool:
    if facts.listed:
        row[facts.listed] = "PAUSED"
    return bool(facts.listed)


def _reformed(facts: Facts, row: Body) -> bool:
    if facts.time:
        row[facts.time] = row[facts.time].replace("-", "/")
    return bool(facts.time)


def _reversed(vendor: str, body: Body) -> Body:
    body[FACTS[vendor].rows].reverse()
    return body


def _one_more(vendor: str, body: Body) -> Body:
    rows = body[FACTS[vendor].rows]
    rows.append(rows[-1])
    return body


def _one_less(vendor: str, body: Body) -> Body | None:
    token = FACTS[vendor].token
    del body[FACTS[vendor].rows][-1]
    return body if body.get(token) else None


def _short_numbered(vendor: str, exchanges: Exchanges) -> Exchanges | None:
    """Number-paged pages that are not the last lose a row."""
    total, planted = FACTS[vendor].total, list(exchanges)
    if not total or FACTS[vendor].token:
        return None
    for index in pages(vendor, exchanges):
        body = content(exchanges[index])
        if body[total] > 2 * len(body[FACTS[vendor].rows]):
            del body[FACTS[vendor].rows][-1]
            planted[index] = told(exchanges[index], body=body)
    return planted


def _last(vendor: str, body: Body) -> Body | None:
    token = FACTS[vendor].token
    if not token or body.get(token):
        return None
    unknown = "" if vendor == "palantir-foundry" else None  # whose own example ends with null
    return {**body, token: unknown}


def _token(vendor: str, body: Body) -> Body | None:
    token = body.get(FACTS[vendor].token)
    changed = {"alibaba-pai": str, "oracle-aidp": len, "palantir-foundry": lambda text: text.removeprefix("v1.")}
    return {**body, FACTS[vendor].token: changed[vendor](token)} if token else None


def _total(vendor: str, body: Body) -> Body | None:
    total = FACTS[vendor].total
    return {**body, total: body[total] + 5} if total else None


def _no_total(vendor: str, body: Body) -> Body | None:
    if vendor != "alibaba-pai":
        return None
    del body["TotalCount"]
    return body


def _itself(vendor: str, exchanges: Exchanges) -> Exchanges | None:
    """A page leads to itself."""
    traffic, planted, touched = all_vendors()[vendor].traffic, list(exchanges), False
    for index in pages(vendor, exchanges):
        asked = traffic.asked(exchanges[index].request).token
        if asked and content(exchanges[index]).get(traffic.next_at):
            own = int(asked) if vendor == "alibaba-pai" else asked
            planted[index] = told(exchanges[index], body={**content(exchanges[index]), traffic.next_at: own})
            touched = True
    return planted if touched else None


def _code(facts: Facts, exchange: Exchange) -> Exchange:
    body = content(exchange)
    inner = body
    for step in facts.code[:-1]:
        inner = inner[step]
    inner[facts.code[-1]] = "Brand.New"
    return told(exchange, body=body)


def _moved(vendor: str, exchanges: Exchanges) -> Exchanges | None:
    """A known code comes with another status."""
    status, code, other = FACTS[vendor].moved
    planted = list(exchanges)
    for index, each in enumerate(exchanges):
        if each.reply.status == status and all_vendors()[vendor].traffic.error_code(each) == code:
            planted[index] = told(each, status=other)
    return planted


def _typed(vendor: str, exchanges: Exchanges) -> Exchanges:
    return _headers(exchanges, "content-type", "text/html;charset=utf-8")


def _headerless(vendor: str, exchanges: Exchanges) -> Exchanges:
    return _headers(exchanges, FACTS[vendor].header, None)


def _headers(exchanges: Exchanges, name: str, value: str | None) -> Exchanges:
    planted = []
    for each in exchanges:
        kept = [(key, own if key != name else value) for key, own in each.reply.headers if key != name or value]
        planted.append(told(each, headers=tuple(kept)))
    return planted


def _unseen(vendor: str, exchanges: Exchanges) -> Exchanges | None:
    """No row has an optional field any more."""
    if vendor != "alibaba-pai":
        return None
    planted = list(exchanges)
    for index in pages(vendor, exchanges):
        body = content(exchanges[index])
        for row in body["Runs"]:
            row.pop("UserId", None)
        planted[index] = told(exchanges[index], body=body)
    return planted


def _new_body(vendor: str, exchanges: Exchanges) -> Exchanges | None:
    if vendor != "palantir-foundry":
        return None
    kind = (("content-type", "application/json"),)
    return [
        told(each, body={"retry": True}, headers=(*each.reply.headers, *kind)) if each.reply.status == 429 else each
        for each in exchanges
    ]


def _waiting(vendor: str, exchanges: Exchanges) -> Exchanges | None:
    if vendor != "alibaba-pai":
        return None
    return _headers(exchanges, "x-acs-retry-after", "soon")


PLANTS: dict[str, tuple[str, Callable[[str, Exchanges], Exchanges | None]]] = {
    "field-added": ("additive", on_rows(_added)),
    "field-removed": ("breaking", on_rows(_removed)),
    "type-changed": ("breaking", on_rows(_retyped)),
    "type-changed to null": ("breaking", on_rows(_nulled)),
    "enum-value": ("breaking", on_rows(_listed)),
    "format-changed": ("breaking", on_rows(_reformed)),
    "answer-shape": ("breaking", on_pages(lambda vendor, body: [body])),  # type: ignore[arg-type, return-value]
    "content-type": ("breaking", _typed),
    "status-unknown": ("breaking", on_error(lambda facts, each: told(each, status=418))),
    "status-moved": ("breaking", _moved),
    "error-shape": ("breaking", on_error(lambda facts, each: told(each, body=b"<html>"))),
    "error-code": ("additive", on_error(_code)),
    "error-body": ("additive", _new_body),
    "wait-form": ("breaking", _waiting),
    "end-of-list": ("breaking", on_pages(_last)),
    "token-form": ("breaking", on_pages(_token)),
    "token-repeated": ("breaking", _itself),
    "page-over-asked": ("breaking", on_pages(_one_more)),
    "page-size": ("cosmetic", on_pages(_one_less)),
    "numbered-page-size": ("breaking", _short_numbered),
    "order": ("breaking", on_pages(_reversed)),
    "total": ("breaking", on_pages(_total)),
    "total-absent": ("cosmetic", on_pages(_no_total)),
    "header-absent": ("cosmetic", _headerless),
    "field-unseen": ("cosmetic", _unseen),
}
# What a planted change brings with it besides: rows that are missing contradict totals, fields have more than one rule.
BESIDES = {
    "format-changed": {"order"},
    "page-size": {"total"},
    "numbered-page-size": {"total"},
    "page-over-asked": {"total", "tie-order", "order", "page-size", "numbered-page-size"},
    "token-form": {"total", "order"},
    "token-repeated": {"order", "total"},
    "status-moved": {"error-code", "format-changed"},
    "order": {"tie-order"},
    "total": {"numbered-page-size"},
}
