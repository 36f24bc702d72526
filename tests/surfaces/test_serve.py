"""`localruns serve` as a real process: how it starts, what it prints, how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.pagers import HEADERS
from tests.clients.processes import COMMAND, READY, environment, serving

RUNS = "/nsml/v1/projects/runs"
NAVER = HEADERS["naver-nsml"]


def quoted(line: str) -> bool:
    return "->" in line


def test_the_first_line_says_where_it_is_ready() -> None:
    with serving() as served:
        assert re.fullmatch(re.escape(READY) + r"[1-9]\d*", served.lines[0])
        assert served.get("/__admin/health")[0] == 200
        out, errors, _ = served.end()
        assert "scenario quickstart: alibaba-pai, oracle-aidp, naver-nsml, palantir-foundry" in out
        assert errors == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_with_exit_code_0(number: int) -> None:
    with serving() as served, socket.create_connection(("127.0.0.1", served.port)) as open_connection:
        open_connection.sendall(b"GET / HTTP/1.1\r\n")
        served.get(RUNS)
        _, errors, took_s = served.end(number)
        assert (served.process.returncode, errors) == (0, "")
        assert took_s < 0.5


def test_a_signal_while_it_is_still_building_ends_it_with_exit_code_0(tmp_path: Path) -> None:
    scenario = tmp_path / "slow.yaml"
    scenario.write_text("scenario: slow\nabout: x\nvendors: {oracle-aidp: {runs: [{generate: 100000}]}}\n")
    cache = tmp_path / "cache"
    line = [*COMMAND, "serve", "--port", "0", str(scenario), "--cache-dir", str(cache)]
    process = subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while process.poll() is None and not list(cache.glob("*.part")):
            select.select([process.stdout], [], [], 0.01)
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=20)
        assert (process.returncode, out, errors) == (0, b"", b"")
        assert list(cache.iterdir()) == []
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.mark.parametrize(("log", "shown"), [("requests", True), ("defects", False), ("none", False), (None, False)])
def test_in_a_pipe_lines_are_plain_and_as_many_as_asked_for(log: str | None, shown: bool) -> None:
    with serving(*(["--log", log] if log else [])) as served:
        served.get(RUNS, **NAVER)
        served.get("/nope?token=super-secret", authorization="Bearer super-secret")
        out, errors, _ = served.end()
        lines = [line for line in out.splitlines() if quoted(line)]
        assert errors == ""
        assert len(lines) == (2 if shown else 0)
        assert "\x1b" not in out
        assert "super-secret" not in out
        if shown:
            assert lines[0].startswith("naver-nsml  page 1 of runs, 10 a page, by createTime descending")
            assert "->  200, rows 1-10 of 25" in lines[0]
            assert lines[1] == "-  GET /nope  ->  404 not found"


def on_a_terminal(*arguments: str, **more: str) -> str:
    """What `serve` shows on a terminal for one request."""
    main, side = pty.openpty()
    process = subprocess.Popen([*COMMAND, "serve", "--port", "0", *arguments], stdout=side, stderr=side,
                               stdin=subprocess.DEVNULL, env=environment(**more))  # fmt: skip
    os.close(side)
    shown, asked = "", False
    try:
        while process.poll() is None and select.select([main], [], [], 15)[0]:
            try:
                shown += os.read(main, 4096).decode()
            except OSError:  # the terminal's other side is closed
                break
            ready = re.search(r"http://127\.0\.0\.1:(\d+)\r?\n", shown)
            if ready and not asked:
                asked = True
                with socket.create_connection(("127.0.0.1", int(ready[1]))) as sock:
                    sock.sendall(f"GET {RUNS} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
                    while sock.recv(4096):
                        pass
            if "because" in shown:
                process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        return shown
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(main)


def test_on_a_terminal_there_is_a_coloured_line_per_request() -> None:
    shown = on_a_terminal()
    assert shown.startswith(READY)
    assert "\x1b[1mnaver-nsml\x1b[0m  GET /nsml/v1/projects/runs  ->  \x1b[33m401 " in shown


def test_colours_can_be_turned_off() -> None:
    shown = on_a_terminal(NO_COLOR="1")
    assert "\x1b" not in shown
    assert "naver-nsml  GET /nsml/v1/projects/runs  ->  401" in shown


def test_several_scenarios_each_get_a_namespace(tmp_path: Path) -> None:
    own = tmp_path / "my runs.yaml"
    own.write_text("scenario: mine\nabout: x\nvendors: {naver-nsml: {runs: [{generate: 3}]}}\n")
    with serving("quickstart", "empty", str(own)) as served:
        assert served.get(RUNS, **NAVER)[1]["totalCount"] == 25
        assert served.get(f"/ns/empty{RUNS}", **NAVER)[1]["totalCount"] == 0
        assert served.get(f"/ns/my%20runs{RUNS}", **NAVER)[1]["totalCount"] == 3
        out = served.end()[0]
        assert f"{served.url}/ns/my%20runs/  scenario mine: naver-nsml\n" in out


def test_two_scenarios_of_one_name_are_refused(tmp_path: Path) -> None:
    with serving("quickstart", "empty", "empty") as served:
        assert "there is a namespace 'empty' already" in served.errors
        assert served.process.returncode == 2


def test_a_scenario_is_found_in_a_folder_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "quickstart.yaml").write_text(
        "scenario: mine\nabout: x\nvendors: {naver-nsml: {runs: [{generate: 3}]}}\n"
    )
    with serving("--scenarios", str(tmp_path)) as served:
        assert served.get("/__admin/health")[1]["scenario"] == "mine"


def test_only_the_chosen_vendors_are_served() -> None:
    with serving("--vendor", "naver-nsml", "--vendor", "oracle-aidp") as served:
        assert [item["vendor"] for item in served.get("/")[1]["vendors"]] == ["oracle-aidp", "naver-nsml"]
        status, body = served.get("/api/v1/runs", **HEADERS["alibaba-pai"])
        assert (status, body["title"]) == (404, "not found")


def test_the_journal_keeps_as_many_requests_as_asked_for() -> None:
    with serving("--journal-entries", "3") as served:
        for number in range(5):
            served.get(f"/nowhere/{number}")
        told = served.get("/__admin/requests")[1]
    assert [entry["target"] for entry in told["requests"]] == ["/nowhere/2", "/nowhere/3", "/nowhere/4"]
    assert (told["count"], told["evicted"]) == (5, 2)


def test_a_seed_in_place_of_the_scenarios_changes_the_rows() -> None:
    rows = []
    for seed in ([], ["--seed", "8"], ["--seed", "8"]):
        with serving(*seed) as served:
            rows.append(json.dumps(served.get(f"{RUNS}?pageSize=25", **NAVER)[1]["runList"]))
    assert rows[0] != rows[1] == rows[2]


def test_the_mode_of_the_command_line_wins_over_the_scenarios() -> None:
    for mode, status in (("off", 200), ("present", 401), ("verify", 401)):
        with serving("--auth", mode) as served:
            assert served.get(RUNS)[0] == status


def test_an_unwritable_cache_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with serving("--cache-dir", str(tmp_path / "file" / "cache")) as served:
        assert served.get(RUNS, **NAVER)[0] == 200
        assert served.get("/")[0] == 200
        _, errors, _ = served.end()
        assert len(errors.splitlines()) == 1
        assert errors.startswith("WARNING: ")
        assert "built in memory" in errors


def test_beyond_loopback_the_control_api_needs_the_token() -> None:
    env = environment(LOCALRUNS_ADMIN_TOKEN="letmein")
    with serving("--host", "0.0.0.0", "--allow-remote", env=env) as served:
        assert served.lines[0].startswith(READY)
        assert served.get("/__admin/health")[0] == 401
        assert served.get("/__admin/health", authorization="Bearer letmein")[0] == 200
        assert "letmein" not in "".join(served.end()[:2])


def test_a_reader_that_goes_away_does_not_stop_the_server() -> None:
    with serving("--log", "requests") as served:
        assert served.process.stdout
        served.process.stdout.close()
        for _ in range(50):
            assert served.get(RUNS)[0] == 401
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(10) == 0
        assert served.process.stderr
        assert served.process.stderr.read() == ""
        served.process.stdout = None


def test_a_reader_that_reads_nothing_does_not_keep_it_from_ending() -> None:
    with serving("--log", "requests") as served:
        with socket.create_connection(("127.0.0.1", served.port)) as sock:
            request = f"GET /{'x' * 150} HTTP/1.1\r\n\r\n".encode() * 500
            sock.sendall(request + b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            while sock.recv(1 << 16):
                pass
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(5) == 0


MODULES = """
import sys
from localruns.surfaces import console
from localruns.surfaces.cli import main
class Telling(console.Console):
    def __exit__(self, *error):
        super().__exit__(*error)
        print("modules:", *sorted(sys.modules))
