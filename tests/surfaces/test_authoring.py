"""`localruns new` and `localruns freeze`, as they are typed."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from localruns import yamlio
from localruns.engine.checking import check_files
from localruns.errors import ConfigError
from localruns.surfaces.cli import cli
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.pagers import PAGERS
from tests.clients.processes import COMMAND, environment, run

MakeApp = Callable[..., App]
SWITCHED_OFF = re.compile(r"^( *)#(?! \S)(.*)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def localruns(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def load(path: str) -> Any:
    return yamlio.load(Path(path))


@pytest.mark.parametrize("vendor", all_vendors())
def test_a_new_scenario_holds_and_serves_25_rows(vendor: str, make_app: MakeApp) -> None:
    assert localruns("new", "my-first", "--vendor", vendor).output.startswith("wrote my-first.yaml; next: ")
    assert check_files([Path("my-first.yaml")], all_vendors()) == (1, [])
    pager = next(pager for pager in PAGERS if pager.vendor == vendor)
    assert len(pager.rows(make_app("my-first.yaml").test_client(), 10)) == 25


@pytest.mark.parametrize("vendor", all_vendors())
def test_what_is_switched_off_in_a_new_scenario_can_be_switched_on(vendor: str) -> None:
    localruns("new", "my-first", "--vendor", vendor)
    text = Path("my-first.yaml").read_text("utf-8")
    assert set(load("my-first.yaml")) == {"scenario", "about", "seed", "vendors"}
    Path("all.yaml").write_text(SWITCHED_OFF.sub(r"\1\2", text), "utf-8")
    assert check_files([Path("all.yaml")], all_vendors()) == (1, [])
    assert set(load("all.yaml")) == {"scenario", "about", "seed", "clock", "vendors", "faults", "timeline"}
    assert set(load("all.yaml")["vendors"][vendor]) == {"auth", "settings", "runs"}


def test_editors_find_the_schema_of_a_new_scenario() -> None:
    localruns("new", "my-first", "--vendor", "naver-nsml")
    first = Path("my-first.yaml").read_text("utf-8").splitlines()[0]
    assert Path(first.partition("$schema=")[2]).is_file()


@pytest.mark.parametrize("name", ["007", "1e5", "no", "null", "a.b-c_d"])
def test_a_name_that_yaml_could_mistake_stays_a_name(name: str) -> None:
    localruns("new", name, "--vendor", "naver-nsml")
    assert load(f"{name}.yaml")["scenario"] == name


@pytest.mark.parametrize("name", ["My-First", "-x", "", "a b", "ä", "../x", "a" * 101])
def test_a_name_that_no_scenario_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="expected lower-case letters, digits"):
        localruns("new", "--vendor", "naver-nsml", "--out", "x.yaml", "--", name)
    assert not list(Path().iterdir())


def test_nothing_is_overwritten() -> None:
    Path("here.yaml").write_text("mine", "utf-8")
    Path("link.yaml").symlink_to("nowhere.yaml")
    for path in ("here.yaml", "link.yaml"):
        for command in (("new", "x", "--vendor", "naver-nsml"), ("freeze", "quickstart")):
            with pytest.raises(ConfigError, match=f"^{path}: found something there already, expected a new name"):
                localruns(*command, "--out", path)
    assert Path("here.yaml").read_text("utf-8") == "mine"


def test_a_file_that_could_not_be_served_is_not_written() -> None:
    for path in ("plain", "x.json"):
        with pytest.raises(ConfigError, match=r"expected one of: \.yaml, \.yml"):
            localruns("new", "x", "--vendor", "naver-nsml", "--out", path)
    with pytest.raises(ConfigError, match=r"^none/x\.yaml: cannot be written: No such file or directory"):
        localruns("new", "x", "--vendor", "naver-nsml", "--out", "none/x.yaml")
    assert not list(Path().iterdir())


def test_a_vendor_must_be_named() -> None:
    assert localruns("new", "x").exit_code == 2
    assert "'aws' is not one of 'alibaba-pai'" in localruns("new", "x", "--vendor", "aws").output


@pytest.mark.parametrize("pager", PAGERS, ids=lambda pager: f"{pager.vendor}-{pager.style}")
def test_a_frozen_scenario_serves_the_same_bytes(pager: Any, make_app: MakeApp) -> None:
    localruns("freeze", "quickstart", "--out", "frozen.yaml")
    texts = [
        [pager.ask(make_app(name).test_client(), size, None, {}).text for size in (5, 100)]
        for name in ("quickstart", "frozen.yaml")
    ]
    assert texts[0] == texts[1]


def test_freezing_goes_to_standard_output_unless_a_file_is_named() -> None:
    printed = run("freeze", "quickstart")
    assert localruns("freeze", "quickstart", "--out", "frozen.yaml").output == "wrote frozen.yaml\n"
    assert (printed.stdout, printed.stderr) == (Path("frozen.yaml").read_text("utf-8"), "")
    localruns("freeze", "frozen.yaml", "--out", "again.yaml")
    assert Path("again.yaml").read_bytes() == Path("frozen.yaml").read_bytes()


def test_a_scenario_in_a_folder_of_mine_can_be_frozen(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    localruns("new", "own", "--vendor", "oracle-aidp", "--out", "mine/own.yaml")
    localruns("freeze", "own", "--scenarios", "mine", "--out", "frozen.yaml")
    assert len(load("frozen.yaml")["vendors"]["oracle-aidp"]["runs"]) == 25


def test_a_scenario_with_a_problem_is_not_frozen() -> None:
    Path("bad.yaml").write_text("scenario: bad\nvendors:\n  naver-nsml: {runs: [{generate: 2, like: x}]}\n", "utf-8")
    with pytest.raises(ConfigError, match=r"^bad\.yaml:3: vendors\.naver-nsml\.runs\[0\]"):
        localruns("freeze", "bad.yaml", "--out", "frozen.yaml")
    assert [path.name for path in Path().iterdir()] == ["bad.yaml"]


def test_what_would_be_too_large_to_load_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamlio, "MAX_BYTES", 20_000)
    with pytest.raises(ConfigError, match=r"found over 20,000 bytes .* fewer than its 100 rows"):
        localruns("freeze", "quickstart", "--out", "frozen.yaml")
    assert not list(Path().iterdir())


def test_a_terminal_shows_how_far_it_has_got() -> None:
    Path("many.yaml").write_text("scenario: many\nvendors:\n  naver-nsml: {runs: [{generate: 3000}]}\n", "utf-8")
    terminal, inside = pty.openpty()
    done = subprocess.run(
        [*COMMAND, "freeze", "many.yaml"], env=environment(), stdout=subprocess.PIPE, stderr=inside, check=True
    )
    os.close(inside)
    shown = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert "writing" in shown
    assert "100%" in shown
    assert done.stdout.count(b"runName") == 3000


def test_a_reader_that_goes_away_makes_no_noise() -> None:
    freeze = subprocess.Popen([*COMMAND, "freeze", "quickstart"], env=environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)  # fmt: skip
    assert freeze.stdout
    assert freeze.stderr
    freeze.stdout.close()
    with freeze.stderr:
        assert freeze.stderr.read() == b""
    freeze.wait(20)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_freezing_that_is_ended_leaves_nothing_half_written(number: int, code: int) -> None:
    text = "scenario: many\nabout: x\nvendors: {naver-nsml: {runs: [{generate: 200000}]}}\n"
    Path("many.yaml").write_text(text, "utf-8")
    line = [*COMMAND, "freeze", "many.yaml", "--out", "frozen.yaml"]
    with subprocess.Popen(
        line, env=environment(XDG_CACHE_HOME=str(Path().absolute())), stderr=subprocess.PIPE
    ) as process:
        while process.poll() is None and not list(Path().glob("frozen.yaml.*.part")):
            pass
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert b"Traceback" not in errors
    assert not list(Path().glob("frozen.yaml*"))
