"""The same laws over every vendor and scenario: what any list of runs must do, whoever sends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import Client

from localruns import yamlio
from localruns.engine.library import Library
from localruns.surfaces.http import App
from tests.clients.pagers import PAGERS, Pager

SCENARIOS = ("quickstart", "documented-samples", "empty", "exact-boundary")
COUNTS = {"quickstart": 25, "documented-samples": 1, "empty": 0, "exact-boundary": 20}
EACH_PAGER = pytest.mark.parametrize("pager", [pytest.param(p, id=f"{p.vendor}-{p.style}") for p in PAGERS])
EACH_SCENARIO = pytest.mark.parametrize("scenario", SCENARIOS)

# Equal sort keys within and across pages, and a second block, are where paging goes wrong.
TIES = {
    "alibaba-pai": [{"generate": 40, "set": {"GmtCreateTime": "2026-01-01T00:00:00.000Z"}}, {"generate": 23}],
    "oracle-aidp": [{"generate": 40, "set": {"info": {"start_time": 1767225600000}}}, {"generate": 23}],
    "naver-nsml": [{"generate": 40, "set": {"createTime": "2026-01-01 00:00:00"}}],
    "palantir-foundry": [{"generate": 40, "set": {"startedTime": "2026-01-01T00:00:00.000Z"}}, {"generate": 23}],
}


@pytest.fixture
def client(make_app: Callable[..., App]) -> Client:
    vendors = {vendor: {"runs": rows} for vendor, rows in TIES.items()}
    return make_app({"scenario": "ties", "seed": 3, "vendors": vendors}).test_client()


def test_every_built_in_scenario_is_among_these_or_tested_elsewhere() -> None:
    elsewhere = {"every-error", "throttled-mid-walk", "large"}  # the last in tests/engine/test_large.py: it takes long
    built_in = {item.name for item in Library() if item.path.parent.name == "fixtures"}
    assert built_in == {*SCENARIOS, *elsewhere}


@EACH_PAGER
@EACH_SCENARIO
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_walk_with_any_page_size_visits_every_row_once(
    make_app: Callable[..., App], pager: Pager, scenario: str, size: int
) -> None:
    client = make_app(scenario).test_client()
    if scenario == "exact-boundary" and size == 1 and pager.vendor == "oracle-aidp":
        pytest.skip("2,000 pages of one row show nothing that the ties do not")
    rows = pager.rows(client, size)
    keys = [pager.key(row) for row in rows]
    assert len(keys) == len(set(keys))
    if scenario != "exact-boundary":
        assert len(keys) == COUNTS[scenario] + (scenario == "documented-samples" and pager.vendor == "naver-nsml")
    assert [pager.key(row) for row in pager.rows(client, 50)] == keys
    assert [pager.order(row) for row in rows] == sorted((pager.order(row) for row in rows), reverse=True)


@EACH_PAGER
@pytest.mark.parametrize("size", [1, 3, 7, 10, 40, 63, 64, 1000])
def test_ties_are_walked_without_a_gap_or_a_double(client: Client, pager: Pager, size: int) -> None:
    keys = [pager.key(row) for row in pager.rows(client, size)]
    assert len(keys) == len(set(keys)) == sum(block["generate"] for block in TIES[pager.vendor])


@EACH_PAGER
def test_every_page_but_the_last_is_full(client: Client, pager: Pager) -> None:
    sizes = [len(page.rows) for page in pager.walk(client, 7)]
    assert set(sizes[:-1]) == {7}
    assert 1 <= sizes[-1] <= 7


@EACH_PAGER
def test_a_filtered_walk_is_a_subset_in_the_same_order(client: Client, pager: Pager) -> None:
    whole = [json.dumps(row, sort_keys=True) for row in pager.rows(client, 9)]
    row = json.loads(whole[17])
    narrowed = [json.dumps(found, sort_keys=True) for found in pager.rows(client, 4, **pager.narrow(row))]
    assert whole[17] in narrowed
    assert narrowed == [text for text in whole if text in set(narrowed)]


@EACH_PAGER
def test_reversed_order_reverses_rows(client: Client, pager: Pager) -> None:
    if pager.reverse is None:
        pytest.skip("this vendor has one order only")
    forth = [pager.order(row) for row in pager.rows(client, 9)]
    back = [pager.order(row) for row in pager.rows(client, 9, **pager.reverse)]
    assert back == forth[::-1]


@EACH_PAGER
def test_the_same_token_twice_gives_the_same_page(client: Client, pager: Pager) -> None:
    token = pager.page(client, 5).next
    once, again = pager.page(client, 5, token), pager.page(client, 5, token)
    assert once.rows == again.rows
    assert once.next == again.next


_TWIN = """
import sys
from localruns.engine.emulator import Emulator, Options
from localruns.paths import cache_dir
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.pagers import PAGERS
seed = int(sys.argv[1]) if sys.argv[1] else None
client = App(Emulator(all_vendors(), "quickstart", Options(cache=cache_dir(), seed=seed))).test_client()
for pager in PAGERS:
    token = None
    while True:
        answer = pager.ask(client, 4, token, {})
        print(answer.status_code, sorted(answer.headers.items()), answer.text)
        token = pager.read(answer.json, 4, token).next
        if token is None:
            break
    print(client.get(pager.vendor, headers={"Prefer": "code=429"}).text)
"""


def _twin(hash_seed: str, cache: str, seed: str = "") -> bytes:
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "XDG_CACHE_HOME": cache, "PYTHONPATH": path}
    return subprocess.run([sys.executable, "-c", _TWIN, seed], env=environment, check=True, capture_output=True).stdout


def test_two_processes_give_the_same_bytes(tmp_path_factory: pytest.TempPathFactory) -> None:
    first = _twin("1", str(tmp_path_factory.mktemp("one")))
    assert first.count(b"200 ") > 25
    assert first == _twin("2", str(tmp_path_factory.mktemp("two")))
    assert first != _twin("1", str(tmp_path_factory.mktemp("one")), seed="8")


def test_shipped_scenarios_say_what_they_are() -> None:
    for item in Library():
        content = yamlio.load(item.path)
        assert content.get("scenario", content.get("recording")) == item.name
        assert content["about"]
