"""The command line as a user types it: help, lists, checks, and clear words for what cannot be done."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import localruns
from localruns.engine.library import Library
from localruns.surfaces.options import is_loopback
from tests.clients.processes import COMMAND, environment, run

RUNS = "vendors: {naver-nsml: {runs: [{generate: 3}]}}\n"


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> str:
    """Exit code 2, nothing on standard output, one clear message."""
    assert (done.returncode, done.stdout) == (2, ""), done
    assert "Traceback" not in done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr
    return done.stderr


@pytest.mark.parametrize("command", [[], ["serve"], ["validate"], ["scenarios"], ["env"]])
def test_help_tells_the_usage_and_each_option(command: list[str]) -> None:
    done = run(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(" ".join(["Usage: localruns", *command, "[OPTIONS]"]))
    assert run(*command, "-h").stdout == done.stdout


def test_version_is_that_of_the_package() -> None:
    assert run("--version").stdout == f"localruns, version {localruns.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["quikstart"], ["no scenario 'quikstart'", "did you mean 'quickstart'", "exact-boundary"]),
        (["/no/such/file.yaml"], ["/no/such/file.yaml: no such file"]),
        (["nothing.yaml"], ["nothing.yaml: no such file"]),
        (["."], ["no scenario '.'"]),
        (["x" * 300 + ".yaml"], ["error: ", "xxx.yaml"]),
        (["--scenarios", "/no/such/folder"], ["/no/such/folder: no such folder"]),
        (["--port", "99999"], ["--port", "99999 is not in the range"]),
        (["--port", "x"], ["--port", "'x'"]),
        (["--auth", "maybe"], ["--auth", "'off', 'present', 'verify'"]),
        (["--vendor", "aws"], ["--vendor", "'palantir-foundry'"]),
        (["--seed", "-1"], ["--seed"]),
        (["--seed", "x"], ["--seed"]),
        (["--seed", str(2**63)], ["--seed", "is not in the range"]),
        (["--cache-dir", ""], ["--cache-dir", "found an empty text, expected a path"]),
        (["--log", "all"], ["--log", "'defects'"]),
        (["--colour"], ["No such option"]),
        (["--host", "0.0.0.0"], ["--host 0.0.0.0 is open to other machines", "--allow-remote"]),
        (["--host", "::"], ["--host :: is open to other machines"]),
        (["--host", ""], ["--host '' is open to other machines"]),
        (["--host", "127.example.com"], ["--host 127.example.com is open to other machines"]),
        (["--host", "0.0.0.0", "--allow-remote"], ["--allow-remote needs a token", "LOCALRUNS_ADMIN_TOKEN"]),
    ],
)
def test_serve_refuses_in_one_clear_message(arguments: list[str], words: list[str]) -> None:
    message = assert_refused(run("serve", *arguments), *words)
    assert len(message.strip().splitlines()) <= 4


def test_an_unknown_command_is_refused_with_a_hint() -> None:
    assert_refused(run("serv"), "No such command 'serv'")


def test_an_unknown_host_name_is_refused() -> None:
    done = run("serve", "--host", "no.such.invalid", "--allow-remote", env=environment(LOCALRUNS_ADMIN_TOKEN="x"))
    assert_refused(done, "no.such.invalid is not a known host name")


def test_a_port_in_use_is_refused_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = assert_refused(run("serve", "--port", port), f"127.0.0.1:{port} is in use already", "--port 0")
    assert len(message.splitlines()) == 1


BROKEN = {
    "syntax.yaml": ("scenario: [a\n", "syntax.yaml:2: not valid YAML"),
    "twice.yaml": (f"scenario: a\nscenario: b\nabout: x\n{RUNS}", "twice.yaml:2: scenario: found duplicate key"),
    "unknown.yaml": (f"scenario: a\nabout: x\nsede: 3\n{RUNS}", "unknown.yaml:3: sede: found unknown key 'sede', did"),
    "list.yaml": ("[1, 2]\n", "list.yaml:1: (top level): found [1, 2], expected a mapping"),
    "empty.yaml": ("", "empty.yaml:1: the file is empty"),
    "binary.yaml": ("\udcff\udcfe", "binary.yaml: not UTF-8 text"),
    "vendor.yaml": ("scenario: a\nabout: x\nvendors: {aws: {}}\n", "vendor.yaml:3: vendors.aws: found unknown key"),
}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    for name, (text, _) in BROKEN.items():
        (tmp_path / name).write_text(text, "utf-8", errors="surrogateescape")
    (tmp_path / "good.yaml").write_text(f"scenario: good\nabout: x\n{RUNS}", "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_scenario_is_refused_with_file_line_and_key(broken: Path, name: str) -> None:
    assert_refused(run("serve", "--port", "0", name, cwd=broken), BROKEN[name][1])


def test_validate_tells_each_problem_in_a_line_of_its_own(broken: Path) -> None:
    done = run("validate", ".", cwd=broken)
    assert done.returncode == 2
    lines = done.stdout.splitlines()
    assert len({line.split(":")[0] for line in lines}) == len(BROKEN)
    for _, words in BROKEN.values():
        assert any(line.startswith(words) for line in lines), (words, lines)
    assert done.stderr == f"1 of {len(BROKEN) + 1} scenarios hold\n"


def test_validate_accepts_files_that_hold(broken: Path) -> None:
    done = run("validate", "good.yaml", cwd=broken)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "1 of 1 scenarios hold\n")


def test_validate_names_a_file_that_is_not_there() -> None:
    done = run("validate", "/no/such.yaml")
    assert done.returncode == 2
    assert done.stdout.startswith("/no/such.yaml: ")


@pytest.mark.parametrize("paths", [["."], ["a", "b"]])
def test_a_folder_without_scenarios_is_no_success(tmp_path: Path, paths: list[str]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    done = run("validate", *paths, cwd=tmp_path)
    assert_refused(done, f"error: {', '.join(paths)}: found no file to check, expected some with .yaml or .yml")


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_the_name_of_a_file_does_not_steer_a_terminal(tmp_path: Path) -> None:
    name = "new\nline\x1b[2J.yaml"
    (tmp_path / name).write_text("", "utf-8")
    message = assert_refused(run("serve", name, cwd=tmp_path), "new\\nline\\x1b[2J.yaml:1: the file is empty")
    assert len(message.splitlines()) == 1


def test_all_shipped_scenarios_hold() -> None:
    done = run("validate")
    count = len(list(Library()))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"{count} of {count} scenarios hold\n")


def test_scenarios_lists_name_vendors_and_subject_a_line_each(broken: Path) -> None:
    listed = {line.split("\t")[0]: line.split("\t") for line in run("scenarios").stdout.splitlines()}
    assert listed["quickstart"][1].startswith("alibaba-pai, oracle-aidp")
    assert all(len(parts) == 3 for parts in listed.values())
    with_ours = run("scenarios", "--scenarios", str(broken)).stdout
    assert "\ngood\tnaver-nsml\tx\n" in f"\n{with_ours}"
    assert_refused(run("scenarios", "--scenarios", "/no/such"), "/no/such: no such folder")


def test_env_prints_exports_a_curl_line_and_a_program_for_each_vendor() -> None:
    text = run("env").stdout
    for vendor in ("alibaba-pai", "oracle-aidp", "naver-nsml", "palantir-foundry"):
        assert f"localruns env --vendor {vendor} --only snippet | python -" in text
    assert "export ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI5tLocalruns00000001" in text


@pytest.mark.parametrize("part", ["exports", "snippet", "curl"])
def test_env_prints_one_part_of_one_vendor_ready_for_a_pipe(part: str) -> None:
    done = run("env", "--vendor", "naver-nsml", "--only", part, "--url", "http://127.0.0.1:9/")
    assert done.returncode == 0
    assert "Alibaba" not in done.stdout
    assert "http://127.0.0.1:9//" not in done.stdout
    if part == "snippet":
        compile(done.stdout, "snippet", "exec")


def test_env_refuses_a_vendor_that_the_scenario_has_no_data_for(broken: Path) -> None:
    done = run("env", "good.yaml", "--vendor", "alibaba-pai", cwd=broken)
    assert_refused(done, "--vendor alibaba-pai: no data for it in good")
    assert_refused(run("serve", "good.yaml", "--vendor", "oracle-aidp", cwd=broken), "no data for it in good")


@pytest.mark.parametrize("url", ["nonsense", "http://", "http://a b", "http://[::1", "http://x:0", "ftp://x"])
def test_env_refuses_what_is_no_url(url: str) -> None:
    assert_refused(run("env", "--url", url), f"--url is '{url}', expected http://HOST[:PORT][/PATH] or https://...")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device there")
def test_a_full_disk_under_standard_output_is_one_clear_message() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "scenarios"], env=environment(), stdout=full, stderr=subprocess.PIPE, timeout=30, check=False
        )
    assert (done.returncode, done.stderr) == (2, b"error: No space left on device\n")


@pytest.mark.parametrize("command", ["scenarios", "env", "validate"])
def test_a_closed_standard_output_does_no_harm(command: str) -> None:
    line = " ".join([*COMMAND, command]) + " >&- 2>&-"
    done = subprocess.run(line, shell=True, env=environment(), capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", ["scenarios", "env", "--help"])
def test_a_reader_that_has_gone_does_no_harm(command: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            [*COMMAND, command], env=environment(), stdout=gone, stderr=subprocess.PIPE, timeout=30, check=False
        )
    assert done.stderr == b""
    assert done.returncode in (0, 1)


SIGNALLING = """
import os, signal, sys
os.kill(os.getpid(), signal.{name})
sys.path.remove({folder!r})
del sys.modules[{library!r}]
import {library}
"""


@pytest.mark.skipif(os.name == "nt", reason="no such signals there")
@pytest.mark.parametrize(
    ("library", "command", "name", "code"),
    [
        ("click", "import", "SIGINT", 130),
        ("orjson", "import", "SIGINT", 130),
        ("orjson", "import", "SIGTERM", 143),
        ("orjson", "serve", "SIGINT", 0),
        ("orjson", "serve", "SIGTERM", 0),
    ],
)
def test_a_signal_in_the_middle_of_an_import_ends_the_command_in_good_order(
    tmp_path: Path, library: str, command: str, name: str, code: int
) -> None:
    folder = tmp_path / "first"
    folder.mkdir()
    text = SIGNALLING.format(name=name, folder=str(folder), library=library)
    (folder / f"{library}.py").write_text(text, "utf-8")
    os.mkfifo(tmp_path / "in.har")
    given = environment()
    given["PYTHONPATH"] = os.pathsep.join([str(folder), given["PYTHONPATH"]])
    line = [sys.executable, "-c", "from localruns.surfaces.start import main; main()", command]
    line += ["in.har"] if command == "import" else ["--port", "0"]
    done = subprocess.run(line, env=given, cwd=tmp_path, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr.strip()) == (code, b"")
    assert {path.name for path in tmp_path.iterdir()} == {"first", "in.har"}


def test_ctrl_c_that_a_shell_has_ignored_stays_so(tmp_path: Path) -> None:
    code = """
import signal
from localruns.surfaces.start import await_signals
signal.signal(signal.SIGINT, signal.SIG_IGN)
await_signals()
assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
"""
    subprocess.run([sys.executable, "-c", code], env=environment(), timeout=30, check=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"])
def test_these_hosts_are_this_machine_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "127.example.com", "10.0.0.1", "localhost.example.com"])
def test_these_hosts_are_open_to_others(host: str) -> None:
    assert not is_loopback(host)
