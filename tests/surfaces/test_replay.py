"""A recording served: the answers of the platform byte for byte, with all else that localruns can do around them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from werkzeug.test import Client, TestResponse

from localruns.engine.emulator import Emulator, Options
from localruns.engine.recorded.exchange import Exchange, Headers, reply_from, request_from
from localruns.engine.recorded.recording import Head, Writer
from localruns.errors import ConfigError
from localruns.paths import cache_dir
from localruns.surfaces.http import App
from localruns.surfaces.watch import Watch
from localruns.testing import LocalRuns
from localruns.vendors import all_vendors
from tests.clients.pagers import HEADERS, SEARCH

RUNS = "/nsml/v1/projects/runs"
NAVER = HEADERS["naver-nsml"]
JSON = [("content-type", "application/json")]


def row(number: int) -> dict[str, Any]:
    return {
        "runName": str(number),
        "runType": "NOTEBOOK",
        "projectId": "p1",
        "projectName": "one",
        "status": "RUN_STATE_COMPLETED",
        "creator": "ncp-user-1",
        "createTime": "2025-01-06 11:24:00",
        "updateTime": "2025-01-06 11:24:00",
    }


def page(number: int, *rows: int, total: int = 5) -> Exchange:
    body = json.dumps({"runList": [row(each) for each in rows], "totalCount": total}).encode()
    return exchange("GET", f"{RUNS}?page={number}&pageSize=2", 200, body)


def exchange(
    method: str, target: str, status: int, body: bytes = b"", headers: Headers = JSON, sent: bytes = b"", **more: Any
) -> Exchange:
    return Exchange(request_from(method, target, (), sent), reply_from(status, headers, body), **more)


REFUSED = exchange("GET", f"{RUNS}?page=2&pageSize=2", 429, b'{"error":{"errorCode":"420","message":"slow"}}')
WALK = (page(1, 1, 2), REFUSED, page(2, 3, 4), page(3, 5))


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., str]:
    """`record(*exchanges, replay=..., match_on=...)` writes a recording and returns its path."""

    def write(*exchanges: Exchange, name: str = "nightly", **head: Any) -> str:
        path = tmp_path / f"{name}.yaml"
        path.unlink(missing_ok=True)
        writer = Writer(path, Head(name, **head))
        for each in exchanges:
            writer.add(each)
        writer.close()
        return str(path)

    return write


Record = Callable[..., str]
MakeApp = Callable[..., App]


def ask(client: Client, number: int, size: int = 2, **more: Any) -> TestResponse:
    with client.get(f"{RUNS}?pageSize={size}&page={number}", headers=NAVER, **more) as answer:
        answer.get_data()
        return answer


def test_answers_are_those_of_the_platform_byte_for_byte(make_app: MakeApp, record: Record) -> None:
    odd = b'{ "runList" : [],\n "totalCount": 0 } \r\n'
    headers = [
        ("content-type", "application/json; odd"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("x-Trace", "t"),
    ]
    more = [
        ("content-length", "7"),
        ("content-encoding", "gzip"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
    ]
    client = make_app(record(exchange("GET", RUNS, 299, odd, [*headers, *more]))).test_client()
    answer = client.get(RUNS)
    assert (answer.status_code, answer.data) == (299, odd)
    assert [(name.lower(), value) for name, value in answer.headers] == [
        *((name.lower(), value) for name, value in headers),
        ("content-length", str(len(odd))),
    ]


def test_what_the_platform_refused_is_refused_again(make_app: MakeApp, record: Record) -> None:
    client = make_app(record(*WALK)).test_client()
    assert [ask(client, number).status_code for number in (1, 2, 2, 2, 3)] == [200, 429, 200, 200, 200]


def test_a_body_is_what_matters_to_a_search(make_app: MakeApp, record: Record) -> None:
    asked = b'{"experiment_ids":["1"],"max_results":5}'
    client = make_app(record(exchange("POST", SEARCH, 200, b'{"runs":[]}', sent=asked))).test_client()
    headers = HEADERS["oracle-aidp"]
    assert (
        client.post(SEARCH, data=b'{"max_results": 5, "experiment_ids": ["1"]}', headers=headers).data == b'{"runs":[]}'
    )
    missed = client.post(SEARCH, data=b'{"max_results": 6, "experiment_ids": ["1"]}', headers=headers)
    assert missed.status_code == 501
    assert "body field max_results: found 6, expected 5" in missed.json["detail"]


def test_a_miss_is_a_problem_and_a_near_miss_in_the_journal(make_app: MakeApp, record: Record) -> None:
    client = make_app(record(*WALK)).test_client()
    answer = ask(client, 3, size=50)
    words = (
        f"the nearest is exchange 4, GET {RUNS}?page=3&pageSize=2: query parameter pageSize: found '50', expected '2'"
    )
    assert (answer.status_code, answer.content_type, answer.json["title"]) == (
        501,
        "application/problem+json",
        "not recorded",
    )
    assert words in answer.json["detail"]
    entry = client.get("/__admin/requests/unmatched").json["requests"][0]
    assert entry["near_miss"] == entry["why"] == answer.json["detail"]
    assert entry["defect"] is None


def test_in_order_only_the_next_exchange_is_played(make_app: MakeApp, record: Record) -> None:
    client = make_app(record(*WALK, replay="in_order")).test_client()
    assert [ask(client, number).status_code for number in (1, 3, 2, 2, 3, 3)] == [200, 501, 429, 200, 200, 501]


def test_neighbouring_operations_and_foreign_paths_replay_too(make_app: MakeApp, record: Record) -> None:
    held = (
        exchange("GET", "/nsml/v1/projects/p1/runs/1", 200, b'{"runName":"1"}'),
        exchange("DELETE", "/nsml/v1/nowhere", 404, b"gone"),
        exchange("GET", "/elsewhere?x=1", 200, b"hello"),
    )
    client = make_app(record(*held)).test_client()
    for each in held:
        answer = client.open(each.request.target, method=each.request.method)
        assert (answer.status_code, answer.data) == (each.reply.status, each.reply.body)
    told = client.get("/__admin/requests").json["requests"]
    assert [entry["endpoint"] for entry in told] == ["GetRun", "recorded", "recorded"]
    assert [entry["near_miss"] for entry in told] == [None] * 3
    assert client.get("/elsewhere").status_code == 501


def test_a_vendor_that_is_not_in_the_recording_is_not_served(make_app: MakeApp, record: Record) -> None:
    answer = make_app(record(*WALK)).test_client().get("/api/v1/runs")
    assert (answer.status_code, answer.json["detail"]) == (
        501,
        "the scenario 'nightly' holds no data for alibaba-pai, only for naver-nsml",
    )


def test_credentials_are_asked_for_only_when_told_to(make_app: MakeApp, record: Record) -> None:
    path = record(*WALK)
    assert make_app(path).test_client().get(WALK[0].request.target).status_code == 200
    present = make_app(path, auth="present").test_client()
    assert present.get(WALK[0].request.target).status_code == 401
    assert ask(present, 1).status_code == 200
    assert present.get("/__admin/recording").json["played"] == 1
    assert ask(make_app(path, auth="verify").test_client(), 1).status_code == 401


def test_faults_act_around_a_recording(make_app: MakeApp, record: Record) -> None:
    client = make_app(record(*WALK)).test_client()
    at_page_3 = {"vendor": "naver-nsml", "page": 3}
    client.post("/__admin/faults", json={"when": at_page_3, "times": 1, "refuse": "unavailable"})
    client.post("/__admin/faults", json={"when": at_page_3, "times": 1, "wire": {"invalid_json": True}})
    answers = [ask(client, number) for number in (1, 2, 2, 3, 3)]
    assert [answer.status_code for answer in answers] == [200, 429, 200, 503, 200]
    assert answers[3].data.endswith(b",")
    assert client.get(f"{RUNS}?page=1&pageSize=2", headers={**NAVER, "Prefer": "code=500"}).status_code == 500


def test_the_pages_of_a_recording_take_no_page_fault(make_app: MakeApp, record: Record) -> None:
    client = make_app(record(*WALK)).test_client()
    refused = client.post("/__admin/faults", json={"when": {"vendor": "naver-nsml"}, "page_fault": "short_page"})
    assert (refused.status_code, "pages of a recording stay as recorded" in refused.json["detail"]) == (400, True)
    drawn = client.post("/__admin/faults", json={"profile": "paging-torture", "seed": 1, "calls": 500}).json
    assert all("page_fault" not in fault["fault"] for fault in drawn.get("faults", []))


def test_the_ledger_judges_a_walk_by_the_recorded_rows(make_app: MakeApp, record: Record) -> None:
    client = make_app(record(*WALK)).test_client()
    for number in (1, 2, 2):
        ask(client, number)
    walk = client.get("/__admin/walks").json["walks"][0]
    assert (walk["delivered"], walk["expected"], walk["missed"], walk["retries"]) == (4, 5, ["p1/5"], 1)
    assert walk["stop"].startswith("page 2 led to another page")
    ask(client, 3)
    walk = client.get("/__admin/walks").json["walks"][0]
    assert (walk["complete"], walk["missed"], walk["duplicates"]) == (True, [], [])
    assert walk["stop"] == "page 3 was the last"
    told = client.get("/__admin/requests").json["requests"]
    assert [entry["answered"] for entry in told[2:]] == ["200, rows 3-4 of 5", "200, row 5 of 5"]


def test_two_recorded_walks_of_one_query_are_two_in_the_ledger(make_app: MakeApp, record: Record) -> None:
    later = (page(1, 0, 1, total=4), page(2, 2, 3, total=4))
    client = make_app(record(page(1, 1, 2, total=4), page(2, 3, 4, total=4), *later)).test_client()
    for number in (1, 2, 1, 2):
        ask(client, number)
    walks = client.get("/__admin/walks").json["walks"]
    assert [(walk["expected"], walk["missed"], walk["unstable"]) for walk in walks] == [(4, [], [])] * 2


def test_namespaces_share_the_cassette_and_not_what_is_played(make_app: MakeApp, record: Record) -> None:
    client = make_app(record(*WALK)).test_client()
    assert client.post("/__admin/namespaces", json={"name": "one"}).status_code == 201
    statuses = [
        client.get(f"{prefix}{RUNS}?page=2&pageSize=2").status_code for prefix in ("", "/ns/one", "", "/ns/one")
    ]
    assert statuses == [429, 429, 200, 200]
    client.post("/__admin/reset")
    assert ask(client, 2).status_code == 429
    assert client.get("/ns/one/__admin/recording").json["played"] == 2


def test_the_control_api_tells_what_is_unplayed(make_app: MakeApp, record: Record) -> None:
    client = make_app(record(*WALK)).test_client()
    ask(client, 1)
    told = client.get("/__admin/recording").json
    assert (told["recording"], told["exchanges"], told["played"], told["replay"]) == ("nightly", 4, 1, "by_content")
    assert told["unplayed"][0] == {"exchange": 2, "request": f"GET {RUNS}?page=2&pageSize=2"}
    assert [item["exchange"] for item in told["unplayed"]] == [2, 3, 4]
    assert make_app("quickstart").test_client().get("/__admin/recording").status_code == 404


def test_a_recording_can_be_sent_as_text_and_taken_back(make_app: MakeApp, record: Record) -> None:
    path = record(*WALK)
    client = make_app("quickstart").test_client()
    text = Path(path).read_text("utf-8")
    assert client.put("/__admin/scenario", json={"text": text, "label": "sent"}).json["scenario"] == "nightly"
    assert ask(client, 3).data == WALK[3].reply.body
    assert client.put("/__admin/scenario", json={"name": path}).json["scenario"] == "nightly"
    broken = client.put("/__admin/scenario", json={"text": text.replace("method:", "methd:"), "label": "sent"})
    assert (broken.status_code, "did you mean 'method'" in broken.json["detail"]) == (422, True)
    client.put("/__admin/scenario", json={"name": "quickstart"})
    assert ask(client, 3).json["totalCount"] == 25


def test_an_answer_that_breaks_the_schema_is_sent_and_noted(make_app: MakeApp, record: Record) -> None:
    odd = exchange("GET", RUNS, 200, b'{"runList":[{"runName":5}],"totalCount":"1"}')
    client = make_app(record(odd)).test_client()
    assert client.get(RUNS).data == odd.reply.body
    entry = client.get("/__admin/requests").json["requests"][0]
    assert "as the platform sent it, though the answer breaks naver-nsml/list-runs.json" in entry["why"]
    assert entry["defect"] is None


def test_an_exchange_without_an_answer_says_so(make_app: MakeApp, record: Record) -> None:
    failed = exchange("GET", RUNS, 502, b"no route", failed="connection refused")
    client = make_app(record(failed)).test_client()
    assert client.get(RUNS).status_code == 502
    assert (
        "the platform gave no answer: connection refused" in client.get("/__admin/requests").json["requests"][0]["why"]
    )


def test_delays_are_replayed_on_demand(record: Record, live: Callable[..., str]) -> None:
    path = record(replace(WALK[0], took_ms=300.0))
    took = {}
    for delays in (False, True):
        options = Options(cache=cache_dir(), replay_delays=delays)
        url = live(App(Emulator(all_vendors(), path, options)))
        started = time.perf_counter()
        assert httpx.get(url + WALK[0].request.target).content == WALK[0].reply.body
        took[delays] = time.perf_counter() - started
    assert took[True] > 0.3 > took[False]


def test_an_edited_recording_is_reloaded(make_app: MakeApp, record: Record) -> None:
    app = make_app(path := record(*WALK))
    said: list[str] = []
    watch = Watch(app.emulator, said.append)
    watch.check()
    Writer(Path(path), Head("nightly")).add(exchange("GET", RUNS, 200, b"new"))
    watch.check()
    assert app.test_client().get(RUNS).data == b"new"
    assert said == [f"reloaded {path}: namespace default starts over"]


def test_recordings_are_listed_and_checked_like_scenarios(
    record: Record, run: Callable[..., Any], tmp_path: Path
) -> None:
    record(*WALK, about="A walk.")
    lines = run("scenarios", "--scenarios", str(tmp_path)).stdout.splitlines()
    assert "nightly\tnaver-nsml\trecording: A walk." in lines
    assert run("validate", str(tmp_path)).returncode == 0
    path = tmp_path / "nightly.yaml"
    path.write_text(path.read_text("utf-8").replace("status: 429", "status: 42"), "utf-8")
    done = run("validate", str(path))
    assert (done.returncode, f"{path}:" in done.stdout, "exchanges[1].answer.status" in done.stdout) == (2, True, True)


@pytest.fixture
def run() -> Callable[..., Any]:
    def call(*arguments: str) -> Any:
        command = [sys.executable, "-m", "localruns.surfaces.cli", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return call


def test_a_handle_knows_what_has_been_played(record: Record) -> None:
    emu = LocalRuns(record(*WALK))
    client = emu.app.test_client()
    ask(client, 1)
    assert emu.unplayed() == [each.request.method + " " + each.request.target for each in WALK[1:]]
    with pytest.raises(AssertionError, match="1 of 4 exchanges of 'nightly' were played, not:\nexchange 2: GET /nsml"):
        emu.assert_all_played()
    for number in (2, 2, 3):
        ask(client, number)
    emu.assert_all_played()
    assert emu.walk("naver-nsml").complete


def test_a_recording_with_a_problem_is_one_clear_message(tmp_path: Path, make_app: MakeApp) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("recording: r\nexchanges:\n- request: {method: GET}\n  took_ms: 1\n", "utf-8")
    with pytest.raises(ConfigError, match=r"r\.yaml:3: exchanges\[0\]"):
        make_app(str(path))
