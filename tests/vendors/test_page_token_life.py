"""Text page tokens age where a scenario says so, by the namespace's own clock; else they hold no time at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from localruns.surfaces.http import App
from tests.clients.pagers import PAGERS, Pager

TEXT = [pager for pager in PAGERS if pager.vendor in ("oracle-aidp", "palantir-foundry")]
pytestmark = pytest.mark.parametrize("pager", TEXT, ids=lambda pager: f"{pager.vendor}-{pager.style}")
MakeApp = Callable[..., App]


def test_a_token_is_good_until_its_time_ends(make_app: MakeApp, pager: Pager) -> None:
    app = make_app(vendor=pager.vendor, settings={"page_token_ttl_s": 60})
    client, clock = app.test_client(), app.emulator.space("default").clock
    clock.freeze()
    first = pager.page(client, 10)
    clock.advance(59.999)
    assert pager.page(client, 10, first.next).rows
    clock.advance(0.001)
    refused = pager.ask(client, 10, first.next, {})
    assert refused.status_code == 400
    (*_, entry) = app.emulator.space("default").journal
    assert "ended 0 s of virtual time ago" in str(entry.refusal)


def test_each_page_brings_a_token_with_time_of_its_own(make_app: MakeApp, pager: Pager) -> None:
    app = make_app(vendor=pager.vendor, settings={"page_token_ttl_s": 60})
    client, clock = app.test_client(), app.emulator.space("default").clock
    token, seen = None, []
    for _ in range(3):
        page = pager.page(client, 10, token)
        token, seen = page.next, [*seen, *map(pager.key, page.rows)]
        clock.advance(50)
    assert token is None
    assert len(seen) == len(set(seen)) == 25


def test_without_the_setting_a_token_holds_no_time(make_app: MakeApp, pager: Pager) -> None:
    app = make_app(vendor=pager.vendor)
    client, space = app.test_client(), app.emulator.space("default")
    token = pager.page(client, 10).next
    space.clock.advance(10_000_000)
    assert pager.page(client, 10).next == token
    assert pager.page(client, 10, token).rows
