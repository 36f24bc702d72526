"""Drift: what a vendor changes is found and classed; what it leaves as it is raises nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from localruns.engine.emulator import Emulator, Options
from localruns.engine.recorded.exchange import Exchange, reply_from, request_from
from localruns.paths import cache_dir
from localruns.recordings.drift.comparing import Report
from localruns.recordings.drift.kinds import CLASSES, KINDS
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.pagers import SEARCH
from tests.clients.provocations import PROVOCATIONS
from tests.recordings.own import VENDORS, MakeApp, compared, errors, recorded, walks
from tests.recordings.planting import BESIDES, FACTS, PLANTS, content, told

ROOT = Path(__file__).parents[2]
BUILT_IN = ("quickstart", "documented-samples", "empty", "exact-boundary", "every-error", "throttled-mid-walk")
EACH_VENDOR = pytest.mark.parametrize("vendor", VENDORS)


@cache
def recording(vendor: str) -> tuple[Exchange, ...]:
    """Walks and all errors of a vendor, as our own emulator answers them."""
    app = App(Emulator(all_vendors(), "quickstart", Options(cache=cache_dir())))
    return tuple(recorded(app, lambda app: (walks(vendor)(app), errors(vendor)(app))))


def kinds(report: Report) -> set[str]:
    return {finding.kind for finding in report.findings}


def said(report: Report) -> str:
    return "\n".join(f"{each.kind} {each.place}: {each.found}, expected {each.expected}" for each in report.findings)


@EACH_VENDOR
@pytest.mark.parametrize("scenario", BUILT_IN)
def test_our_own_traffic_shows_no_drift(make_app: MakeApp, vendor: str, scenario: str) -> None:
    def use(app: App) -> None:
        if scenario not in ("every-error", "throttled-mid-walk"):  # their walks end in refusals
            walks(vendor, (10, 1000))(app)
        walk_on(app, vendor)
        errors(vendor)(app)

    report = compared(recorded(make_app(scenario), use), vendor)
    assert not report.findings, said(report)
    assert report.good
    assert not report.notes


def walk_on(app: App, vendor: str) -> None:
    """Walk through a list, whatever is refused on the way."""
    from tests.clients.pagers import PAGERS

    client = app.test_client()
    for pager in (each for each in PAGERS if each.vendor == vendor):
        token: Any = None
        for _ in range(60):
            answer = pager.ask(client, 5, token, {})
            if answer.status_code != 200:
                continue
            token = pager.read(json.loads(answer.text), 5, token).next
            if token is None:
                break


@pytest.mark.parametrize("asked", PROVOCATIONS, ids=lambda asked: f"{asked.vendor}:{asked.code}")
def test_errors_that_are_provoked_show_no_drift(make_app: MakeApp, live: Any, asked: Any) -> None:
    app = make_app(asked.scenario)
    url = live(app)
    report = compared(recorded(app, lambda app: asked.send(url)), asked.vendor)
    assert not report.findings, said(report)


@EACH_VENDOR
@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_change_is_found_and_classed(vendor: str, name: str) -> None:
    classed, plant = PLANTS[name]
    planted = plant(vendor, list(recording(vendor)))
    if planted is None:
        pytest.skip(f"{vendor} cannot express it")
    report = compared(planted)
    kind = name.partition(" ")[0]
    assert kind in kinds(report), said(report)
    assert {each.classed for each in report.findings if each.kind == kind} == {classed}
    assert kinds(report) <= {kind, *BESIDES.get(kind, ())}, said(report)
    assert report.good == (not report.of("breaking"))


@EACH_VENDOR
def test_ten_kinds_at_least_are_planted_with_each_vendor(vendor: str) -> None:
    expressed = {name for name, (_, plant) in PLANTS.items() if plant(vendor, list(recording(vendor))) is not None}
    assert len(expressed) >= 13
    assert {name.partition(" ")[0] for name in PLANTS} <= KINDS.keys()


def test_a_finding_stands_once_with_its_count_and_first_place() -> None:
    planted = PLANTS["field-added"][1]("alibaba-pai", list(recording("alibaba-pai")))
    assert planted
    (finding,) = compared(planted).findings
    rows = sum(len(content(each).get("Runs", ())) for each in planted if each.reply.status == 200)
    assert (finding.place, finding.found) == ("ListRuns 200 /Runs/*/surprise", "list")
    assert (finding.count, finding.first) == (rows, "exchange 0")


@EACH_VENDOR
def test_findings_show_shapes_and_no_values(vendor: str) -> None:
    """The rows' own texts appear nowhere, whatever is planted."""
    texts = set()
    for each in recording(vendor):
        for row in content(each).get(FACTS[vendor].rows, ()) if each.reply.status == 200 else ():
            texts |= {value for value in (row | row.get("info", {})).values() if isinstance(value, str)}
    secret = {text for text in texts if len(text) > 8 and "RUN" not in text and not text.isupper()}
    assert len(secret) > 20
    for _, plant in PLANTS.values():
        report = compared(plant(vendor, list(recording(vendor))) or ())
        assert not [text for text in secret if text in said(report)]


def test_nothing_compared_is_no_success() -> None:
    other = Exchange(request_from("GET", "/somewhere"), reply_from(200, body=b"{}"))
    failed = told(recording("naver-nsml")[0])
    failed = Exchange(failed.request, failed.reply, failed="no answer")
    for exchanges in ((), (other,), (failed,)):
        report = compared(exchanges)
        assert report.nothing
        assert not report.good
        assert not report.findings


