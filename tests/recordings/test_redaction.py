"""Redaction: what is secret leaves no trace, what is not stays as it is."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localruns import placeholders, schemas
from localruns.engine.recorded.exchange import Exchange, json_of
from localruns.engine.recorded.recording import as_text
from localruns.recordings.redaction import forms
from localruns.recordings.redaction.redactor import Redactor
from localruns.vendors import all_vendors
from tests.recordings import own
from tests.recordings.canaries import CANARIES, Canary, exchange

KEY = b"the key of this machine, 32 bytes"


def redactor(key: bytes = KEY, **environ: str) -> Redactor:
    return Redactor(key=key, environ=environ)


def traces(secret: str) -> set[bytes]:
    """All byte strings that would tell the secret, made without the code under test."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), json.dumps(secret)[1:-1].encode()}
    found |= {quote(secret, safe="").encode(), quote_plus(secret).encode(), quote(secret).encode()}
    found |= {"".join(f"%{byte:02{case}}" for byte in raw).encode() for case in "xX"}
    found |= {secret.encode("utf-16-le"), json.dumps(secret, ensure_ascii=False)[1:-1].encode()}
    for skip in range(3):
        # Whole groups of three bytes only, so that it does not matter what stands before and behind.
        inner = raw[skip : skip + (len(raw) - skip) // 3 * 3]
        found |= {base64.b64encode(inner), base64.urlsafe_b64encode(inner)}
    return {trace for trace in found if len(trace) >= 5}


def all_bytes(exchange: Exchange) -> bytes:
    request, reply = exchange.request, exchange.reply
    headers = [f"{name}: {value}" for name, value in (*request.headers, *reply.headers)]
    texts = [request.target, *headers, as_text(exchange), exchange.failed]
    return b"\n".join([*(text.encode() for text in texts), request.body, reply.body])


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_a_planted_secret_leaves_no_trace(canary: Canary) -> None:
    planted = canary.plant(canary.secret, canary.secret)
    clean = redactor().exchange(planted)
    assert any(trace in all_bytes(planted) for trace in traces(canary.secret)), "it was planted"
    assert not [trace for trace in traces(canary.secret) if trace in all_bytes(clean)], all_bytes(clean)


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_redacting_again_changes_nothing_whatever_the_key(canary: Canary) -> None:
    clean = redactor().exchange(canary.plant(canary.secret, canary.secret))
    assert redactor().exchange(clean) == clean
    assert redactor(b"another key").exchange(clean) == clean


# --- placeholders


def test_the_same_secret_has_the_same_placeholder_in_all_places_and_runs() -> None:
    secret = "q7Xv2LmN9pRt4KwZ8bYc3HsD"
    planted = exchange(
        f"/x?token={secret}", [("authorization", f"Bearer {secret}")], {"api_key": secret}, {"m": secret}
    )
    once, again = redactor().exchange(planted), redactor().exchange(planted)
    words = set(re.findall(placeholders.WORD, all_bytes(once).decode()))
    assert len(words) == 1
    assert again == once
    assert not words & set(re.findall(placeholders.WORD, all_bytes(redactor(b"other").exchange(planted)).decode()))


@pytest.mark.parametrize(
    ("secret", "form"),
    [
        ("1557702098194904", r"9[0-9]{15}"),
        ("3d0c1c0e-6f0a-4b52-9a0e-0f5f6f1f2a10", placeholders.UUID),
        ("ann@corp-mail.io", r"redacted-\w{16}@example\.invalid"),
        ("ocid1.user.oc1..aaaa", r"ocid1\.user\.oc1\.\.redacted-\w{16}"),
        ("ri.multipass..user.ann-1", r"ri\.multipass\.\.user\.redacted-\w{16}"),
        ("ri.multipass..user.3d0c1c0e-6f0a-4b52-9a0e-0f5f6f1f2a10", r"ri\.multipass\.\.user\." + placeholders.UUID),
        ("ncp-user-2100417", r"ncp-user-[0-9]{10}"),
        (":".join(["0f"] * 16), placeholders.FINGERPRINT),
        ("anything else", r"redacted-\w{16}"),
    ],
)
def test_a_placeholder_keeps_the_form_and_is_known_as_one(secret: str, form: str) -> None:
    placeholder = placeholders.stand_in(secret, KEY)
    assert re.fullmatch(form, placeholder)
    assert placeholders.is_placeholder(placeholder)
    assert placeholders.holds(f"before {placeholder}, behind")
    assert not placeholders.is_placeholder(secret)


def test_numbers_are_hardly_ever_taken_for_placeholders() -> None:
    draw = random.Random(7)
    taken = [n for n in range(20_000) if placeholders.is_placeholder(str(draw.randrange(10**15, 10**16)))]
    assert len(taken) <= 3


def test_a_secret_of_one_exchange_goes_from_those_after_it_and_once_learned_from_those_before() -> None:
    tells = exchange(headers=[("authorization", "Bearer q7Xv2LmN9pRt4KwZ8bYc3HsD")])
    holds = exchange(answer={"message": "unknown: q7Xv2LmN9pRt4KwZ8bYc3HsD"})
    after, before = redactor(), redactor()
    after.exchange(tells)
    before.learn(tells)
    for each in (after, before):
        assert b"q7Xv2LmN9pRt" not in all_bytes(each.exchange(holds))


def test_values_of_the_sdks_environment_variables_are_secrets_from_the_start() -> None:
    clean = redactor(FOUNDRY_TOKEN="tok-en-71", NCLOUD_SECRET_KEY="x" * 3).exchange(
        exchange(answer={"message": "tok-en-71 refused, xxx"})
    )
    assert b"tok-en-71" not in clean.reply.body
    assert clean.reply.body.endswith(b'refused, xxx"}')


def test_a_text_and_a_request_lose_what_is_known() -> None:
    known = redactor()
    known.exchange(exchange(headers=[("authorization", "Bearer q7Xv2LmN9pRt4KwZ8bYc3HsD")]))
    assert "q7Xv" not in known.text("sent q7Xv2LmN9pRt4KwZ8bYc3HsD")
    asked = exchange("/x?q=q7Xv2LmN9pRt4KwZ8bYc3HsD").request
    assert "q7Xv" not in known.request(asked).target


# --- what stays


def test_an_exchange_without_secrets_comes_back_byte_for_byte() -> None:
    odd = b'{ "a" :1.50,"b":[ ],\t"c":"\\u00e9\\/", "d": -0 }\n'
    same = exchange("/api/v1/runs?Name=a+b%2fc&x=&&y", [("accept", "*/*"), ("x-b3", "a, b")], b"", odd)
    assert redactor().exchange(same) == same


def test_only_the_secrets_of_a_body_change() -> None:
    clean = redactor().exchange(exchange(answer=b'{ "a" : 1.50, "password":"hunter2" ,"b":[ ] }')).reply.body
    assert re.fullmatch(rb'\{ "a" : 1\.50, "password":"redacted-\w{16}" ,"b":\[ \] \}', clean)


def test_the_length_that_headers_state_is_that_of_the_new_body() -> None:
    clean = redactor().exchange(exchange(answer={"password": "hunter2"}))
    assert dict(clean.reply.headers)["content-length"] == str(len(clean.reply.body))


@pytest.mark.parametrize(
    "content",
    [
        {"params": [{"key": "eos_token", "value": "</s>"}, {"key": "max_token", "value": "512"}]},
        {"tags": [{"key": "mlflow.user", "value": "alice"}], "info": {"user_id": "alice", "run_id": "ab" * 16}},
        {"tags": [{"key": "mlflow.source.git.commit", "value": "5f2b0c" * 6 + "abcd"}]},
        {"next_page_token": "eyJvZmZzZXQiOiAyfQ==", "token_type": "bearer", "scope": "api:models-read"},
        {"message": "Bearer authentication is needed; password must not be empty; token expired"},
        {"time": "2026-01-10T02:15:09.120Z", "created": "2025-01-05 09:00:00", "ms": 1768000000000},
        {"password": None, "secret": "", "api_key": "***", "token": "<TOKEN>"},
    ],
)
def test_what_only_resembles_a_secret_stays(content: object) -> None:
    same = exchange(answer=content)
    assert redactor().exchange(same) == same


@pytest.mark.parametrize("vendor", own.VENDORS)
def test_rows_tokens_and_times_of_walks_stay_and_answers_keep_the_schema(vendor: str, make_app: own.MakeApp) -> None:
    seen = own.recorded(make_app("quickstart"), lambda app: (own.walks(vendor)(app), own.errors(vendor)(app)))
    assert len(seen) > 10
    clean, traffic, key = redactor(), all_vendors()[vendor].traffic, all_vendors()[vendor].rows.key
    for one in seen:
        other = clean.exchange(one)
        content = json_of(other.reply.body)
        name = (
            "list-runs"
            if one.reply.status == 200
            else "oauth-error"
            if "error_description" in (content or {})
            else "error"
        )
        assert content is None or schemas.pointers(f"{vendor}/{name}.json", content) == ()
        before, after = traffic.told(one), traffic.told(other)
        if before and after:
            assert list(map(key, before.rows)) == list(map(key, after.rows))
            assert [times(row) for row in before.rows] == [times(row) for row in after.rows]
            assert (before.token, before.total) == (after.token, after.total)
        assert traffic.asked(one.request) == traffic.asked(other.request)


def times(row: object) -> list[object]:
    if isinstance(row, dict):
        found = [value for name, value in row.items() if "ime" in name]
        return [*found, *(inner for value in row.values() for inner in times(value))]
    return [inner for value in row for inner in times(value)] if isinstance(row, list) else []


def test_a_page_token_with_a_secret_leads_on_in_its_new_form() -> None:
    token = "v1." + base64.b64encode(b'{"offset": 20, "ownerId": "1557702098194911"}').decode()
    clean = redactor()
    first = clean.exchange(exchange(answer={"data": [], "nextPageToken": token}))
    second = clean.exchange(exchange(f"/x?pageToken={quote(token)}"))
    assert json_of(first.reply.body)["nextPageToken"] == second.request.arg("pageToken") != token


# --- any secret, anywhere

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F, exclude_characters="\x7f"), min_size=10).filter(
    lambda text: re.search(r"[0-9]", text) and re.search(r"[A-Za-z]{2}", text) and not forms.is_masked(text)
)
NAMES = st.sampled_from(["password", "access_token", "apiKey", "clientSecret", "x-acs-security-token"])
CODES = st.sampled_from(
    [
        lambda text: text,
        lambda text: quote(text, safe=""),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.urlsafe_b64encode(b"{" + text.encode() + b"}").decode().rstrip("="),
        lambda text: text.encode().hex(),
        lambda text: json.dumps({"deep": text}),
        lambda text: base64.b64encode(json.dumps({"deep": ["ab", text]}).encode()).decode(),
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(SECRETS, NAMES, CODES, st.sampled_from(["body", "query", "answer", "text"]))
def test_no_secret_survives_wherever_it_stands(secret: str, name: str, code: Callable[[str], str], where: str) -> None:
    headers = [("x-api-key", secret.encode().decode("latin-1"))] if where != "body" else []
    content = {
        "a": [{"b": f"said {code(secret)} so", "c": code(secret)}],
        **({name: secret} if where == "body" else {}),
    }
    planted = exchange(
        f"/x?q={quote_plus(code(secret))}" if where == "query" else "/x",
        headers,
        content if where == "body" else b"",
        content if where != "text" else f"sent {code(secret)}\n".encode(),
    )
    clean = redactor()
    once = clean.exchange(planted)
    assert not [trace for trace in traces(secret) if trace in all_bytes(once)], all_bytes(once)
    assert clean.exchange(once) == once
