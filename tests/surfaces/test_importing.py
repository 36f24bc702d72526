"""The command `localruns import`: where it writes, what it refuses, how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from localruns import yamlio
from localruns.engine.recorded.recording import Reader
from tests.recordings.makers import entry, har, page, run


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    """A HAR file with one walk."""
    return har(tmp_path / "My Nightly.Sync.har", [entry(page([run(1), run(2)], 0, 2, MaxResults=5))])


def bring(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "localruns.surfaces.cli", "import", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=50, check=False)


def test_the_default_place_is_named_after_the_file(tmp_path: Path, traffic: Path) -> None:
    result = bring(tmp_path, traffic)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"read {traffic}: 1 exchange",
        "alibaba-pai: 1 walk, 1 page, 2 rows, 0 errors; page sizes 5",
        "wrote fixtures/recorded/my-nightly.yaml; next: `localruns serve fixtures/recorded/my-nightly.yaml`",
    ]
    written = yamlio.load(tmp_path / "fixtures/recorded/my-nightly.yaml")
    assert written["scenario"] == "my-nightly"
    assert written["about"] == "Rebuilt from My Nightly.Sync.har."
    assert written["clock"] == "2026-02-01T08:00:00Z"

    result = bring(tmp_path, traffic, "--as", "cassette")
    assert result.returncode == 0
    reader = Reader(tmp_path / "fixtures/recorded/my-nightly.recording.yaml")
    assert len(list(reader)) == 1
    assert reader.head.name == "my-nightly"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such names")
@pytest.mark.parametrize("form", ["scenario", "cassette"])
def test_the_name_of_a_file_may_be_no_text(tmp_path: Path, traffic: Path, form: str) -> None:
    odd = traffic.rename(tmp_path / os.fsdecode(b"\xff\xfe.har"))
    result = bring(tmp_path, odd, "--as", form, "--out", "out.yaml")
    assert (result.returncode, result.stderr) == (0, "")
    assert "from ??.har." in yamlio.load(tmp_path / "out.yaml")["about"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such files and signals there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_import_that_is_ended_is_no_success_and_leaves_nothing(tmp_path: Path, number: int, code: int) -> None:
    os.mkfifo(tmp_path / "in.har")
    command = [sys.executable, "-m", "localruns.surfaces.cli", "import", "in.har", "--out", "out.yaml"]
    with (
        subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process,
        (tmp_path / "in.har").open("wb"),  # it is open once the import reads
    ):
        while process.poll() is None:  # one that comes just before it waits for the file is seen only with the next
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["in.har"]


@pytest.mark.parametrize("form", ["scenario", "cassette"])
def test_what_a_killed_import_left_goes_with_the_next_one(tmp_path: Path, traffic: Path, form: str) -> None:
    pytest.importorskip("fcntl")
    out = tmp_path / "out.yaml"
    killer = (
        "import os, pathlib, sys; from localruns.engine.recorded import recording; from localruns.surfaces import cli;"
        "recording.Writer.add = pathlib.Path.write_text = lambda *_: os.kill(os.getpid(), 9);"
        f"sys.argv = ['localruns', 'import', {str(traffic)!r}, '--as', {form!r}, '--out', {str(out)!r}]; cli.main()"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", killer], cwd=tmp_path, timeout=50, check=False)
        assert done.returncode == -signal.SIGKILL
        assert len(list(tmp_path.glob("out.yaml.*.part"))) == 1
    assert bring(tmp_path, traffic, "--as", form, "--out", out).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([traffic.name, out.name])


def test_a_file_that_leads_to_itself_is_one_clear_message(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    result = bring(tmp_path, "loop.yaml", "--out", "out.yaml")
    assert result.returncode == 2
    assert result.stderr == "error: loop.yaml: cannot be read: Too many levels of symbolic links\n"


def test_what_is_there_is_overwritten_when_that_is_meant(tmp_path: Path, traffic: Path) -> None:
    out = tmp_path / "out.yaml"
    out.write_text("precious", "utf-8")
    result = bring(tmp_path, traffic, "--out", out)
    assert result.returncode == 2
    assert "nothing is overwritten; --force overwrites it" in result.stderr
    assert out.read_text("utf-8") == "precious"
    assert bring(tmp_path, traffic, "--out", out, "--force").returncode == 0
    assert yamlio.load(out)["scenario"] == "my-nightly"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "out.txt"], "found a name that ends in '.txt'"),
        (["--name", "Big Name"], "--name 'Big Name'"),
        (["--as", "cassette", "--delays"], "--delays: a recording keeps"),
        (["--vendor", "oracle-aidp"], "found no exchange with a list of runs of oracle-aidp"),
        (["--redact", "none.yaml"], "none.yaml"),
        (["missing.har"], "missing.har: cannot be read: No such file"),
    ],
)
def test_what_cannot_be_done_is_one_clear_message(
    tmp_path: Path, traffic: Path, options: list[str], words: str
) -> None:
    result = bring(tmp_path, traffic, *options)
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [traffic.name]


def test_several_files_become_one(tmp_path: Path, traffic: Path) -> None:
    other = har(tmp_path / "other.har", [entry(page([run(3)], 0, 1, MaxResults=5, Name="wide-net-3"))])
    assert bring(tmp_path, traffic, other, "--out", "out.yaml").returncode == 0
    rows = yamlio.load(tmp_path / "out.yaml")["vendors"]["alibaba-pai"]["runs"]
    assert [row["RunId"] for row in rows] == ["run-1", "run-2", "run-3"]
    assert "Rebuilt from My Nightly.Sync.har and other.har." in (tmp_path / "out.yaml").read_text("utf-8")
