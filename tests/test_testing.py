"""localruns without pytest: a server in a thread, one elsewhere, an application without a socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest
from werkzeug.test import Client

from localruns.errors import ConfigError, Problem
from localruns.testing import Handle, LocalRuns, RemoteRuns, Server, wsgi_app
from localruns.vendors import IDS, all_vendors
from tests.clients.pagers import HEADERS, PAGERS

SIX = {"scenario": "six", "vendors": {"naver-nsml": {"auth": "off", "runs": [{"generate": 6}]}}}
RUNS = "/nsml/v1/projects/runs"


@pytest.fixture(scope="module")
def own() -> Iterator[LocalRuns]:
    with LocalRuns() as emu:
        yield emu


@pytest.fixture(params=["in this process", "over HTTP"])
def server(request: pytest.FixtureRequest, own: LocalRuns) -> Server:
    """The same server, spoken to in both ways; what holds for one holds for the other."""
    return own if request.param == "in this process" else RemoteRuns(own.url)


@pytest.fixture
def space(server: Server) -> Iterator[Handle]:
    handle = server.open()
    yield handle
    server.close(handle)


def ask(handle: Handle, path: str = RUNS, **headers: str) -> httpx.Response:
    return httpx.get(handle.url + path, headers={**HEADERS["naver-nsml"], **headers})


def test_a_server_answers_while_the_block_lasts() -> None:
    with LocalRuns("quickstart") as emu:
        assert len(ask(emu).json()["runList"]) == 10
        assert [entry["status"] for entry in emu.requests()] == [200]
        (serving,) = [each for each in threading.enumerate() if each.name.endswith(emu.url.rpartition(":")[2])]
    serving.join(30)
    assert not serving.is_alive()


def test_a_server_is_set_up_by_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(json.dumps(SIX), "utf-8")
    plain, seeded = wsgi_app("quickstart"), wsgi_app("quickstart", seed=99)
    bodies = [Client(app).get(RUNS, headers=HEADERS["naver-nsml"]).text for app in (plain, seeded)]
    assert bodies[0] != bodies[1]
    assert Client(wsgi_app("quickstart", auth="off")).get(RUNS).status_code == 200
    assert Client(wsgi_app("mine", scenarios=[tmp_path])).get(RUNS).json["totalCount"] == 6  # type: ignore[index]
    assert Client(wsgi_app("quickstart", vendors=["oracle-aidp"])).get(RUNS).status_code == 404
    with pytest.raises(ConfigError, match="'oracle' is no vendor, expected one of: alibaba-pai"):
        wsgi_app(vendors=["oracle"])


@pytest.mark.parametrize("kind", ["path", "text path", "mapping", "text"])
def test_a_server_begins_with_any_kind_of_scenario(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "six.yaml"
    path.write_text(json.dumps(SIX), "utf-8")
    wanted = {"path": path, "text path": str(path), "mapping": SIX, "text": json.dumps(SIX, indent=1)}[kind]
    assert Client(wsgi_app(wanted)).get(RUNS).json["totalCount"] == 6  # type: ignore[index]


def test_httpx_needs_no_socket() -> None:
    emu = LocalRuns("quickstart")
    with httpx.Client(transport=httpx.WSGITransport(app=emu.app), base_url=emu.url) as client:
        assert client.get(RUNS, headers=HEADERS["naver-nsml"]).json()["totalCount"] == 25
    (entry,) = emu.requests()
    assert (entry["status"], entry["sent"]) == (200, True)


def test_werkzeugs_client_needs_no_socket() -> None:
    client = Client(wsgi_app("quickstart"))
    for pager in PAGERS:
        assert len(pager.rows(client, 10)) == 25


def test_namespaces_share_nothing(server: Server) -> None:
    one, other = server.open("one"), server.open("other", SIX)
    try:
        ask(one)
        assert (len(one.requests()), len(other.requests())) == (1, 0)
        assert [ask(each).json()["totalCount"] for each in (one, other)] == [25, 6]
        one.reset()
        assert (len(one.requests()), len(other.requests())) == (0, 1)
    finally:
        server.close(one)
        server.close(other)
    with pytest.raises(Problem, match="no namespace 'one'"):
        one.requests()


def test_a_taken_name_and_an_unusable_one_are_told_apart(server: Server, space: Handle) -> None:
    with pytest.raises(Problem, match=f"there is a namespace '{space.name}' already"):
        server.open(space.name)
    with pytest.raises(ConfigError, match="name: "):
        server.open("with a blank")


@pytest.mark.parametrize("kind", ["name", "path", "text path", "mapping", "text"])
def test_load_takes_any_kind_of_scenario_and_starts_over(space: Handle, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "six.yaml"
    path.write_text(json.dumps(SIX), "utf-8")
    wanted: Any = {"path": path, "text path": str(path), "mapping": SIX, "text": json.dumps(SIX, indent=1)}
    ask(space)
    space.load(wanted.get(kind, "empty"))
    assert space.requests() == []
    assert ask(space).json()["totalCount"] == (0 if kind == "name" else 6)


def test_a_relative_path_is_looked_up_here_then_beside_the_test(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, beside = tmp_path / "here", tmp_path / "beside"
    for folder, rows in ((here, 3), (beside, 4)):
        folder.mkdir()
        content = {**SIX, "vendors": {"naver-nsml": {"auth": "off", "runs": [{"generate": rows}]}}}
        (folder / f"only-{folder.name}.yaml").write_text(json.dumps(content), "utf-8")
    monkeypatch.chdir(here)
    handle = server.open(beside=beside)
    try:
        handle.load("only-here.yaml")
        assert ask(handle).json()["totalCount"] == 3
        handle.load("./only-beside.yaml")
        assert ask(handle).json()["totalCount"] == 4
        with pytest.raises(ConfigError, match=r"no-such\.yaml: no such file, looked for it in .*here and .*beside"):
            handle.load("no-such.yaml")
    finally:
        server.close(handle)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("quickstrat", "no scenario 'quickstrat', did you mean 'quickstart'"),
        ({**SIX, "sed": 1}, r"six \(a mapping\):\d+: sed: .*did you mean 'seed'"),
        ("scenario: x\nvendors: []\n", r"scenario \(a text\):2: vendors: "),
    ],
)
def test_a_bad_scenario_is_explained_and_changes_nothing(space: Handle, wanted: Any, message: str) -> None:
    ask(space)
    with pytest.raises(ConfigError, match=message):
        space.load(wanted)
    assert len(space.requests()) == 1
    assert ask(space).json()["totalCount"] == 25


@pytest.mark.parametrize("vendor", IDS)
def test_credentials_and_addresses_are_the_namespaces_own(server: Server, space: Handle, vendor: str) -> None:
    assert space.url_for(vendor) == all_vendors()[vendor].client.base(space.url)
    assert space.url.startswith(server.url + "/ns/")
    assert space.credentials(vendor).keys() == server.credentials(vendor).keys()
    assert space.credentials(vendor) != server.credentials(vendor)


def test_vendors_are_named_when_an_unknown_one_is_asked_for(space: Handle) -> None:
    for ask_for in (space.url_for, space.credentials):
        with pytest.raises(ConfigError, match="'' is no vendor, expected one of: alibaba-pai, oracle-aidp"):
            ask_for()
    space.load(SIX)
    with pytest.raises(ConfigError, match="holds no data for oracle-aidp, only for naver-nsml"):
        space.credentials("oracle-aidp")


def test_requests_are_filtered_as_the_control_api_does(space: Handle) -> None:
    ask(space)
    ask(space, Prefer="code=429")
    httpx.get(f"{space.url}/api/v1/runs")
    assert [entry["status"] for entry in space.requests(vendor="naver-nsml")] == [200, 429]
    assert [entry["id"] for entry in space.requests(status=429)] == [2]
    assert [entry["vendor"] for entry in space.requests(since=2)] == ["alibaba-pai"]
    with pytest.raises(Problem, match="no parameter of that name"):
        space.requests(vender="naver-nsml")


def test_the_clock_freezes_advances_and_starts_over(space: Handle) -> None:
    start = datetime(2026, 1, 15, 9, tzinfo=UTC)
    assert start <= space.clock.now < start + timedelta(minutes=5)
    assert not space.clock.frozen
    space.clock.freeze("2026-02-01T00:00:00Z")
    space.clock.advance(90)
    space.clock.advance(timedelta(minutes=1))
    assert space.clock.frozen
    assert space.clock.now == datetime(2026, 2, 1, 0, 2, 30, tzinfo=UTC)
    space.clock.freeze(start)
    assert space.clock.now == start
    space.clock.reset()
    assert not space.clock.frozen


def test_waits_are_measured_between_a_refusal_and_its_next_try(space: Handle) -> None:
    space.load({**SIX, "faults": [{"when": {"vendor": "naver-nsml", "call": 1}, "refuse": "throttled"}]})
    for _ in range(3):
        ask(space)
    (wait,) = space.waits()
    assert 0 <= wait < 5


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refuse(*_: object) -> None:
        raise RuntimeError("this is broken on purpose")

    return lambda: monkeypatch.setattr("localruns.engine.store.Store.page", refuse)


def test_each_defect_is_told_once(space: Handle, broken: Callable[[], None], caplog: pytest.LogCaptureFixture) -> None:
    ask(space)
    space.expect_no_defects()
    broken()
    ask(space)
    assert [entry["id"] for entry in space.defects] == [2]
    with pytest.raises(AssertionError, match=r"(?s)localruns itself failed.*#2 naver-nsml .*broken on purpose"):
        space.expect_no_defects()
    space.expect_no_defects()
    assert len(space.defects) == 1


def test_the_report_has_a_line_per_request(space: Handle) -> None:
    assert space.report() == "no request reached this namespace"
    httpx.post(space.url + RUNS)
    ask(space, Prefer="code=429")
    first, second = space.report().splitlines()
    assert first.startswith("#1 naver-nsml  POST /nsml/v1/projects/runs  ->  4")
    assert "close to GetRunList: method POST, expected GET" in first
    assert second.endswith("because asked for by the header 'Prefer: code=429'")


def test_a_long_report_shows_the_latest(space: Handle) -> None:
    for _ in range(53):
        ask(space)
    lines = space.report().splitlines()
    assert lines[0] == "... 3 earlier requests"
    assert (lines[1].split()[0], lines[-1].split()[0], len(lines)) == ("#4", "#53", 51)


def test_servers_start_and_stop_at_once_and_namespaces_cost_nothing() -> None:
    """Far above the figures of benchmarks/fixture.py, for machines that are busy; the best of a few is judged."""
    starts, stops, spaces = [], [], []
    for _ in range(3):
        begun = perf_counter()
        emu = LocalRuns()
        emu.start()
        starts.append(perf_counter() - begun)
        for _ in range(5):
            begun = perf_counter()
            space = emu.open()
            space.expect_no_defects()
            emu.close(space)
            spaces.append(perf_counter() - begun)
        begun = perf_counter()
        emu.stop()
        stops.append(perf_counter() - begun)
    assert min(starts) < 0.3
    assert min(stops) < 0.1
    assert min(spaces) < 0.01


def test_an_address_where_no_localruns_is_is_explained() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, and nobody listens
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConfigError, match=rf"{url}: no server answers there \(.*expected a server started with"):
            RemoteRuns(url)
    with pytest.raises(ConfigError, match="'localhost:8420' is no address of a server, expected one such as http://"):
        RemoteRuns("localhost:8420")