def test_only_the_vendor_that_is_asked_for_is_compared() -> None:
    both = [*recording("naver-nsml"), *recording("alibaba-pai")]
    assert [each.vendor for each in compared(both).compared] == ["naver-nsml", "alibaba-pai"]
    report = compared(both, "naver-nsml")
    assert [each.vendor for each in report.compared] == ["naver-nsml"]
    assert "exchanges of vendors that were not asked for" in " ".join(report.notes)


def test_placeholders_are_no_drift() -> None:
    """A redacted value may have lost its form; that says nothing of the vendor."""
    changed = []
    for each in recording("palantir-foundry"):
        body = content(each)
        for row in body.get("data", ()) if each.reply.status == 200 else ():
            row["startedBy"] = row["buildRid"] = "redacted-0123456789abcdef"
        if body.get("nextPageToken"):
            body["nextPageToken"] = "redacted-" + f"{abs(len(changed)):016x}"
        changed.append(told(each, body=body) if each.reply.body else each)
    assert not compared(changed).findings


def golden(path: str) -> list[Exchange]:
    """Whole answers of a real MLflow server, as if they had been asked for at that path."""
    cases = json.loads((ROOT / "tests/golden/mlflow/cases.json").read_text("utf-8"))
    return [
        Exchange(
            request_from("POST", path, (), json.dumps(sample["request"]).encode()),
            reply_from(sample["status"], (), json.dumps(sample["body"]).encode()),
        )
        for sample in cases["response_samples"]
    ]


@pytest.mark.parametrize("path", ["/api/2.0/mlflow/runs/search", "/ajax-api/2.0/mlflow/runs/search"])
def test_what_a_real_mlflow_server_answered_shows_no_drift(path: str) -> None:
    report = compared(golden(path))
    assert not report.findings, said(report)
    assert report.compared[0].lists == len(golden(path)) > 5


def test_mlflow_answers_at_the_path_of_the_platform_differ_where_the_platform_s_page_says_otherwise() -> None:
    """MLflow leaves an empty list out and names errors otherwise; the platform's page does neither."""
    report = compared(golden(SEARCH))
    removed = {each.place for each in report.findings if each.kind == "field-removed"}
    assert removed == {"runs/search 200 /runs", "runs/search errors /code"}


def test_a_page_beyond_the_cap_is_an_addition(make_app: MakeApp) -> None:
    app = make_app(vendor="palantir-foundry", runs=[{"generate": 130}], settings={"max_page_size": 120})
    report = compared(recorded(app, walks("palantir-foundry", (1000,))))
    assert {(each.kind, each.classed) for each in report.findings} == {("page-cap", "additive")}


def test_a_page_size_that_is_none_says_nothing_of_sizes(make_app: MakeApp) -> None:
    exchanges = recorded(make_app(vendor="oracle-aidp", runs=[{"generate": 12}]), walks("oracle-aidp", (1000,)))
    odd = [replace(each.request, body=b'{"experiment_ids": ["1"], "max_results": -5}') for each in exchanges]
    report = compared([replace(each, request=request) for each, request in zip(exchanges, odd, strict=True)])
    assert not report.findings, said(report)


def test_ties_in_another_order_are_cosmetic(make_app: MakeApp) -> None:
    same = {"generate": 4, "set": {"createTime": "2026-01-01 00:00:00"}}
    exchanges = recorded(make_app(vendor="naver-nsml", runs=[same]), walks("naver-nsml", (1000,)))
    body = content(exchanges[0])
    body["runList"].reverse()
    report = compared([told(exchanges[0], body=body)])
    assert [(each.kind, each.classed) for each in report.findings] == [("tie-order", "cosmetic")]


@pytest.mark.parametrize(
    ("entry", "vendor", "kind"),
    [
        ("repeat-token", "oracle-aidp", "token-repeated"),
        ("fresh-token-same-rows", "oracle-aidp", "order"),
        ("short-page", "palantir-foundry", "page-size"),
        ("page-size-drift", "alibaba-pai", "page-size"),
        ("total-absent", "alibaba-pai", "total-absent"),
        ("dup-across-pages", "alibaba-pai", "total"),
    ],
)
def test_torture_that_breaks_a_claim_is_drift(make_app: MakeApp, entry: str, vendor: str, kind: str) -> None:
    def use(app: App) -> None:
        from tests.clients.pagers import PAGERS

        client = app.test_client()
        pager = next(each for each in PAGERS if each.vendor == vendor)
        token: Any = None
        for _ in range(15):
            body = json.loads(pager.ask(client, 10, token, {}).text)
            token = body.get(FACTS[vendor].token)
            if not token:
                return

    assert kind in kinds(compared(recorded(make_app(entry), use)))


def test_paging_is_not_compared_where_a_file_lacks_what_was_asked(make_app: MakeApp) -> None:
    exchanges = recorded(make_app(vendor="oracle-aidp", runs=[{"generate": 12}]), walks("oracle-aidp", (5,)))
    lacking = [replace(each, request=replace(each.request, body=b"")) for each in exchanges]
    report = compared(lacking)
    assert not report.findings, said(report)
    assert report.notes == ["oracle-aidp: requests came without their body, so their paging was not compared"]


def test_each_kind_has_a_rule_that_the_documentation_states() -> None:
    page = (ROOT / "docs" / "recordings.md").read_text("utf-8")
    for kind in KINDS.values():
        assert kind.classed in CLASSES
        assert f"| `{kind.name}` | {kind.classed} | {kind.what} | {kind.rule} |" in page, kind.name
