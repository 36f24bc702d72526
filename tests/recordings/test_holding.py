"""Files that one process writes at a time, and parts that take their place when they are whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from localruns.errors import ConfigError
from localruns.recordings import holding
from localruns.recordings.holding import Held, Hold, part_of

pytest.importorskip("fcntl")

HOLDER = """
import sys
from pathlib import Path
from localruns.recordings.holding import Hold, part_of
with part_of(Path(sys.argv[1])) as part:
    part.write_text("half")
    print(part.name, flush=True)
    sys.stdin.read()
"""


def start(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that writes a part of `place` until it is ended, and that part."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, place.parent / process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=10)


def test_a_second_holder_is_told_who_is_the_first(tmp_path: Path) -> None:
    process, part = start(tmp_path / "out.yaml")
    with pytest.raises(Held) as held:
        Hold(part)
    if sys.platform == "linux":
        assert held.value.holder in (process.pid, 0)  # not every file system tells
    end(process)
    hold = Hold(part)
    assert hold.locked
    hold.release()


def test_within_a_process_there_is_one_holder_too(tmp_path: Path) -> None:
    hold = Hold(tmp_path / "x")
    with pytest.raises(Held):
        Hold(tmp_path / "x")
    hold.release()
    hold.release()
    Hold(tmp_path / "x").release()


def test_a_file_that_goes_while_it_is_locked_is_not_what_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, locked = tmp_path / "x", holding._locked

    def and_gone(file: int) -> bool:
        monkeypatch.setattr(holding, "_locked", locked)
        place.unlink()
        return locked(file)

    monkeypatch.setattr(holding, "_locked", and_gone)
    hold = Hold(place)
    with pytest.raises(Held):
        Hold(place)
    hold.release()


def test_what_a_killed_process_left_is_removed_and_what_a_running_one_writes_stays(tmp_path: Path) -> None:
    place = tmp_path / "out.yaml"
    killed, left = start(place)
    running, written = start(place)
    others = [
        tmp_path / name for name in ("other.yaml.1234.part", "out.yaml.part", "out.yaml.zz.part", "xout.yaml.1.part")
    ]
    for path in others:
        path.touch()
    end(killed)
    assert left.read_text("utf-8") == "half"
    with part_of(place) as part:
        assert not left.exists()
        assert written.read_text("utf-8") == "half"
        part.write_text("whole", "utf-8")
        part.replace(place)
    end(running)
    with part_of(place):
        pass
    assert sorted(tmp_path.iterdir()) == sorted([place, *others])
    assert place.read_text("utf-8") == "whole"


def test_without_locks_all_is_written_and_nothing_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "fcntl", None)
    left = tmp_path / "out.yaml.12.part"
    left.touch()
    holds = [Hold(tmp_path / "x"), Hold(tmp_path / "x")]
    assert [hold.locked for hold in holds] == [False, False]
    with part_of(tmp_path / "out.yaml") as part:
        part.replace(tmp_path / "out.yaml")
    assert {path.name for path in tmp_path.iterdir()} == {"out.yaml", left.name}


def test_a_file_system_without_locks_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(file: int, how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    holds = [Hold(tmp_path / "x"), Hold(tmp_path / "x")]
    assert [hold.locked for hold in holds] == [False, False]
    for hold in holds:
        hold.release()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none/x: cannot be written: No such file"), part_of(tmp_path / "none" / "x"):
        pass
    with part_of(tmp_path / "made" / "x", folders=True) as part:
        assert part.parent == tmp_path / "made"
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigError, match=r"file/x: cannot be written: Not a directory"),
        part_of(tmp_path / "file" / "x", folders=True),
    ):
        pass
    assert os.listdir(tmp_path / "made") == []
