"""Rate limits: the vendor's own 429, windows of virtual time, one per credential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localruns.engine.scenario import Source, interpret
from localruns.errors import ConfigError
from localruns.surfaces.http import App
from localruns.vendors import IDS, all_vendors
from tests.clients.pagers import PAGERS

BY_VENDOR = {pager.vendor: pager for pager in PAGERS}


def limited(vendor: str, limit: Any) -> dict[str, Any]:
    return {"scenario": "limited", "vendors": {vendor: {"runs": []}}, "rate_limit": {vendor: limit}}


@pytest.mark.parametrize("vendor", IDS)
def test_calls_beyond_the_limit_are_throttled_until_the_window_moves_on(
    make_app: Callable[..., App], vendor: str
) -> None:
    app = make_app(limited(vendor, {"calls": 3, "per_s": 10}))
    client, clock = app.test_client(), app.emulator.space("default").clock
    clock.freeze()

    def statuses(count: int) -> list[int]:
        return [BY_VENDOR[vendor].ask(client, 5, None, {}).status_code for _ in range(count)]

    assert statuses(5) == [200, 200, 200, 429, 429]
    clock.advance(9.9)
    assert statuses(1) == [429]
    clock.advance(0.2)
    assert statuses(4) == [200, 200, 200, 429]


def test_the_answer_names_the_wait_and_the_journal_the_limit(make_app: Callable[..., App]) -> None:
    app = make_app(limited("alibaba-pai", {"calls": 1, "per_s": 4}))
    client = app.test_client()
    app.emulator.space("default").clock.freeze()
    for _ in range(2):
        answer = BY_VENDOR["alibaba-pai"].ask(client, 5, None, {})
    assert (answer.json["Code"], answer.headers["x-acs-retry-after"]) == ("Throttling.User", "4000")
    why = client.get("/__admin/requests").json["requests"][-1]["why"]
    assert "rate limit of 1 calls in 4 s: the next is free in 4.000 s" in why
    assert "frozen and will never come to it" in why


def test_each_credential_has_a_window_of_its_own(make_app: Callable[..., App]) -> None:
    client = make_app(limited("palantir-foundry", {"calls": 1, "per_s": 60})).test_client()
    path = (
        "/api/v2/models/modelStudios/ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890/runs?preview=true"
    )
    found = [client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code for token in "aabb"]
    assert found == [200, 429, 200, 429]


def test_published_quotas_are_ready_to_use(make_app: Callable[..., App]) -> None:
    app = make_app(limited("alibaba-pai", "published"))
    client = app.test_client()
    app.emulator.space("default").clock.freeze()
    found = [BY_VENDOR["alibaba-pai"].ask(client, 5, None, {}).status_code for _ in range(51)]
    assert found == [200] * 50 + [429]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("naver-nsml: published", "rate_limit.naver-nsml: found 'published', but naver-nsml publishes no quota"),
        ("alibaba-pai: sometimes", "found 'sometimes', expected published"),
        ("alibaba-pai: {calls: 0, per_s: 1}", "found 0, expected 1 or more"),
        ("alibaba-pai: {calls: 1}", "found no 'per_s'"),
        ("oracle-aidp: {calls: 1, per_s: 1}", "which this scenario holds no data for"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(text: str, words: str) -> None:
    head = "scenario: x\nvendors: {alibaba-pai: {}, naver-nsml: {}}\nrate_limit:\n  "
    with pytest.raises(ConfigError) as raised:
        interpret(Source(head + text, "x.yaml"), all_vendors())
    assert words in str(raised.value)
    assert str(raised.value).startswith("x.yaml:4: ")
