"""What becomes of a `max_results` above the limit, and of none at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from localruns.surfaces.http import App
from tests.clients.pagers import HEADERS, SEARCH

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(make_app: Callable[..., App]) -> Ask:
    """`ask(body, setting=value, ...)`: (status, body) of one search."""

    def post(body: dict[str, Any], **settings: Any) -> tuple[int, Any]:
        client = make_app(vendor="oracle-aidp", settings=settings).test_client()
        body = {"experiment_ids": ["1"], **body}
        answer = client.post(SEARCH, data=json.dumps(body), headers=HEADERS["oracle-aidp"])
        return answer.status_code, answer.json

    return post


@pytest.mark.parametrize("size", [11, 50_000, "11", 11.0, 2**40])
def test_a_larger_size_is_cut_where_the_scenario_says_so(ask: Ask, size: Any) -> None:
    status, body = ask({"max_results": size}, max_page_size=10, too_large="clamp")
    assert (status, len(body["runs"])) == (200, 10)


@pytest.mark.parametrize("size", [11, 50_000, "11"])
def test_a_larger_size_is_refused_by_default(ask: Ask, size: Any) -> None:
    status, body = ask({"max_results": size}, max_page_size=10)
    assert status == 400
    assert "expected an integer from 1 to 10" in body["message"]


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "x", None])
@pytest.mark.parametrize("too_large", ["refuse", "clamp"])
def test_what_is_no_size_is_refused_in_both_ways(ask: Ask, size: Any, too_large: str) -> None:
    assert ask({"max_results": size}, max_page_size=10, too_large=too_large)[0] == 400


@pytest.mark.parametrize("too_large", ["refuse", "clamp"])
def test_an_absent_size_is_never_refused(ask: Ask, too_large: str) -> None:
    status, body = ask({}, max_page_size=10, too_large=too_large)
    assert (status, len(body["runs"])) == (200, 10)
