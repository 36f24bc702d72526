"""The last line: what breaks in us is a loud 500 and an entry in the journal, never a wrong answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from localruns.engine.emulator import Emulator, Options
from localruns.engine.journal import Entry
from localruns.engine.message import Reply
from localruns.errors import ConfigError
from localruns.paths import cache_dir
from localruns.surfaces.http import App
from localruns.vendors import all_vendors

HEADERS = {"Authorization": "ACS3-HMAC-SHA256 Credential=any,SignedHeaders=host,Signature=00"}
URL = "/api/v1/runs?PageSize=5"


@pytest.fixture
def app(tmp_path: Any) -> App:
    """An emulator whose Alibaba may be changed by `break_`."""
    path = tmp_path / "x.yaml"
    text = "scenario: x\nvendors: {alibaba-pai: {runs: [{generate: 9}]}}\n"
    path.write_text(text + "timeline: [{vendor: alibaba-pai, after: {page: 1}, insert: [{generate: 1}]}]\n", "utf-8")
    return App(Emulator(all_vendors(), str(path), Options(cache=cache_dir())))


def break_(app: App, **changes: Any) -> None:
    """Put a changed Alibaba into the emulator's routes; `answer` and `check` change its endpoint."""
    vendor = app.emulator.vendors["alibaba-pai"]
    endpoint = vendor.endpoints[0]
    if "answer" in changes:
        wrapped, inner = changes.pop("answer"), endpoint.answer
        endpoint = replace(endpoint, answer=lambda call: wrapped(inner(call)))
    if "check" in changes:
        endpoint = replace(endpoint, checks=(changes.pop("check"), *endpoint.checks))
    broken = replace(vendor, endpoints=(endpoint,), **changes)
    app.emulator.router = type(app.emulator.router)([broken])


def get(app: App) -> tuple[int, str, dict[str, Any], Entry]:
    answer = app.test_client().get(URL, headers=HEADERS)
    entry = list(app.emulator.space("default").journal)[-1]
    return answer.status_code, answer.content_type, json.loads(answer.data), entry


def fail(*_: Any) -> Any:
    raise KeyError("oops")


def state(app: App) -> Any:
    return app.emulator.space("default").states["alibaba-pai"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"NextPageToken": "5"}, "/NextPageToken: "),
        ({"TotalCount": -1}, "/TotalCount: "),
        ({"Extra": 1}, "/: "),
        ({"Runs": [{"RunId": 5}]}, "/Runs/0"),
    ],
)
def test_an_answer_that_breaks_its_schema_is_never_sent(app: App, change: dict[str, Any], pointer: str) -> None:
    break_(app, answer=lambda reply: replace(reply, content={**reply.content, **change}))
    status, kind, body, entry = get(app)
    assert (status, kind, body["title"]) == (500, "application/problem+json", "contract breach")
    assert pointer in body["detail"]
    assert "alibaba-pai/list-runs.json" in body["detail"]
    assert entry.defect == body["detail"]
    assert (state(app).version, state(app).rows) == (0, 0)


def test_an_error_body_that_breaks_its_schema_is_never_sent(app: App) -> None:
    break_(app, refuse=lambda refusal, call: Reply(400, {"Code": 5}, "alibaba-pai/error.json"))
    answer = app.test_client().get(URL)
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    (entry,) = app.emulator.space("default").journal
    assert "alibaba-pai/error.json" in entry.defect


@pytest.mark.parametrize("where", ["answer", "check"])
def test_a_bug_in_a_vendor_is_the_vendors_own_500_and_a_defect(
    app: App, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    break_(app, **{where: fail})
    status, kind, body, entry = get(app)
    assert (status, body["Code"]) == (500, "InternalError")
    assert kind.startswith("application/json")
    assert entry.defect == "KeyError: 'oops'"
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "defect while answering GET /api/v1/runs" in record.getMessage()
    assert record.exc_info
    assert state(app).version == 0


def test_a_vendor_that_cannot_even_refuse_is_a_problem_and_a_defect(app: App, caplog: pytest.LogCaptureFixture) -> None:
    break_(app, refuse=fail)
    answer = app.test_client().get(URL)
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert answer.json["detail"] == "KeyError: 'oops'"
    (entry,) = app.emulator.space("default").journal
    assert entry.defect == "KeyError: 'oops'"
    assert any(record.exc_info for record in caplog.records)


def test_a_bug_in_both_answer_and_refusal_is_a_problem_too(app: App) -> None:
    break_(app, answer=fail, refuse=fail)
    status, kind, _, entry = get(app)
    assert (status, kind) == (500, "application/problem+json")
    assert entry.defect


def test_what_the_edge_refuses_is_guarded_alike(app: App) -> None:
    assert app.emulator.refuse(414, "/api/v1/runs?x", "too long").status == 413
    break_(app, refuse=fail)
    reply = app.emulator.refuse(400, "/api/v1/runs", "malformed")
    assert (reply.status, reply.content_type) == (500, "application/problem+json")
    assert [bool(entry.defect) for entry in app.emulator.space("default").journal] == [False, True]
    assert app.emulator.refuse(400, "/elsewhere", "malformed").status == 400


def test_after_a_defect_the_next_answer_is_whole(app: App) -> None:
    good = app.emulator.router
    break_(app, answer=fail)
    get(app)
    app.emulator.router = good
    status, _, body, entry = get(app)
    assert (status, len(body["Runs"]), entry.defect) == (200, 5, "")
    assert state(app).version == 1


def test_a_vendor_without_data_is_not_emulated(app: App) -> None:
    answer = app.test_client().get("/nsml/v1/projects/runs")
    assert (answer.status_code, answer.content_type) == (501, "application/problem+json")
    assert "holds no data for naver-nsml, only for alibaba-pai" in answer.json["detail"]
    (entry,) = app.emulator.space("default").journal
    assert not entry.defect


def test_a_neighbour_is_named_and_is_no_defect(app: App) -> None:
    answer = app.test_client().get("/api/v1/experiments", headers=HEADERS)
    assert answer.status_code == 501
    assert "ListExperiment is a real operation, not emulated here" in answer.json["detail"]


def test_request_ids_hang_on_seed_vendor_and_number_only(app: App, tmp_path: Any) -> None:
    def ids(seed: int | None) -> list[str]:
        again = App(Emulator(all_vendors(), str(tmp_path / "x.yaml"), Options(cache=cache_dir(), seed=seed)))
        return [again.test_client().get(URL, headers=HEADERS).json["requestId"] for _ in range(3)]

    assert ids(None) == ids(0) != ids(1)
    assert len(set(ids(1))) == 3


def test_listeners_hear_each_exchange_once(app: App) -> None:
    heard: list[int] = []
    app.emulator.listeners.append(lambda space, entry: heard.append(entry.id))
    get(app)
    assert app.test_client().get(URL).data
    assert heard == [1, 2]


def test_an_unknown_scenario_is_a_clear_refusal() -> None:
    with pytest.raises(ConfigError, match="no scenario 'quickstrat', did you mean 'quickstart'"):
        Emulator(all_vendors(), "quickstrat", Options(cache=cache_dir()))


def test_a_head_request_has_headers_and_no_body(make_app: Callable[..., App]) -> None:
    answer = make_app(vendor="alibaba-pai").test_client().head(URL, headers=HEADERS)
    assert answer.data == b""
