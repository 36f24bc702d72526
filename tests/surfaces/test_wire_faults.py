"""Each wire fault, seen by real clients: the exception, what comes after it, and what journal and ledger say."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import requests
import urllib3
from requests.exceptions import ChunkedEncodingError, ConnectionError, ContentDecodingError, ReadTimeout

from localruns.engine.journal import Entry
from localruns.reports.walks import as_json
from localruns.reports.words import as_json as entry_json
from localruns.surfaces.edge import Edge
from localruns.surfaces.http import App, refuser
from tests.clients.pagers import HEADERS, PAGERS
from tests.clients.wires import CLIENTS, PATIENCE_S, Got, Wired, failure
from tests.conftest import MakeApp
from tests.docs_tables import DOCS

VENDOR = "alibaba-pai"
HEADER = HEADERS[VENDOR]
STALL_S = 0.3  # how long a client waits before it gives up a connection that stalls
EACH_CLIENT = pytest.mark.parametrize("client", CLIENTS)
SPOILT = ({"garbage_bytes": 100}, {"invalid_json": True})
SLOW: list[dict[str, Any]] = [
    {"latency_ms": 8},
    {"latency_ms": {"uniform": [4, 8]}},
    {"latency_ms": {"lognormal": {"median": 4, "sigma": 0.5}}},
    {"bandwidth_bytes_per_s": 300_000},
    {"dribble": {"bytes": 500, "every_ms": 1}},
]

# What each client makes of an answer that breaks off: requests, httpx, urllib3, curl's exit code.
Protocol = urllib3.exceptions.ProtocolError
BROKEN: list[tuple[dict[str, Any], tuple[Any, ...]]] = [
    ({"reset_after_bytes": 0}, (ConnectionError, httpx.ReadError, Protocol, 56)),
    ({"reset_after_bytes": 30}, (ConnectionError, httpx.ReadError, Protocol, 56)),
    ({"reset_after_bytes": 1500}, (ChunkedEncodingError, httpx.ReadError, Protocol, 56)),
    ({"truncate_body_after_bytes": 0}, (ChunkedEncodingError, httpx.RemoteProtocolError, Protocol, 18)),
    ({"truncate_body_after_bytes": 100}, (ChunkedEncodingError, httpx.RemoteProtocolError, Protocol, 18)),
    ({"empty_reply": True}, (ConnectionError, httpx.RemoteProtocolError, Protocol, 52)),
    ({"malformed_chunk": True}, (ChunkedEncodingError, httpx.RemoteProtocolError, Protocol, 56)),
    ({"stall_after_bytes": 0}, (ReadTimeout, httpx.ReadTimeout, urllib3.exceptions.ReadTimeoutError, 28)),
    ({"stall_after_bytes": 900}, (ConnectionError, httpx.ReadTimeout, urllib3.exceptions.ReadTimeoutError, 28)),
    ({"gzip_mislabelled": True}, (ContentDecodingError, httpx.DecodingError, urllib3.exceptions.DecodeError, 61)),
]


def named(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else ""


@dataclass
class Rig:
    """A server of 25 runs of one vendor, and what it remembers."""

    app: App
    url: str

    def fault(self, wire: dict[str, Any], **when: Any) -> None:
        self.app.emulator.space("default").arm({"when": {"vendor": VENDOR, **when}, "wire": wire})

    @property
    def entries(self) -> list[Entry]:
        return list(self.app.emulator.space("default").journal)

    @property
    def walks(self) -> list[dict[str, Any]]:
        space = self.app.emulator.space("default")
        return [as_json(walk, space) for walk in space.walks]

    def page(self, number: int = 1) -> str:
        return f"{self.url}/api/v1/runs?PageSize=10&PageNumber={number}"


@pytest.fixture
def scenario() -> dict[str, Any]:
    return {"scenario": "wired", "seed": 5, "vendors": {VENDOR: {"runs": [{"generate": 25}]}}}


@pytest.fixture
def rig(make_app: MakeApp, scenario: dict[str, Any]) -> Iterator[Rig]:
    app = make_app(scenario)
    with Edge(app, refuser(app.emulator)) as edge:
        yield Rig(app, edge.url)


def fetch(client: str, url: str) -> Got:
    return CLIENTS[client](url, HEADER, PATIENCE_S)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("wire", "expected"), BROKEN, ids=named)
def test_a_broken_answer_raises_and_the_next_is_whole(
    rig: Rig, client: str, wire: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    rig.fault(wire, call=2)
    assert fetch(client, rig.page(1)).rows == 10
    patience = STALL_S if "stall_after_bytes" in wire else PATIENCE_S
    assert failure(client, rig.page(2), HEADER, patience) == expected[list(CLIENTS).index(client)]
    assert [fetch(client, rig.page(number)).rows for number in (2, 3)] == [10, 5]
    assert [entry.broken for entry in rig.entries] == [False, True, False, False]
    (walk,) = rig.walks
    assert (walk["pages"], walk["delivered"], walk["retries"], walk["duplicates"]) == (3, 25, 1, [])
    assert walk["complete"]


def test_the_documentation_says_what_each_client_makes_of_it() -> None:
    lines = (DOCS / "faults.md").read_text("utf-8").splitlines()
    for wire, expected in BROKEN:
        ((name, value),) = wire.items()
        told = " | ".join(f"`{each.__name__}`" if isinstance(each, type) else str(each) for each in expected)
        where = "" if value is True or "truncate" in name else ", in the body" if value > 500 else ", up to the end"
        assert [line for line in lines if line.startswith(f"| `{name}`{where}") and line.endswith(f"| {told} |")], wire


@EACH_CLIENT
@pytest.mark.parametrize("wire", SPOILT, ids=named)
def test_a_spoilt_body_is_no_json_and_the_next_is_whole(rig: Rig, client: str, wire: dict[str, Any]) -> None:
    rig.fault(wire, call=1)
    with pytest.raises(json.JSONDecodeError):
        assert fetch(client, rig.page()).rows
    assert fetch(client, rig.page()).rows == 10
    (walk,) = rig.walks
    assert (walk["delivered"], walk["retries"]) == (10, 1)


@EACH_CLIENT
def test_another_content_type_is_seen_and_the_body_is_right(rig: Rig, client: str) -> None:
    rig.fault({"content_type": "text/html; charset=utf-8"}, call=1)
    first, second = fetch(client, rig.page()), fetch(client, rig.page())
    assert (first.kind, second.kind) == ("text/html; charset=utf-8", "application/json;charset=utf-8")
    assert first.rows == 10


def test_a_client_that_takes_another_content_type_goes_on_and_one_that_does_not_asks_again(rig: Rig) -> None:
    rig.fault({"content_type": "text/html"}, page=2)
    for number in (1, 2, 3):
        fetch("requests", rig.page(number))
    rig.fault({"content_type": "text/plain"}, page=3)
    for number in (1, 2, 2, 3):
        fetch("requests", rig.page(number))
    assert [(walk["delivered"], walk["retries"], walk["complete"]) for walk in rig.walks] == [
        (25, 0, True),
        (25, 1, True),
    ]


@EACH_CLIENT
@pytest.mark.parametrize("wire", SLOW, ids=named)
def test_a_slow_answer_is_whole_and_not_before_its_time(rig: Rig, client: str, wire: dict[str, Any]) -> None:
    rig.fault(wire, call=1)
    started = time.perf_counter()
    answer = fetch(client, rig.page())
    took_s = time.perf_counter() - started
    assert answer.rows == 10
    plan = rig.entries[0].wire
    assert plan is not None
    waits = [action.seconds for action in plan.script(b"\r\n\r\n" + answer.text.encode()) if hasattr(action, "seconds")]
    assert sum(waits) > 0.001
    assert took_s > 0.9 * sum(waits)
    (entry,) = rig.entries
    assert entry.answered_s is not None
    assert entry.answered_s - entry.asked_s > 0.9 * sum(waits) - 0.002
    assert not entry.broken


@pytest.mark.parametrize("wire", [wire for wire, _ in BROKEN] + list(SPOILT), ids=named)
def test_a_broken_page_is_not_counted_as_delivered(
    make_app: MakeApp, scenario: dict[str, Any], wire: dict[str, Any]
) -> None:
    key = "run-late"
    scenario["timeline"] = [{"vendor": VENDOR, "after": {"page": 1}, "insert": [{"RunId": key}]}]
    app = make_app(scenario)
    with Edge(app, refuser(app.emulator)) as edge:
        rig, space = Rig(app, edge.url), app.emulator.space("default")
        rig.fault(wire, call=1)
        patience = STALL_S if "stall_after_bytes" in wire else PATIENCE_S
        failure("urllib3", rig.page(), HEADER, patience)
        state = space.states[VENDOR]
        assert (state.rows, state.version) == (0, 0)
        assert rig.walks[0]["stop"].startswith("page 1 was broken off on the wire")
        assert entry_json(rig.entries[0])["answered"] == "200, rows 1-10 of 25, broken on the wire"
        assert fetch("urllib3", rig.page()).rows == 10
        assert (state.rows, state.version) == (10, 1)


@pytest.mark.parametrize("wire", [{"reset_after_bytes": 10**6}, {"truncate_body_after_bytes": 10**6}], ids=named)
def test_a_cut_behind_the_end_leaves_the_answer_whole(rig: Rig, wire: dict[str, Any]) -> None:
    rig.fault(wire, call=1)
    assert fetch("urllib3", rig.page()).rows == 10
    assert not rig.entries[0].broken
    assert rig.walks[0]["delivered"] == 10


@EACH_CLIENT
def test_a_refusal_comes_late_whatever_the_order_of_the_faults(rig: Rig, client: str) -> None:
    space = rig.app.emulator.space("default")
    space.arm({"when": {"vendor": VENDOR}, "refuse": "throttled"})
    rig.fault({"latency_ms": 12})
    started = time.perf_counter()
    answer = fetch(client, rig.page())
    assert time.perf_counter() - started > 0.011
    assert (answer.status, json.loads(answer.text)["Code"]) == (429, "Throttling.User")
    assert [fault.fired for fault in space.faults] == [1, 1]
    assert not rig.entries[0].broken


def test_a_refusal_over_the_rate_limit_meets_wire_faults_too(make_app: MakeApp, scenario: dict[str, Any]) -> None:
    app = make_app({**scenario, "rate_limit": {VENDOR: {"calls": 1, "per_s": 60}}})
    with Edge(app, refuser(app.emulator)) as edge:
        rig = Rig(app, edge.url)
        rig.fault({"truncate_body_after_bytes": 5}, call=2)
        fetch("urllib3", rig.page())
        assert failure("urllib3", rig.page(2), HEADER) is Protocol
        assert fetch("urllib3", rig.page(2)).status == 429


def test_several_keys_of_one_fault_act_together(rig: Rig) -> None:
    wire = {"latency_ms": 5, "content_type": "text/html", "gzip_mislabelled": True, "garbage_bytes": 4000,
            "bandwidth_bytes_per_s": 400_000, "truncate_body_after_bytes": 2000}  # fmt: skip
    rig.fault(wire)
    started = time.perf_counter()
    with requests.get(rig.page(), headers=HEADER, stream=True, timeout=PATIENCE_S) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Type"] == "text/html"
        assert answer.headers["Content-Length"] == "4000"
        with pytest.raises(Protocol, match="2000 bytes read, 2000 more expected"):
            answer.raw.read(decode_content=False)
    assert time.perf_counter() - started > 0.004


def test_two_faults_of_one_call_act_together_and_the_first_wins_where_they_differ(rig: Rig) -> None:
    rig.fault({"content_type": "text/first"})
    rig.fault({"content_type": "text/second", "invalid_json": True})
    answer = fetch("httpx", rig.page())
    assert answer.kind == "text/first"
    assert answer.text.endswith(",")


@pytest.mark.parametrize("pager", PAGERS, ids=lambda pager: f"{pager.vendor}-{pager.style}")
def test_every_vendor_breaks_off_alike(make_app: MakeApp, pager: Any) -> None:
    app = make_app(vendor=pager.vendor)
    space = app.emulator.space("default")
    space.arm({"when": {"vendor": pager.vendor, "page": 2}, "times": 1, "wire": {"truncate_body_after_bytes": 50}})
    with Edge(app, refuser(app.emulator)) as edge:
        client = Wired(edge.url)
        first = pager.page(client, 10)
        with pytest.raises(ChunkedEncodingError):
            pager.page(client, 10, first.next)
        second = pager.page(client, 10, first.next)
        assert len(pager.page(client, 10, second.next).rows) == 5
    (walk,) = [as_json(walk, space) for walk in space.walks]
    assert (walk["complete"], walk["retries"], walk["duplicates"]) == (True, 1, [])


def test_a_head_request_is_no_call_of_the_operation_and_leaves_the_fault_armed(rig: Rig) -> None:
    rig.fault({"empty_reply": True}, call=1)
    answer = requests.head(rig.page(), headers=HEADER, timeout=PATIENCE_S)
    assert answer.status_code >= 400
    assert failure("urllib3", rig.page(), HEADER) is Protocol


def test_the_same_call_is_drawn_the_same_and_each_part_matters(make_app: MakeApp, scenario: dict[str, Any]) -> None:
    def plans(seed: int = 5, space: str = "default", vendor: str = VENDOR) -> list[Any]:
        runs = {VENDOR: {"runs": []}, "naver-nsml": {"runs": []}}
        app = make_app({**scenario, "seed": seed, "vendors": runs})
        emulator = app.emulator
        home = emulator.space("default") if space == "default" else emulator.make_space(space)
        home.arm({"when": {"vendor": vendor}, "wire": {"latency_ms": {"uniform": [1, 3]}, "garbage_bytes": 9}})
        pager = next(each for each in PAGERS if each.vendor == vendor)
        with Edge(app, refuser(emulator)) as edge:
            client = Wired(edge.url + ("" if space == "default" else f"/ns/{space}"))
            bodies = [pager.ask(client, 5, None, {}).content for _ in range(3)]
        latencies = [next(entry.wire.script(b"\r\n\r\n")) for entry in home.journal if entry.wire]
        return list(zip(bodies, latencies, strict=True))

    first = plans()
    assert first == plans()
    assert len({body for body, _ in first}) == 3
    for other in (plans(seed=6), plans(space="other"), plans(vendor="naver-nsml")):
        assert not set(map(str, other)) & set(map(str, first))
