"""HAR files that a browser and a proxy have written, brought in: recorded requests get their answers again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from localruns import yamlio
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.reading.sources import exchanges
from localruns.surfaces.cli import cli
from localruns.surfaces.http import App
from tests.recordings.again import GOLDEN, Page, ask, asked_again, keys, known, recorded

HARS = ["playwright", "devtools", "mitmproxy"]
MakeApp = Callable[..., App]
Both = Callable[[str], tuple[Path, Path]]


def run(*arguments: object, code: int = 0) -> Result:
    """The command `localruns import`."""
    result = CliRunner().invoke(cli, ["import", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """`both(name)`: the scenario and the recording of a HAR file."""
    folder = tmp_path_factory.mktemp("imported")

    def bring(name: str) -> tuple[Path, Path]:
        scenario, recording = folder / f"{name}.yaml", folder / f"{name}.recording.yaml"
        if not scenario.exists():
            run(GOLDEN / f"{name}.har", "--out", scenario)
            run(GOLDEN / f"{name}.har", "--as", "cassette", "--out", recording)
        return scenario, recording

    return bring


def of_whole_walks(name: str, pairs: list[tuple[Page, Page]]) -> list[tuple[Page, Page]]:
    """Without what cannot be had: in one of the files the requests of oracle-aidp have no body."""
    return [pair for pair in pairs if name != "devtools" or pair[0].vendor != "oracle-aidp"]


@pytest.mark.parametrize("name", HARS)
def test_a_scenario_answers_the_recorded_requests_with_the_recorded_pages_and_errors(
    make_app: MakeApp, both: Both, name: str
) -> None:
    scenario, recording = both(name)
    pairs = of_whole_walks(name, list(asked_again(make_app(str(scenario)), recorded(recording))))
    assert len(pairs) > 12
    assert sum(theirs.status != 200 for theirs, _ in pairs) >= 3
    for theirs, ours in pairs:
        assert ours == theirs


@pytest.mark.parametrize("name", HARS)
@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_scenario_gives_every_row_once_at_other_page_sizes(
    make_app: MakeApp, both: Both, name: str, size: int
) -> None:
    scenario, recording = both(name)
    client = make_app(str(scenario)).test_client()
    requests = recorded(recording)
    for vendor in dict.fromkeys(each.vendor.id for each in requests):
        own = [each for each in requests if each.vendor.id == vendor]
        if name == "devtools" and vendor == "oracle-aidp":
            continue
        found = keys(client, own[0], size)
        seen = {each.vendor.rows.key(row) for each in own for told in [each.vendor.traffic.told(each.exchange)] if told
                for row in told.rows}  # fmt: skip
        assert sorted(found) == sorted(seen)
        assert len(found) == 13


@pytest.mark.parametrize("name", HARS)
def test_a_recording_is_replayed_byte_for_byte(make_app: MakeApp, both: Both, name: str) -> None:
    _, out = both(name)
    client = make_app(str(out)).test_client()
    requests = [each for each in recorded(out) if each.exchange.request.body or each.vendor.id != "oracle-aidp"]
    for each in requests:
        answer = client.open(
            each.exchange.request.target,
            method=each.exchange.request.method,
            headers=each.exchange.request.headers,
            data=each.exchange.request.body,
        )
        assert (answer.status_code, answer.data) == (each.exchange.reply.status, each.exchange.reply.body)


def test_what_is_left_out_is_listed(tmp_path: Path) -> None:
    result = run(GOLDEN / "playwright.har", "--out", tmp_path / "again.yaml")
    assert "exchanges of other hosts and paths: 2" in result.stderr
    assert "localhost:8474 1" in result.stderr
    assert "neighbouring operations of alibaba-pai: 1 (GetRun 1)" in result.stderr
    text = (tmp_path / "again.yaml").read_text("utf-8")
    assert "#   left out: exchanges of neighbouring operations of alibaba-pai: 1 (GetRun 1)\n" in text
    assert "#   left out: exchanges of other hosts and paths: 2\n" in text
    assert "localhost" not in text


def test_requests_without_their_body_are_told_of(tmp_path: Path) -> None:
    result = run(GOLDEN / "devtools.har", "--out", tmp_path / "again.yaml")
    assert "oracle-aidp: requests came without their body" in result.stderr


def test_what_was_understood_is_printed(tmp_path: Path) -> None:
    out = tmp_path / "again.yaml"
    result = run(GOLDEN / "playwright.har", "--out", out)
    assert "alibaba-pai: 2 walks, 6 pages, 13 rows, 1 error; page sizes 5" in result.stdout
    assert f"wrote {out}; next: `localruns serve {out}`" in result.stdout


def test_rows_have_the_details_of_the_fullest_rendering(both: Both) -> None:
    scenario, recording = both("playwright")
    rows = yamlio.load(scenario)["vendors"]["alibaba-pai"]["runs"]
    verbose = [each for each in recorded(recording) if "Verbose=true" in each.exchange.request.target]
    told = [row for each in verbose for row in (each.vendor.traffic.told(each.exchange) or _none()).rows]
    assert len(told) == 13
    assert rows == told
    assert any("Metrics" in row for row in rows)


def _none() -> object:
    return type("Nothing", (), {"rows": ()})


def test_a_recording_of_our_own_becomes_the_same_scenario(both: Both, tmp_path: Path) -> None:
    scenario, recording = both("mitmproxy")
    run(recording, "--out", tmp_path / "third.yaml", "--name", "mitmproxy")
    first, third = (yamlio.load(path) for path in (scenario, tmp_path / "third.yaml"))
    assert {**first, "about": ""} == {**third, "about": ""}


@pytest.mark.parametrize("form", ["scenario", "cassette"])
def test_entries_in_any_order_are_put_in_the_order_of_their_times(tmp_path: Path, form: str) -> None:
    har = json.loads((GOLDEN / "mitmproxy.har").read_bytes())
    made = []
    for name in ("sorted", "mixed"):
        folder = tmp_path / name
        folder.mkdir()
        source, out = folder / "in.har", folder / "out.yaml"
        source.write_text(json.dumps(har))
        result = run(source, "--as", form, "--out", out)
        told = "in.har: entries stand in another order than their times, which were followed"
        assert (told in result.stderr) == (name == "mixed")
        made.append("\n".join(line for line in out.read_text("utf-8").splitlines() if told not in line))
        har["log"]["entries"].reverse()
    assert made[0] == made[1]


def test_delays_are_those_of_the_recording(tmp_path: Path) -> None:
    out = tmp_path / "slow.yaml"
    run(GOLDEN / "mitmproxy.har", "--out", out, "--delays")
    left = Leftovers()
    took = {}
    for each in known(exchanges(GOLDEN / "mitmproxy.har", left)):
        if each.vendor.id == "naver-nsml" and each.exchange.reply.status == 200:
            took[each.vendor.traffic.asked(each.exchange.request).number] = round(each.exchange.took_ms)
    waits = {
        fault["when"]["page"]: fault["wire"]["latency_ms"]
        for fault in yamlio.load(out)["faults"]
        if fault["when"]["vendor"] == "naver-nsml" and "wire" in fault
    }
    assert waits == took


def test_one_vendor_may_be_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "again.yaml"
    result = run(GOLDEN / "playwright.har", "--out", out, "--vendor", "naver-nsml")
    assert list(yamlio.load(out)["vendors"]) == ["naver-nsml"]
    assert "exchanges of vendors that were not asked for" in result.stderr


def test_an_answer_of_another_size_is_not_recorded(make_app: MakeApp, both: Both) -> None:
    _, out = both("mitmproxy")
    first = next(each for each in recorded(out) if each.vendor.id == "naver-nsml")
    assert ask(make_app(str(out)).test_client(), first, {"pageSize": 3}).reply.status == 501
