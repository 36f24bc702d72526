"""The commands `localruns drift` and `localruns verify` on files as people have them: what is said, how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from localruns import schemas
from localruns.engine.recorded.exchange import Exchange, reply_from, request_from
from localruns.paths import fixtures_dir
from localruns.surfaces.cli import main
from tests.recordings.makers import entry, har, page, refused, run

GOLDEN = Path(__file__).parents[1] / "golden"
BOTH = pytest.mark.parametrize("command", ["drift", "verify"])
ROWS = [run(number) for number in range(6)]
KINDS = "expected a HAR file (`log`), a VCR.py cassette (`interactions`) or a recording (`recording`)"


@dataclass(frozen=True)
class Told:
    """How a command ended."""

    exit_code: int
    stdout: str
    stderr: str


Tell = Callable[..., Told]


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tell:
    """`tell("drift", file, ...)` runs the command line; a traceback fails the test."""

    def run(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["localruns", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Told(int(ended.value.code or 0), *capsys.readouterr())

    return run


def good(folder: Path) -> Path:
    """A walk without drift that localruns answers the same."""
    pages = [
        page(ROWS[at : at + 2], (at + 2) % 6, 6, MaxResults=2, **({"PageToken": at} if at else {})) for at in (0, 2, 4)
    ]
    return har(folder / "good.har", [entry(each) for each in pages])


def bad(folder: Path) -> Path:
    """A page with a row whose name is a number, and an error that localruns does not know."""
    broken = {**ROWS[0], "Name": 7}
    return har(
        folder / "bad.har", [entry(page([broken], 0, 1, MaxResults=2)), entry(refused(418, "Teapot", MaxResults=3))]
    )


@BOTH
def test_good_traffic_ends_with_0(tell: Tell, tmp_path: Path, command: str) -> None:
    result = tell(command, good(tmp_path))
    assert result.exit_code == 0
    said = {
        "drift": "3 exchanges read: 0 breaking, 0 additive,",
        "verify": "3 requests replayed: 3 answered the same, 0 differently",
    }
    assert said[command] in result.stdout


@BOTH
def test_other_traffic_ends_with_1_and_names_the_entry(tell: Tell, tmp_path: Path, command: str) -> None:
    file = bad(tmp_path)
    result = tell(command, file)
    assert result.exit_code == 1
    assert f"{file}: log.entries[1]" in result.stdout


@BOTH
@pytest.mark.parametrize("form", ["json", "junit"])
@pytest.mark.parametrize("made", [good, bad])
def test_other_forms_hold_the_same_and_nothing_else_is_printed(
    tell: Tell, tmp_path: Path, command: str, form: str, made: object
) -> None:
    file = made(tmp_path)  # type: ignore[operator]
    fails = tell(command, file).exit_code
    printed = tell(command, file, "--format", form)
    written = tell(command, file, "--format", form, "--out", tmp_path / "out")
    assert (printed.exit_code, written.exit_code, written.stdout) == (fails, fails, "")
    assert (tmp_path / "out").read_text("utf-8") == printed.stdout
    assert "exchange" in written.stderr or "replayed" in written.stderr
    if form == "json":
        told = json.loads(printed.stdout)
        jsonschema.validate(told, schemas.raw(f"{command}.json"))
        assert told["good"] is not bool(fails)
    else:
        failures = int(ElementTree.fromstring(printed.stdout.encode()).get("failures", ""))
        assert bool(failures) is bool(fails)


@BOTH
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", f"found an empty file, {KINDS}"),
        ("a: 1\n", f"found another kind of file, {KINDS}"),
        ('{"a": 1}', f"found JSON of another kind, {KINDS}"),
        ("\0\0", f"found a file that is no UTF-8 text, {KINDS}"),
        ("scenario: mine\n", f"found a scenario, which can be served as it is, {KINDS}"),
    ],
)
def test_a_file_of_another_kind_is_named_for_what_it_is(
    tell: Tell, tmp_path: Path, command: str, content: str, words: str
) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(content, "utf-8")
    result = tell(command, file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: {file}: {words}\n"


@BOTH
def test_a_file_that_is_not_there_is_told(tell: Tell, tmp_path: Path, command: str) -> None:
    missing = tmp_path / "missing.yaml"
    assert tell(command, missing).stderr == f"error: {missing}: cannot be read: No such file or directory\n"
    unknown = tell(command, "nowhere")
    assert unknown.exit_code == 2
    assert "expected one, or the name of a shipped recording: pai-nightly-sync.recording" in unknown.stderr


@BOTH
def test_a_shipped_recording_is_found_by_its_name(tell: Tell, command: str) -> None:
    assert tell(command, "pai-nightly-sync.recording").exit_code == 0
    result = tell(command, "quickstart")
    assert result.exit_code == 2
    assert f"{fixtures_dir() / 'quickstart.yaml'}: found a scenario" in result.stderr


@BOTH
@pytest.mark.parametrize("content", ["recording: none\nexchanges: []\n", "recording: none\n"])
def test_a_recording_without_an_exchange_is_no_success(tell: Tell, tmp_path: Path, command: str, content: str) -> None:
    file = tmp_path / "none.yaml"
    file.write_text(content, "utf-8")
    result = tell(command, file)
    assert result.exit_code == 1
    assert {"drift": "nothing was compared", "verify": "nothing was replayed"}[command] in result.stdout


@BOTH
def test_traffic_of_others_is_no_success_and_told(tell: Tell, tmp_path: Path, command: str) -> None:
    other = Exchange(request_from("GET", "/somewhere", [("host", "example.org")]), reply_from(200, body=b"{}"))
    result = tell(command, har(tmp_path / "other.har", [entry(other, url="https://example.org")]))
    assert result.exit_code == 1
    assert "left out: exchanges of other hosts and paths: 1 (example.org 1)" in result.stderr


@BOTH
def test_one_vendor_is_looked_at_when_asked_for(tell: Tell, command: str) -> None:
    file = GOLDEN / "har" / "mitmproxy.har"
    result = tell(command, file, "--vendor", "naver-nsml")
    assert result.exit_code == 0
    assert "left out: exchanges of vendors that were not asked for: 15 (" in result.stderr


@BOTH
@pytest.mark.parametrize(
    "name", ["har/devtools.har", "har/mitmproxy.har", "har/playwright.har", "vcr/pytest-recording.yaml"]
)
def test_what_other_programs_recorded_of_localruns_is_as_claimed(tell: Tell, command: str, name: str) -> None:
    result = tell(command, GOLDEN / name)
    assert result.exit_code == 0, result.stdout


@BOTH
def test_a_place_that_cannot_be_written_is_told(tell: Tell, tmp_path: Path, command: str) -> None:
    result = tell(command, good(tmp_path), "--out", tmp_path / "none" / "out")
    assert result.exit_code == 2
    assert "cannot be written: No such file or directory" in result.stderr


def test_verify_asks_another_scenario_when_told_to(tell: Tell, tmp_path: Path) -> None:
    result = tell("verify", good(tmp_path), "--scenario", "quickstart")
    assert result.exit_code == 1
    assert "/TotalCount" in result.stdout
    assert "expected a file or one of" in tell("verify", good(tmp_path), "--scenario", "nowhere").stderr


def test_verify_says_how_much_our_schemas_did_not_allow(tell: Tell, tmp_path: Path) -> None:
    result = tell("verify", bad(tmp_path))
    assert "rows and fields that our schemas do not allow, so that our answers lack them: 1" in result.stderr
