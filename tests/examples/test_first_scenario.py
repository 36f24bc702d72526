"""`docs/first-scenario.md`, followed by hand: its commands in order, its edits, and what it says that one sees."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from localruns import yamlio
from tests.clients.processes import Served, environment, serving

GUIDE = (Path(__file__).parents[2] / "docs" / "first-scenario.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(sh|yaml)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
RELOADED = "reloaded nightly.yaml: namespace default starts over"
MISTAKE = "faults[0].refuse: found 'throtled', did you mean 'throttled'?"
Run = Callable[[str], str]

pytestmark = pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command as it is shown; what it prints, on both streams."""
    tool = tmp_path / "bin" / "localruns"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m localruns.surfaces.cli "$@"\n', "utf-8")
    tool.chmod(0o755)

    def start(command: str) -> str:
        done = subprocess.run(
            ("bash", "-euc", f"PATH={shlex.quote(str(tool.parent))}:$PATH; {command}"), cwd=tmp_path, text=True,
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=50, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    return start


def shown(start: str) -> str:
    """The block of the guide that begins so."""
    return next(text for _, text in BLOCKS if text.startswith(start))


def told(server: Served, words: str) -> None:
    """The server prints the words, and the guide says that it does."""
    assert words in " ".join(GUIDE.split())
    server.read_until(lambda line: words in line)


def test_the_guide_can_be_followed_to_the_end(run: Run, tmp_path: Path) -> None:
    run(shown("localruns new"))
    assert run(shown("localruns validate")) == "1 of 1 scenarios hold\n"
    file = tmp_path / "nightly.yaml"
    with serving(*shlex.split(shown("localruns serve"))[2:], cwd=tmp_path) as server:

        def here(start: str) -> str:
            return run(shown(start).replace("8420", str(server.port)))

        assert here("curl -s 'http://127.0.0.1:8420/api").count('"RunId"') == 2
        file.write_text(file.read_text("utf-8") + shown("faults:"), "utf-8")
        told(server, RELOADED)
        assert here("for call").split() == re.findall(r"`(\d{3})`", GUIDE) == ["200", "429", "200"]
        good = file.read_text("utf-8")
        file.write_text(good.replace("refuse: throttled, retry_after_s: 2}", "refuse: throtled}"), "utf-8")
        told(server, MISTAKE)
        assert "fault refuse throttled at call 2" in here("curl -s 'http://127.0.0.1:8420/__admin")
        file.write_text(good, "utf-8")
        server.read_until(lambda line: "nothing to reload" in line)
    run(shown("localruns freeze"))
    assert len(yamlio.load(tmp_path / "nightly-frozen.yaml")["vendors"]["alibaba-pai"]["runs"]) == 25


def test_every_block_of_the_guide_is_followed() -> None:
    followed = ("localruns new", "localruns validate", "localruns serve", "curl -s 'http://127.0.0.1:8420/api",
                "faults:", "for call", "curl -s 'http://127.0.0.1:8420/__admin", "localruns freeze")  # fmt: skip
    assert [text for _, text in BLOCKS if not text.startswith(followed)] == []
    assert len(BLOCKS) == len(followed) == GUIDE.count("\n```\n")
