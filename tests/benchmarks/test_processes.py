"""Server processes are found and ended with all that they start."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.processes import Failed, ServerProcess, free_port

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
PARENT = """
import http.server, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "x = bytearray(40 * 2**20); input()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()
"""


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_children_are_counted_and_ended(tmp_path: Path) -> None:
    port = free_port()
    with ServerProcess([sys.executable, "-c", PARENT, str(port)], tmp_path / "log") as process:
        process.await_port(port, 20)
        child = int((tmp_path / "log").read_text())
        assert not _gone(child)
        assert process.resident_mb() > 20
        assert process.alive
    assert _gone(child)
    assert not process.alive


def test_one_that_ends_at_once_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such thing as a jar')"]
    with (
        ServerProcess(command, tmp_path / "log") as process,
        pytest.raises(Failed, match="ended with exit code 1: no such thing as a jar"),
    ):
        process.await_port(free_port(), 20)


def test_one_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with (
        ServerProcess([sys.executable, "-c", "input()"], tmp_path / "log") as process,
        pytest.raises(Failed, match=r"ended|gave no answer"),
    ):
        process.await_port(free_port(), 0.01)


@pytest.mark.skipif(shutil.which("taskset") is None, reason="needs taskset")
def test_a_server_is_pinned_to_its_core(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    show = "import os; print(os.sched_getaffinity(0), flush=True)"
    with ServerProcess([sys.executable, "-c", show], tmp_path / "log", core=core) as process, pytest.raises(Failed):
        process.await_port(free_port(), 20)
    assert (tmp_path / "log").read_text().strip() == f"{{{core}}}"
