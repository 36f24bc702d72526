"""The journal in words: plain English, and nothing in it that lets somebody in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from localruns.engine.journal import Entry
from localruns.engine.message import Page, Reply, Request, parse_query
from localruns.engine.query import Condition, Cut, Field, Order, Query
from localruns.errors import Throttled
from localruns.reports import secrets
from localruns.reports.words import answered, as_json, asked, why
from localruns.surfaces.http import App
from tests.clients.pagers import HEADERS, SEARCH

SCHEMES = ("Bearer ", "", "Basic ", "Signature keyId=a,signature=", "ACS3-HMAC-SHA256 Credential=a,Signature=")
TOKEN = "eyJhbGciOi.very-secret.0123456789"


def entry(target: str = "/api/v1/runs", method: str = "GET", body: bytes = b"", **headers: str) -> Entry:
    path, _, query = target.partition("?")
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    request = Request(method, target, path, "", query, parse_query(query)[0], named, body)
    return Entry(1, request, datetime(2026, 1, 15, 9, tzinfo=UTC))


def listing(*conditions: Condition, order: tuple[Order, ...] = (), page: int = 1, size: int = 10) -> Entry:
    made = entry()
    made.query = Query("alibaba-pai", "145883", conditions, order)
    made.cut, made.page_number = Cut(size * (page - 1), size), page
    return made


def rows(count: int, offset: int = 0, total: int = 25) -> Entry:
    made = listing()
    made.reply = Reply(200, {})
    made.page = Page([b"{}"] * count, [str(i) for i in range(count)], offset, 10, total)
    return made


def test_a_listing_reads_as_a_sentence() -> None:
    made = listing(
        Condition(Field("Name"), "=", "wide-net"),
        Condition(Field("loss", "metrics"), "<", 0.5),
        order=(Order(Field("GmtCreateTime"), descending=True), Order(Field("RunId"))),
        page=2,
    )
    assert asked(made) == (
        "page 2 of runs, 10 a page, where Name = 'wide-net' and metrics.loss < 0.5, "
        "by GmtCreateTime descending, then RunId"
    )


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition(Field("Name"), "present"), "Name is there"),
        (Condition(Field("a", "tags"), "absent"), "tags.a is not there"),
        (Condition(Field("id"), "in", ("a", "b")), "id is one of 'a', 'b'"),
        (Condition(Field("id"), "not in", ("a",)), "id is none of 'a'"),
        (Condition(Field("Name"), "like", "%net"), "Name like '%net'"),
        (Condition(Field("Name"), "contains", "\x1b[31m\n"), r"Name contains '\x1b[31m\n'"),
    ],
)
def test_each_kind_of_condition_has_its_words(condition: Condition, words: str) -> None:
    assert asked(listing(condition)) == f"page 1 of runs, 10 a page, where {words}"


def test_long_filters_are_cut() -> None:
    text = asked(listing(*(Condition(Field(f"column{i}"), "=", "x" * 5_000) for i in range(50))))
    assert len(text) < 400
    assert text.count("xxx...") == 2
    assert text.endswith(" and 48 more")
    assert len(asked(entry("/" + "a" * 60_000))) < 250


def test_what_is_no_listing_is_told_by_method_and_path() -> None:
    assert asked(entry("/api/v1/nope?x=1", "PUT")) == "PUT /api/v1/nope"
    assert asked(entry("/api/v1/nope", "")) == "(unreadable) /api/v1/nope"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (rows(10, 10), "200, rows 11-20 of 25"),
        (rows(1, 24), "200, row 25 of 25"),
        (rows(0, 30), "200, no rows of 25"),
        (entry(), "nothing yet"),
    ],
)
def test_pages_are_answered_in_rows(made: Entry, words: str) -> None:
    assert answered(made) == words


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (429, {"Code": "Throttling.User", "Message": "no"}, "429 Throttling.User"),
        (404, {"error": {"errorCode": "300", "message": "Not Found Exception"}}, "404 300 Not Found Exception"),
        (400, {"errorName": "InvalidPageSize", "errorCode": "INVALID_ARGUMENT"}, "400 InvalidPageSize"),
        (401, {"error": "invalid_client"}, "401 invalid_client"),
        (501, {"title": "not emulated"}, "501 not emulated"),
        (404, None, "404 Not Found"),
        (200, {"experiment": {}}, "200 OK"),
        (299, None, "299"),
    ],
)
def test_other_answers_are_told_by_their_code(status: int, content: Any, words: str) -> None:
    made = entry()
    made.reply = Reply(status, content)
    assert answered(made) == words


def test_why_gives_each_reason_once() -> None:
    made = entry()
    assert why(made) == ""
    made.refusal = Throttled(detail="the third call")
    made.near_miss, made.notes = "close to ListRuns", ["the third call", "signed without the prefix"]
    assert why(made) == "the third call; close to ListRuns; signed without the prefix"
    made.refusal, made.defect, made.notes = None, "no such row", ["no such row"]
    assert why(made) == "defect: no such row; close to ListRuns"


SECRET_HEADERS = ["authorization", "x-acs-security-token", "x-acs-bearer-token", "x-ncp-apigw-api-key", "x-api-key"]


@pytest.mark.parametrize("name", [*SECRET_HEADERS, "cookie", "proxy-authorization", "x-ncp-apigw-signature-v2"])
def test_secret_headers_are_not_shown(name: str) -> None:
    made = entry(**{name.replace("-", "_"): f"Bearer {TOKEN}"})
    made.refusal = Throttled(detail=f"{name} is {TOKEN[:20]!r}... and whole {TOKEN}, expected 'other'")
    made.credential = TOKEN
    shown = json.dumps(as_json(made))
    assert TOKEN[:14] not in shown
    assert "(not kept)" in shown
    assert "expected 'other'" in shown


@pytest.mark.parametrize("name", ["token", "access_token", "refreshToken", "%74oken", "client_secret", "SecurityToken",
                                  "Signature", "api_key", "apikey", "PASSWORD", "id_token"])  # fmt: skip
def test_secret_query_parameters_are_not_shown(name: str) -> None:
    made = entry(f"/api/v1/runs?a=1&{name}={TOKEN}&PageToken=abc#{TOKEN[:0]}")
    made.refusal = Throttled(detail=f"unknown parameter {TOKEN}")
    shown = as_json(made)
    assert TOKEN[:14] not in json.dumps(shown)
    assert shown["target"] == f"/api/v1/runs?a=1&{name}=(not kept)&PageToken=abc#"


def test_what_is_no_secret_is_shown() -> None:
    target = "/api/v1/runs?PageToken=abcdefgh&pageToken=abcdefgh&AccessKeyId=LTAI&SignatureNonce=1&next_token=abcdefgh"
    shown = as_json(entry(target, host="127.0.0.1", x_acs_signature_nonce="abcdefgh", x_ncp_iam_access_key="KEY"))
    assert shown["target"] == target
    assert "(not kept)" not in json.dumps(shown)


def test_of_an_authorization_header_the_scheme_is_shown() -> None:
    assert secrets.header("authorization", "Bearer abc") == "Bearer (not kept)"
    assert secrets.header("authorization", "abcdef") == "(not kept)"


def test_a_password_in_an_absolute_target_is_not_shown() -> None:
    assert secrets.target("http://me:secret@host/api/v1/runs?x=1") == "http://(not kept)@host/api/v1/runs?x=1"


def test_a_secret_in_a_form_is_cut_out_of_the_reason() -> None:
    made = entry(body=f"client_id=me&client_secret={TOKEN}".encode(), content_type="application/x-www-form-urlencoded")
    made.refusal = Throttled(detail=f"client me, secret {TOKEN} does not hold")
    assert why(made) == "client me, secret (not kept) does not hold"


def test_a_key_id_is_shown_and_a_token_by_its_hash() -> None:
    request = entry(authorization=f"Bearer {TOKEN}").request
    assert secrets.credential("LTAI5tLocalruns00000001", request) == "LTAI5tLocalruns00000001"
    told = secrets.credential(TOKEN, request)
    assert told.startswith("token ")
    assert len(told) == len("token 01234567")
    assert secrets.credential("", request) == ""


@pytest.mark.parametrize("auth", ["present", "verify"])
def test_no_vendors_reasons_give_a_token_away(make_app: Callable[..., App], auth: str) -> None:
    app = make_app("quickstart", auth=auth)
    client = app.test_client()
    for vendor, headers in HEADERS.items():
        path = next(endpoint.path for endpoint in app.emulator.vendors[vendor].endpoints)
        target = SEARCH if vendor == "oracle-aidp" else path.replace("{modelStudioRid}", "ri.models.main.x.y")
        for scheme in (
            "Bearer ",
            "",
            "Basic ",
            "Signature keyId=a,signature=",
            "ACS3-HMAC-SHA256 Credential=a,Signature=",
        ):
            keys = {name: TOKEN for name in headers if "key" in name or "signature" in name}
            sent = {**headers, **keys, "Authorization": scheme + TOKEN, "x-acs-security-token": TOKEN}
            sent.pop("x-ncp-iam-access-key", None)
            method = "POST" if vendor == "oracle-aidp" else "GET"
            client.open(target, method=method, headers=sent, query_string={"token": TOKEN}, data=b"{}").close()
        client.get(target, headers={"x-acs-bearer-token": TOKEN, "x-ncp-apigw-api-key": TOKEN}).close()
    made = list(app.emulator.space("default").journal)
    assert len(made) == 24
    assert [text for text in map(json.dumps, map(as_json, made)) if TOKEN[:14] in text] == []
