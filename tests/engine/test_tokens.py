"""Page tokens: only the one text that was given out is a token."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localruns.engine.query import Condition, Field, Order, Query
from localruns.engine.tokens import PageToken, TokenError, fingerprint, seal, unseal
from tests.clients.pagers import SEARCH

TOKEN = PageToken(namespace="default", query="0123456789ab", size=10, offset=20, version=1, page=3)
TEXT = seal(TOKEN, 7, "oracle-aidp")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. \n%é"


@given(st.builds(PageToken, st.text(max_size=20), st.text(max_size=12), *[st.integers(0, 2**63 - 1)] * 4))
def test_a_token_is_read_back(token: PageToken) -> None:
    text = seal(token, 7, "v")
    assert unseal(text, 7, "v") == token
    assert text == seal(token, 7, "v")
    assert set(text) <= set(ALPHABET[:64])


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(ALPHABET))
def test_an_edited_token_is_refused(place: int, char: str) -> None:
    edited = TEXT[:place] + char + TEXT[place + 1 :]
    if edited != TEXT:
        with pytest.raises(TokenError, match=r"base64url text|signature does not match"):
            unseal(edited, 7, "oracle-aidp")


@given(st.integers(0, len(TEXT)), st.sampled_from(ALPHABET))
def test_a_token_with_a_character_more_is_refused(place: int, char: str) -> None:
    with pytest.raises(TokenError):
        unseal(TEXT[:place] + char + TEXT[place:], 7, "oracle-aidp")


@given(st.integers(0, len(TEXT) - 1), st.integers(0, len(TEXT)))
def test_a_cut_token_is_refused(start: int, end: int) -> None:
    if (start, end) != (0, len(TEXT)):
        with pytest.raises(TokenError):
            unseal(TEXT[start:end], 7, "oracle-aidp")


@given(st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(TokenError):
        unseal(text, 7, "oracle-aidp")


@pytest.mark.parametrize(("seed", "vendor"), [(8, "oracle-aidp"), (7, "palantir-foundry")])
def test_a_token_of_another_seed_or_vendor_is_refused(seed: int, vendor: str) -> None:
    with pytest.raises(TokenError, match="from another scenario or vendor"):
        unseal(TEXT, seed, vendor)


def test_fingerprints_tell_queries_apart() -> None:
    name, tag = Field("a"), Field("a", "tags")
    queries = [
        Query("v", scope, conditions, order)
        for scope in ("", "s")
        for conditions in ((), (Condition(name, "=", "1"),), (Condition(name, "=", 1),), (Condition(tag, "=", "1"),))
        for order in ((), (Order(name),), (Order(name, True),))
    ]
    assert len({fingerprint(query) for query in queries}) == len(queries)


@pytest.fixture
def ask(make_app: Callable[..., Any]) -> Callable[..., Any]:
    def make(binding: str) -> Any:
        app = make_app(vendor="oracle-aidp", settings={"token_binding": binding})
        client = app.test_client()

        def post(**body: Any) -> Any:
            body = {"experiment_ids": ["1"], "max_results": 5, **body}
            answer = client.post(
                SEARCH, data=json.dumps(body), headers={"Authorization": "Bearer x", "Content-Type": "application/json"}
            )
            entry = list(app.emulator.space("default").journal)[-1]
            return answer.status_code, answer.json, str(entry.refusal.detail if entry.refusal else "")

        return post

    return make


@pytest.mark.parametrize(
    ("binding", "filter_status", "size_status"), [("none", 200, 200), ("query", 400, 200), ("query_and_size", 400, 400)]
)
def test_a_token_is_bound_as_the_setting_says(
    ask: Callable[..., Any], binding: str, filter_status: int, size_status: int
) -> None:
    post = ask(binding)
    _, first, _ = post()
    token = first["next_page_token"]
    assert post(page_token=token)[0] == 200
    status, _, why = post(page_token=token, filter="attributes.status = 'FINISHED'")
    assert (status, "another filter, order or resource" in why) == (filter_status, filter_status == 400)
    status, _, why = post(page_token=token, max_results=6)
    assert (status, "a page size of 5, not 6" in why) == (size_status, size_status == 400)


def test_a_token_of_another_namespace_is_refused_with_the_reason(ask: Callable[..., Any]) -> None:
    post = ask("none")
    _, first, _ = post()
    token = unseal(first["next_page_token"], 1, "oracle-aidp")
    foreign = seal(PageToken("elsewhere", token.query, token.size, token.offset, 0, 2), 1, "oracle-aidp")
    status, _, why = post(page_token=foreign)
    assert status == 400
    assert "it was given out in the namespace 'elsewhere'" in why