console.Console = Telling
main()
"""


def test_with_a_warm_cache_nothing_heavy_is_imported() -> None:
    with serving() as warm:
        warm.get(RUNS)
    with serving(command=[sys.executable, "-c", MODULES]) as served:
        for vendor, path in {
            "naver-nsml": RUNS,
            "alibaba-pai": "/api/v1/runs",
            "palantir-foundry": "/api/v2/x",
        }.items():
            served.get(path, **HEADERS[vendor])
        served.get("/__admin/requests")
        modules = served.end()[0].rpartition("modules:")[2].split()
    heavy = {"rich", "jsonschema", "faker", "cryptography", "trustme", "referencing", "dateutil", "websockets", "h11"}
    builders = {f"localruns.engine.{name}" for name in ("building", "compiler", "template", "writer", "checking")}
    assert {"flask", "localruns.engine.store"} <= set(modules)
    assert (heavy | builders) & set(modules) == set()


@pytest.mark.parametrize("cache", ["cold", "warm"])
def test_the_first_answer_comes_within_a_second_and_memory_stays_small(
    tmp_path: Path, cache: str, record_property: Callable[[str, object], None]
) -> None:
    env = environment(XDG_CACHE_HOME=str(tmp_path))
    if cache == "warm":
        with serving(env=env) as served:
            served.get(RUNS)
    best_s = 9.0
    for _ in range(3):  # the machine may be busy; the fastest counts
        with serving(env=env if cache == "warm" else environment(XDG_CACHE_HOME=str(tmp_path / str(best_s)))) as served:
            assert served.get(RUNS, **NAVER)[0] == 200
            used_s, held_bytes = used(served.process.pid)
            best_s = min(best_s, served.ready_s, used_s)
            assert held_bytes < 120 * 1024 * 1024
    record_property("first_answer_s", best_s)
    assert best_s < 0.7


def used(process_id: int) -> tuple[float, int]:
    """Processor time and resident memory of a process, where the system tells. Units: seconds, bytes."""
    folder = Path(f"/proc/{process_id}")
    if not folder.exists():
        return 9.0, 0
    ticks = folder.joinpath("stat").read_text().rpartition(")")[2].split()[11:13]
    held = re.search(r"VmRSS:\s+(\d+) kB", folder.joinpath("status").read_text())
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), int(held[1]) * 1024 if held else 0
