"""Every error that a platform sends of itself is had by a real request, none by a fault or a wish."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.provocations import ORDINARY, PROVOCATIONS, Provocation

Make = Callable[..., App]
Serve = Callable[[App], str]


def served(make_app: Make, live: Serve, asked: Provocation) -> tuple[App, str]:
    app = make_app(asked.scenario)
    return app, live(app)


@pytest.mark.parametrize("asked", PROVOCATIONS, ids=lambda asked: f"{asked.vendor}:{asked.code}")
def test_the_request_is_refused_with_the_error(make_app: Make, live: Serve, asked: Provocation) -> None:
    app, url = served(make_app, live, asked)
    table = all_vendors()[asked.vendor].errors

    status, body = asked.send(url)

    entry = [*app.emulator.space("default").journal][-1]
    assert entry.refusal is not None
    assert table.row(entry.refusal.kind, entry.refusal.code).code == asked.code
    assert status == table.by_code[asked.code].status
    assert entry.refusal.detail
    assert not entry.refusal.detail.startswith(("fault ", "asked for by"))
    assert asked.code.removeprefix("nsml-") in body or not body


@pytest.mark.parametrize("vendor", ORDINARY)
def test_the_same_request_without_the_difference_is_answered(make_app: Make, live: Serve, vendor: str) -> None:
    plain = Provocation(vendor, "")
    _, url = served(make_app, live, plain)
    assert plain.send(url)[0] == 200


def test_a_signed_request_without_the_difference_is_answered(make_app: Make, live: Serve) -> None:
    used = next(each for each in PROVOCATIONS if each.code == "SignatureNonceUsed")
    once = Provocation(used.vendor, "", auth="verify", signed=used.signed, secret=used.secret)
    _, url = served(make_app, live, once)
    assert once.send(url)[0] == 200


@pytest.mark.parametrize("vendor", ORDINARY)
def test_all_errors_but_the_injected_ones_are_provoked(vendor: str) -> None:
    own = [row.code for row in all_vendors()[vendor].errors.rows if not row.injected]
    assert [asked.code for asked in PROVOCATIONS if asked.vendor == vendor] == own


@pytest.mark.parametrize("vendor", ORDINARY)
def test_the_table_says_when_each_comes(vendor: str) -> None:
    assert all(row.when for row in all_vendors()[vendor].errors.rows if not row.injected)
