"""What a test says of its client: walks judged, faults armed, sleeps absorbed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from time import sleep
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from localruns.errors import ConfigError
from localruns.testing import LocalRuns

HEADERS = {"Authorization": "ACS3-HMAC-SHA256 Credential=any,SignedHeaders=host,Signature=00"}


def page(url: str, token: int = 0) -> httpx.Response:
    return httpx.get(f"{url}/api/v1/runs?MaxResults=10&PageToken={token}", headers=HEADERS, trust_env=False)


def walk(url: str, give_up_at: int = 99) -> list[dict[str, Any]]:
    """A client that waits as it is told, and stops at a page on demand."""
    rows: list[dict[str, Any]] = []
    token, number = 0, 0
    while True:
        answer = page(url, token)
        if answer.status_code == 429:
            sleep(int(answer.headers["x-acs-retry-after"]) / 1000)
            continue
        rows += answer.json()["Runs"]
        token, number = answer.json()["NextPageToken"], number + 1
        if not token or number == give_up_at:
            return rows


def test_a_complete_walk_passes_by_name_and_by_callable(localruns: Any) -> None:
    rows = walk(localruns.url)
    story = localruns.walk("alibaba-pai")
    story.assert_complete(rows, key="RunId")
    story.assert_exactly_once(rows, key=lambda row: row["RunId"])
    assert (story.complete, story.pages, story.delivered) == (True, 3, 25)
    assert "page 3 was the last" in repr(story)


def test_an_early_stop_tells_the_story(localruns: Any) -> None:
    rows = walk(localruns.url, give_up_at=1)
    with pytest.raises(AssertionError) as raised:
        localruns.walk("alibaba-pai").assert_complete(rows, key="RunId")
    assert "page 1 led to another page; the client stopped; 15 of 25 runs were never delivered" in str(raised.value)


def test_rows_that_the_client_dropped_or_doubled_are_named(localruns: Any) -> None:
    rows = walk(localruns.url)
    with pytest.raises(AssertionError, match=r"1 \(run-\w+\) were delivered and are not among the client's rows"):
        localruns.walk("alibaba-pai").assert_complete(rows[1:], key="RunId")
    localruns.walk("alibaba-pai").assert_complete([*rows, rows[0]], key="RunId")
    with pytest.raises(AssertionError, match=r"the client kept 1 \(run-\w+\) more than once"):
        localruns.walk("alibaba-pai").assert_exactly_once([*rows, rows[0]], key="RunId")


def test_keys_may_be_tuples_paths_and_attributes(localruns: Any) -> None:
    other = SimpleNamespace(project={"id": "p"}, name="n")
    localruns.load({"scenario": "one", "vendors": {"alibaba-pai": {"runs": [{"generate": 1}]}}})
    rows = walk(localruns.url)
    story = localruns.walk("alibaba-pai")
    story.assert_complete([{"run": rows[0]}], key="run.RunId")
    with pytest.raises(AssertionError, match=r"never delivered|not among"):
        story.assert_complete([other], key=("project.id", "name"))


def test_a_walk_that_never_was_shows_the_journal(localruns: Any) -> None:
    with pytest.raises(AssertionError, match="no client asked alibaba-pai for a list"):
        localruns.walk("alibaba-pai")


def test_a_fault_is_armed_counted_and_taken_away(localruns: Any) -> None:
    fault = localruns.fault("alibaba-pai", page=2, times=1, refuse="server_error")
    assert (page(localruns.url).status_code, page(localruns.url, 10).status_code) == (200, 500)
    assert (fault.fired, fault.used_up) == (1, True)
    again = localruns.fault("alibaba-pai", wire={"empty_reply": True})
    with pytest.raises(httpx.RemoteProtocolError):
        page(localruns.url)
    again.remove()
    assert page(localruns.url).status_code == 200


def test_a_fault_that_cannot_be_is_a_clear_error(localruns: Any) -> None:
    with pytest.raises(ConfigError, match="did you mean 'throttled'"):
        localruns.fault("alibaba-pai", refuse="throtled")


def test_half_an_hour_of_waiting_takes_no_time_and_is_reported(localruns: Any, virtual_time: Any) -> None:
    localruns.fault("alibaba-pai", page=3, times=2, refuse="throttled", retry_after_s=1800)
    before, started = localruns.clock.now, time.monotonic()
    rows = walk(localruns.url)
    assert time.monotonic() - started < 5
    localruns.walk("alibaba-pai").assert_exactly_once(rows, key="RunId")
    assert localruns.waits() == [pytest.approx(1800, abs=1), pytest.approx(1800, abs=1)]
    assert (localruns.clock.now - before).total_seconds() == pytest.approx(3600, abs=5)


def test_sleeps_of_asyncio_are_absorbed(localruns: Any, virtual_time: Any) -> None:
    async def nap() -> str:
        await asyncio.sleep(0)
        return await asyncio.sleep(3600, "rested")

    started = time.monotonic()
    assert asyncio.run(nap()) == "rested"
    assert time.monotonic() - started < 5


def test_other_threads_sleep_for_real(localruns: Any, virtual_time: Any) -> None:
    before = localruns.clock.now
    slept: list[float] = []

    def nap() -> None:
        started = time.monotonic()
        time.sleep(0.02)
        slept.append(time.monotonic() - started)

    thread = threading.Thread(target=nap)
    thread.start()
    thread.join()
    assert slept[0] >= 0.02
    assert (localruns.clock.now - before).total_seconds() < 5


def test_sleep_is_itself_again_afterwards(localruns: Any) -> None:
    assert sleep is time.sleep
    assert time.sleep.__module__ == "time"
    assert asyncio.sleep.__module__ == "asyncio.tasks"


def test_virtual_time_refreshes_a_rate_window(localruns: Any, virtual_time: Any) -> None:
    localruns.load(
        {
            "scenario": "limited",
            "vendors": {"alibaba-pai": {"runs": [{"generate": 25}]}},
            "rate_limit": {"alibaba-pai": {"calls": 2, "per_s": 60}},
        }
    )
    assert len(walk(localruns.url)) == 25


def test_without_pytest_the_same_can_be_said() -> None:
    with LocalRuns("quickstart") as emu:
        rows = walk(emu.url)
        emu.walk("alibaba-pai").assert_complete(rows, key="RunId")


def test_importing_the_sleeping_module_changes_nothing() -> None:
    code = "import time; real = time.sleep; import localruns.testing.sleeping; assert time.sleep is real"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.localruns("throttled-mid-walk")
def test_the_design_example_holds(localruns: Any, virtual_time: Any) -> None:
    rows = walk(localruns.url)
    story = localruns.walk("alibaba-pai")
    story.assert_exactly_once(rows, key="RunId")
    assert (len(rows), story.unstable, story.retries) == (120, ["run-t7"], 1)
    assert localruns.waits() == [pytest.approx(2.0, abs=0.2)]


def test_chaos_is_drawn_from_its_seed_and_armed(localruns: Any) -> None:
    def drawn(seed: int) -> list[str]:
        faults = localruns.chaos("overloaded", seed=seed, calls=40, vendors=["alibaba-pai"])
        told = [entry["words"] for entry in localruns.call("GET", "faults")["faults"]]
        for fault in faults:
            fault.remove()
        return told

    assert drawn(1) == drawn(1) != drawn(2)
    with pytest.raises(ConfigError, match="did you mean 'overloaded'"):
        localruns.chaos("overload")
