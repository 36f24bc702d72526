"""Verifying: our answers beside recorded ones; what differs is shown, what must differ is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localruns.engine.emulator import Emulator, Options
from localruns.engine.recorded.exchange import Exchange, reply_from, request_from
from localruns.paths import cache_dir
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.redaction.redactor import Redactor
from localruns.recordings.verifying.asking import Verified, emulator_of, rebuilt, verify
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.pagers import HEADERS, PAGERS
from tests.clients.provocations import PROVOCATIONS, Provocation
from tests.recordings.own import VENDORS, MakeApp, errors, placed, recorded, walks
from tests.recordings.planting import FACTS, content, pages, told

EACH_VENDOR = pytest.mark.parametrize("vendor", VENDORS)


def verified(exchanges: Sequence[Exchange], folder: Path, only: str = "") -> Verified:
    """Our answers, out of the scenario that the exchanges themselves give."""
    made = rebuilt(exchanges, all_vendors(), only)
    if not made.text:
        return Verified((), made.notes)
    ours = emulator_of(made.text, all_vendors(), folder)
    return verify(placed(exchanges), all_vendors(), ours, only=only, unfinished=made.unfinished, left=Leftovers())


def differing(report: Verified) -> dict[str, set[str]]:
    """The pointers at which each exchange differs."""
    return {each.place: {found.pointer for found in each.differences} for each in report.of("differs")}


def traffic(vendor: str, app: App, sizes: Sequence[int] = (7, 1000)) -> list[Exchange]:
    return recorded(app, lambda app: (walks(vendor, sizes)(app), errors(vendor)(app)))


@EACH_VENDOR
@pytest.mark.parametrize("scenario", ["quickstart", "documented-samples", "exact-boundary"])
def test_our_own_traffic_is_answered_the_same(make_app: MakeApp, tmp_path: Path, vendor: str, scenario: str) -> None:
    exchanges = traffic(vendor, make_app(scenario), (10, 1000))
    # A wish reaches nobody but us: a real recording has none where the error is one of the platform's own.
    exchanges = [_unwished(each) if each.reply.status in (401, 403, 429, 500, 503) else each for each in exchanges]
    report = verified(exchanges, tmp_path)
    assert not differing(report)
    assert report.good
    assert len(report.of("same")) == len(exchanges) > 15


def _unwished(exchange: Exchange) -> Exchange:
    kept = tuple(pair for pair in exchange.request.headers if pair[0] != "prefer")
    return replace(exchange, request=replace(exchange.request, headers=kept))


@pytest.mark.parametrize("asked", PROVOCATIONS, ids=lambda asked: f"{asked.vendor}:{asked.code}")
def test_an_error_that_is_provoked_is_answered_the_same(
    make_app: MakeApp, live: Any, tmp_path: Path, asked: Provocation
) -> None:
    """Those of the request by our own rules, those of the caller or the platform by name."""
    good, app = make_app(vendor=asked.vendor), make_app(asked.scenario)
    url = live(app)
    refused = [each for each in recorded(app, lambda app: asked.send(url)) if each.reply.status >= 400]
    exchanges = [*recorded(good, walks(asked.vendor, (7,))), *refused]
    report = verified(exchanges, tmp_path)
    assert not differing(report)
    assert len(report.of("same")) >= len(exchanges) - 1


@EACH_VENDOR
def test_a_redacted_recording_is_answered_the_same(make_app: MakeApp, tmp_path: Path, vendor: str) -> None:
    redactor = Redactor(key=b"the key of this machine, 32 bytes")
    exchanges = [redactor.exchange(each) for each in traffic(vendor, make_app("quickstart"))]
    report = verified(exchanges, tmp_path)
    assert not differing(report)
    assert len(report.of("same")) == len(exchanges)


@EACH_VENDOR
def test_another_scenario_answers_otherwise(make_app: MakeApp, tmp_path: Path, vendor: str) -> None:
    exchanges = recorded(make_app(vendor=vendor, runs=[{"generate": 12}]), walks(vendor, (5,)))
    empty = Emulator(all_vendors(), "empty", Options(cache_dir()))
    report = verify(placed(exchanges), all_vendors(), empty, prefer=False)
    rows = FACTS[vendor].rows
    assert f"/{rows}/0" in differing(report)["exchange 0"]
    assert not report.good


@EACH_VENDOR
def test_a_value_of_a_row_that_differs_is_named(make_app: MakeApp, tmp_path: Path, vendor: str) -> None:
    app, facts = make_app(vendor=vendor, runs=[{"generate": 12}]), FACTS[vendor]
    exchanges = recorded(app, walks(vendor, (5,)))
    index = pages(vendor, exchanges)[0]
    body = content(exchanges[index])
    row = body[facts.rows][1]
    (row[facts.inner] if facts.inner else row)["added"] = "anything"
    changed = [*exchanges[:index], told(exchanges[index], body=body), *exchanges[index + 1 :]]
    report = verify(placed(changed), all_vendors(), app.emulator, prefer=False)
    way = f"{facts.inner}/" if facts.inner else ""
    assert differing(report) == {f"exchange {index}": {f"/{facts.rows}/1/{way}added"}}
    (difference,) = report.of("differs")[0].differences
    assert (difference.ours, difference.recorded) == ("absent", '"anything"')


@pytest.mark.parametrize(
    ("vendor", "change", "pointer", "ours", "recorded_"),
    [
        ("alibaba-pai", {"NextPageToken": None}, "/NextPageToken", "integer", "null"),
        ("oracle-aidp", {"next_page_token": ""}, "/next_page_token", "text", "empty text"),
        ("palantir-foundry", {"nextPageToken": 7}, "/nextPageToken", "text", "integer"),
        ("naver-nsml", {"totalCount": 99}, "/totalCount", "12", "99"),
        ("naver-nsml", {"more": True}, "/more", "absent", "true or false"),
    ],
)
def test_a_form_that_differs_is_named(
    make_app: MakeApp, vendor: str, change: dict[str, Any], pointer: str, ours: str, recorded_: str
) -> None:
    app = make_app(vendor=vendor, runs=[{"generate": 12}])
    first = recorded(app, walks(vendor, (5,)))[0]
    changed = told(first, body={**content(first), **change})
    (outcome,) = verify(placed([changed]), all_vendors(), app.emulator, prefer=False).outcomes
    assert [(each.pointer, each.ours, each.recorded) for each in outcome.differences] == [(pointer, ours, recorded_)]


def test_a_status_that_differs_comes_with_our_reason(make_app: MakeApp) -> None:
    app = make_app(vendor="naver-nsml", runs=[{"generate": 3}])
    asked = request_from("GET", "/nsml/v1/projects/runs?pageSize=none", _headers("naver-nsml"))
    took_it = Exchange(asked, reply_from(200, body=b'{"runList": [], "totalCount": 0}'))
    (outcome,) = verify(placed([took_it]), all_vendors(), app.emulator).outcomes
    assert [each.pointer for each in outcome.differences] == ["status"]
    assert outcome.differences[0].ours == "400 400"
    assert "pageSize" in outcome.note


def test_a_header_that_clients_act_on_is_compared(make_app: MakeApp) -> None:
    app = make_app(vendor="alibaba-pai", runs=[{"generate": 3}])
    throttled = next(each for each in recorded(app, errors("alibaba-pai")) if each.reply.status == 429)
    waitless = tuple(pair for pair in throttled.reply.headers if pair[0] != "x-acs-retry-after")
    (outcome,) = verify(placed([told(throttled, headers=waitless)]), all_vendors(), app.emulator).outcomes
    assert [(each.pointer, each.ours) for each in outcome.differences] == [("header x-acs-retry-after", "there")]


@pytest.mark.parametrize("vendor", ["oracle-aidp", "palantir-foundry"])
def test_a_walk_whose_beginning_is_missing_is_not_replayed(make_app: MakeApp, tmp_path: Path, vendor: str) -> None:
    exchanges = recorded(make_app(vendor=vendor, runs=[{"generate": 12}]), walks(vendor, (5,)))
    whole, cut = exchanges[:3], exchanges[1:3]
    assert [each.result for each in verified(whole, tmp_path).outcomes] == ["same"] * 3
    report = verified(cut, tmp_path)
    assert [each.result for each in report.outcomes] == ["skipped", "skipped"]
    assert "token" in report.outcomes[0].note
    assert report.nothing
    assert not report.good


def test_nothing_to_replay_is_no_success(tmp_path: Path) -> None:
    other = Exchange(request_from("GET", "/somewhere"), reply_from(200, body=b"{}"))
    for exchanges in ((), (other,)):
        report = verified(exchanges, tmp_path)
        assert report.nothing
        assert not report.good


def test_an_error_that_no_request_brings_about_is_asked_for_by_name(make_app: MakeApp, tmp_path: Path) -> None:
    exchanges = recorded(make_app("throttled-mid-walk"), _throttled_walk)
    assert sorted({each.reply.status for each in exchanges}) == [200, 429]
    report = verified(exchanges, tmp_path)
    assert not differing(report)
    assert not report.of("skipped")


def _throttled_walk(app: App) -> None:
    pager, client, token = next(each for each in PAGERS if each.vendor == "naver-nsml"), app.test_client(), None
    for _ in range(20):
        answer = pager.ask(client, 10, token, {})
        text = answer.text  # an answer that nobody reads was never sent
        if answer.status_code == 200:
            token = pager.read(json.loads(text), 10, token).next
            if token is None:
                return


def _headers(vendor: str) -> list[tuple[str, str]]:
    return list(HEADERS[vendor].items())


def test_rows_in_another_order_are_told_once(make_app: MakeApp) -> None:
    app = make_app(vendor="naver-nsml", runs=[{"generate": 12}])
    first = recorded(app, walks("naver-nsml", (5,)))[0]
    body = content(first)
    body["runList"].reverse()
    (outcome,) = verify(placed([told(first, body=body)]), all_vendors(), app.emulator).outcomes
    (difference,) = outcome.differences
    assert difference.pointer == "/runList/0"
    assert "which stands at 4 there" in difference.ours


def test_the_order_within_a_row_s_lists_does_not_count(make_app: MakeApp) -> None:
    app = make_app(vendor="oracle-aidp", runs=[{"generate": 3}])
    first = recorded(app, walks("oracle-aidp", (5,)))[0]
    body = json.loads(first.reply.body)
    for row in body["runs"]:
        row["data"]["tags"].reverse()
        row["data"]["metrics"].reverse()
    (outcome,) = verify(placed([told(first, body=body)]), all_vendors(), app.emulator).outcomes
    assert outcome.result == "same"


@EACH_VENDOR
def test_where_a_list_goes_on_that_a_file_shows_in_part_is_not_compared(
    make_app: MakeApp, tmp_path: Path, vendor: str
) -> None:
    exchanges = recorded(make_app(vendor=vendor, runs=[{"generate": 12}]), walks(vendor, (5,)))
    report = verified(exchanges[:2], tmp_path)
    assert [each.result for each in report.outcomes] == ["same", "same"]
    assert "lists of which the file does not show all pages: 2" in " ".join(report.notes)
    assert not differing(verified(exchanges[:3], tmp_path))
    fewer = content(exchanges[0])
    del fewer[FACTS[vendor].rows][0]
    rows = verified([told(exchanges[0], body=fewer), exchanges[0]], tmp_path)
    assert f"/{FACTS[vendor].rows}/0" in differing(rows)["exchange 0"]


def test_a_request_whose_body_a_file_lacks_is_not_replayed(make_app: MakeApp, tmp_path: Path) -> None:
    exchanges = recorded(make_app(vendor="oracle-aidp", runs=[{"generate": 3}]), walks("oracle-aidp", (5,)))
    lacking = replace(exchanges[0], request=replace(exchanges[0].request, body=b""))
    report = verified([lacking, *exchanges], tmp_path)
    assert report.outcomes[0].note == "the file does not hold the body of the request"
    assert [each.result for each in report.outcomes] == ["skipped", *["same"] * len(exchanges)]
