"""What README and docs show is true: their commands run, their scenarios hold, their output is what is printed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from localruns.engine.checking import check_files
from localruns.vendors import all_vendors
from tests.clients.pagers import HEADERS
from tests.clients.processes import environment, serving

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl"),
]

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "src").rglob("README.md"))]
# Commands that set up a machine, fetch from elsewhere or run a reader's own tests; nothing else is left out.
SKIPPED = re.compile(r"make( |$)|(\S*/)?pip install |git clone |cd |pytest |python -m benchmarks\.")
SERVE = re.compile(r"(\S*/)?localruns serve ?(?P<arguments>[^&]*)&?")
RECORD = re.compile(r"(\S*/)?localruns record (?P<arguments>[^&]*)&?")
NOT_OUTPUT = "socket -> edge"
# What a failed test's report puts around a line of the server: a heading with a name of its own, a number before each.
REPORTED = re.compile(r"-+ localruns: namespace \S+ -+\n|^#\d+ ", re.MULTILINE)
LISTED_BY_A_SNIPPET = 25


@dataclass(frozen=True)
class Block:
    """A fenced block of a page. Shape: `language` is "" where the page names none."""

    page: Path
    language: str
    text: str


def blocks(*languages: str) -> list[Block]:
    """All blocks of the pages in one of the languages."""
    fence = re.compile(r"^```([\w-]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    found = (Block(page, *match.groups()) for page in PAGES for match in fence.finditer(page.read_text("utf-8")))
    return [block for block in found if block.language in languages]


def commands(text: str) -> Iterator[str]:
    """The commands of a block, their comments cut off; a line that ends in a backslash goes on."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield line if "#" not in line else re.sub(r"\s+# .*", "", line)


def place(block: Block) -> str:
    return str(block.page.relative_to(ROOT))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a reader has it: commands of ours on the path and in `.venv/bin`, the page's scenarios in files."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, command in {"localruns": "-m localruns.surfaces.cli ", "python": ""}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {command}"$@"\n', "utf-8")
        (programs / name).chmod(0o755)
    for block in blocks("yaml"):
        if name := re.search(r"^scenario: (\S+)$", block.text, re.MULTILINE):
            (tmp_path / f"{name[1]}.yaml").write_text(block.text, "utf-8")
    shutil.copy(ROOT / "tests" / "golden" / "har" / "playwright.har", tmp_path / "nightly.har")
    return tmp_path


def run(command: str, folder: Path) -> str:
    """What a command line prints; each of its parts must succeed."""
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ("bash", "-euo", "pipefail", "-c", command),
        cwd=folder,
        env=environment(PATH=path),
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.parametrize("page", dict.fromkeys(map(place, blocks("sh"))))
def test_the_commands_of_a_page_run(page: str, folder: Path) -> None:
    shown = [line for block in blocks("sh") if place(block) == page for line in commands(block.text)]
    with serving("quickstart") as server:
        for command in shown:
            if SKIPPED.match(command):
                continue
            if served := SERVE.fullmatch(command):
                with serving(*shlex.split(served["arguments"]), cwd=folder) as other:
                    assert other.get("/__admin/health")[0] == 200
                continue
            if recorded := RECORD.fullmatch(command):
                arguments = re.sub(r"--upstream \S+", f"--upstream {server.url}", recorded["arguments"])
                with serving(*shlex.split(arguments), cwd=folder, what="record") as recorder:
                    assert recorder.lines[0].startswith("localruns recording on ")
                    recorder.end()
                    assert recorder.process.returncode == 0
                continue
            here = command.replace("8420", str(server.port)).replace("curl -s ", "curl -sf ")  # an error fails
            here = here.replace("localruns env", f"localruns env --url {server.url}")
            output = run(here, folder)
            assert output
            if command.endswith("python -"):
                assert len(set(output.splitlines())) == LISTED_BY_A_SNIPPET


@pytest.mark.parametrize(
    "block", [each for each in blocks("yaml") if re.search("^(scenario|recording):", each.text, re.M)], ids=place
)
def test_the_scenarios_of_a_page_hold(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "shown.yaml"
    path.write_text(block.text, "utf-8")
    assert check_files([path], all_vendors()) == (1, [])


def test_the_output_that_is_shown_is_printed() -> None:
    """Blocks without a language are lines that the server prints, when it is ready and for the requests made here."""
    texts = [REPORTED.sub("", block.text) for block in blocks("") if NOT_OUTPUT not in block.text]
    shown = {line for text in texts for line in text.splitlines()}
    with serving("quickstart", "--log", "requests") as server:
        server.get("/api/v1/runs?PageNumber=3&PageSize=10", **HEADERS["alibaba-pai"])
        server.get("/nsml/v1/projects/runs", **HEADERS["naver-nsml"])
        server.get("/nsml/v1/projects/runs", "POST", **HEADERS["naver-nsml"])
        server.read_until(lambda line: " POST " in line)
        printed = {line.replace(str(server.port), "8420") for line in server.lines}
    assert shown <= printed, shown - printed


def test_nothing_but_setting_up_is_left_out() -> None:
    left_out = {line for block in blocks("sh") for line in commands(block.text) if SKIPPED.match(line)}
    assert left_out == {
        "make serve",
        "make test",
        "make bench",
        'make bench ARGS="--quick"',
        'make bench ARGS="--out results.json"',
        ".venv/bin/pip install alibabacloud_aiworkspace20210204",
        "pytest -n 4 --localruns-url http://127.0.0.1:8420",
        "python -m benchmarks.hotpath",  # the end of make test
        "python -m benchmarks.hotpath --record",
    }


@pytest.mark.parametrize("block", blocks("python"), ids=place)
def test_python_that_is_shown_is_python(block: Block) -> None:
    """No more than that: the guide for tests is run by tests/surfaces/test_pytest_docs.py, README's is a fragment."""
    compile(block.text, place(block), "exec")


def test_each_block_is_of_a_kind_that_is_tried() -> None:
    tried = ("sh", "yaml", "python", "")
    assert {block.language for block in blocks(*tried)} <= set(tried)
    fences = sum(len(re.findall(r"^```", page.read_text("utf-8"), re.MULTILINE)) for page in PAGES)
    assert fences == 2 * len(blocks(*tried)), "a page has a block in a language that nothing here runs"
