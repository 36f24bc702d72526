"""A chaos run is the same each time: in another process, from a frozen scenario, and when it is armed while running."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from localruns.engine.faults.chaos import PROFILES
from tests.clients.pagers import PAGERS
from tests.clients.processes import Served, run, serving
from tests.clients.wires import Wired
from tests.conftest import MakeApp

SCENARIO = """
scenario: by-chance
seed: 3
vendors:
  alibaba-pai: {runs: [{generate: 60}]}
  palantir-foundry: {runs: [{generate: 60}]}
faults: {profile: torture, seed: 8812, calls: 60}
"""
REQUESTS = 60
CLOCKS = {"took_ms", "asked_s", "answered_s"}  # wall time, as are the port and the names of files
WALKERS = [pager for pager in PAGERS if pager.vendor in SCENARIO and pager.style == "token"]


def walk_on(url: str) -> None:
    """So many requests of each vendor: a page again when anything is wrong with it, from the start after the last."""
    for pager in WALKERS:
        token, client = None, Wired(url)
        for _ in range(REQUESTS):
            try:
                answer = pager.ask(client, 7, token, {})  # type: ignore[arg-type]
                if answer.status_code == 200:
                    token = pager.read(json.loads(answer.content), 7, token).next
                elif answer.status_code < 429:
                    token = None
            except (requests.RequestException, ValueError):
                continue


def journal(server: Served) -> list[dict[str, Any]]:
    """All that the clients did and got, but for wall time."""
    requests.put(f"{server.url}/__admin/clock", json={"action": "freeze", "at": "2026-01-15T09:00:00Z"}, timeout=30)
    walk_on(server.url)
    _, body = server.get("/__admin/requests")
    entries = []
    for entry in body["requests"]:
        headers = [pair for pair in entry["headers"] if pair[0] != "host"]
        entries.append({**{key: value for key, value in entry.items() if key not in CLOCKS}, "headers": headers})
    return entries


def test_the_same_seed_gives_the_same_journal_in_another_process_and_from_the_frozen_scenario(tmp_path: Path) -> None:
    path, frozen = tmp_path / "by-chance.yaml", tmp_path / "frozen.yaml"
    path.write_text(SCENARIO, "utf-8")
    assert run("freeze", str(path), "--out", str(frozen)).returncode == 0
    found = []
    for file in (path, path, frozen):
        with serving(str(file), "--cache-dir", str(tmp_path / f"cache{len(found)}")) as server:
            found.append(journal(server))
    first, second, third = found
    assert first == second == third
    assert len(first) == REQUESTS * len(WALKERS)
    why = " ".join(entry["why"] for entry in first)
    assert all(kind in why for kind in ("refuse", "wire", "page fault")), why
    assert {entry["broken"] for entry in first} == {True, False}


def test_the_server_prints_which_chaos_it_serves_and_validate_lists_it(tmp_path: Path) -> None:
    path = tmp_path / "by-chance.yaml"
    path.write_text(SCENARIO, "utf-8")
    listed = run("validate", "--verbose", str(path)).stdout.splitlines()
    with serving(str(path)) as server:
        line = server.read_until(lambda line: "chaos" in line)
    counts = [sum(vendor.vendor in each for each in listed) for vendor in WALKERS]
    wanted = ", ".join(f"{count} faults for {pager.vendor}" for count, pager in zip(counts, WALKERS, strict=True))
    assert line.strip() == (
        f"chaos torture, seed 8812: {wanted} within 60 calls of each; `localruns freeze` writes them out"
    )
    assert f"{path}: alibaba-pai: wire reset_after_bytes 0 at call 9" in listed
    assert run("validate", str(path)).stdout == ""


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_armed_while_running_for_the_calls_that_follow(make_app: MakeApp, profile: str) -> None:
    app = make_app("quickstart")
    client, naver = app.test_client(), next(pager for pager in PAGERS if pager.vendor == "naver-nsml")
    for _ in range(3):
        naver.rows(client, 25)
    asked = {"profile": profile, "seed": 7, "calls": 20, "vendors": ["naver-nsml"]}
    answer = client.post("/__admin/faults", json=asked)
    assert answer.status_code == 201
    assert [answer.json[key] for key in ("profile", "seed", "calls")] == [profile, 7, 20]
    listed = client.get("/__admin/faults").json["faults"]
    assert answer.json["faults"] == listed
    calls = [fault["fault"]["when"] for fault in listed]
    assert {when["vendor"] for when in calls} == {"naver-nsml"}
    assert all(4 <= when["call"] <= 23 for when in calls if "call" in when)
    client.post("/__admin/reset")
    other = client.post("/__admin/faults", json=asked).json["faults"]
    earlier = [{**fault["fault"], "when": {**fault["fault"]["when"], "call": 0, "calls": 0}} for fault in listed]
    assert earlier == [{**each["fault"], "when": {**each["fault"]["when"], "call": 0, "calls": 0}} for each in other]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"profile": "tortue"}, "profile: found 'tortue', did you mean 'torture'?"),
        ({"profile": "torture", "when": {"vendor": "naver-nsml"}}, "when: found unknown key 'when'"),
        ({"profile": "torture", "vendors": ["alibaba-pai", "naver-nsml"]}, "vendors[1]: found 'naver-nsml'"),
        ({"profile": "torture", "seed": -1}, "seed: found -1"),
    ],
)
def test_a_profile_that_cannot_be_armed_is_refused_with_its_field(make_app: MakeApp, asked: Any, named: str) -> None:
    client = make_app(vendor="alibaba-pai").test_client()
    answer = client.post("/__admin/faults", json=asked)
    assert (answer.status_code, answer.json["title"]) == (400, "bad request")
    assert named in answer.json["detail"]
    assert client.get("/__admin/faults").json["faults"] == []
