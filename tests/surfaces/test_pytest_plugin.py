"""The pytest plugin, in test runs of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from localruns.testing import LocalRuns, RemoteRuns

Run = Callable[..., pytest.RunResult]

BROKEN = """
@pytest.fixture
def broken(monkeypatch):
    def render(*_):
        raise RuntimeError("broken on purpose")
    monkeypatch.setattr("localruns.engine.store.Store.page", render)
"""
SIX = {"scenario": "six", "vendors": {"naver-nsml": {"runs": [{"generate": 6}]}}}


@pytest.fixture
def shared() -> Iterator[LocalRuns]:
    """A server that runs before and after the test run."""
    with LocalRuns() as emu:
        yield emu


def test_each_test_has_a_namespace_named_after_it(run_tests: Run) -> None:
    result = run_tests("""
        def test_one(localruns):
            assert ask(localruns).json()["totalCount"] == 25
            assert len(localruns.requests()) == 1
            assert localruns.name.startswith("test-one-")

        @pytest.mark.parametrize("what", ["a/b c", "ü"])
        def test_two(localruns, localruns_server, what):
            assert localruns.requests() == []
            assert localruns.url.startswith(localruns_server.url + "/ns/test-two-")
    """)
    result.assert_outcomes(passed=3)
    assert "localruns: namespace" not in result.stdout.str()


def test_a_test_gets_the_same_bytes_in_every_run(run_tests: Run, pytester: pytest.Pytester) -> None:
    source = """
        def test_bytes(localruns):
            secrets = [localruns.credentials(vendor) for vendor in ("naver-nsml", "palantir-foundry")]
            with open("seen.txt", "a") as seen:
                seen.write(f"{ask(localruns).text} {secrets}\\n")
    """
    for _ in range(2):
        run_tests(source).assert_outcomes(passed=1)
    first, second = (pytester.path / "seen.txt").read_text("utf-8").splitlines()
    assert first == second


def test_the_report_of_a_failed_test_shows_what_was_asked_and_why_it_was_answered_so(run_tests: Run) -> None:
    result = run_tests("""
        def test_fails(localruns):
            ask(localruns)
            ask(localruns, Prefer="code=429")
            assert ask(localruns, method="POST").status_code == 200
    """)
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"-+ localruns: namespace test-fails-[0-9a-f]{8} -+",
            r"#1 naver-nsml  page 1 of runs, 10 a page, by .*  ->  200, rows 1-10 of 25",
            r"#2 naver-nsml  .*  ->  429 .*  because asked for by the header 'Prefer: code=429'",
            r"#3 naver-nsml  POST /nsml/v1/projects/runs  ->  4.*close to GetRunList: method POST, expected GET",
        ],
        consecutive=True,
    )


def test_a_client_that_misses_its_namespace_is_found_out(run_tests: Run) -> None:
    result = run_tests("""
        def test_fails(localruns, localruns_server):
            ask(localruns_server)
            assert localruns.requests()
    """)
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            "no request reached this namespace",
            "meanwhile in the namespace 'default', because they named none:",
            r"#1 naver-nsml  page 1 of runs.*  ->  200, rows 1-10 of 25",
        ],
        consecutive=True,
    )


def test_a_defect_fails_the_test_that_met_it(run_tests: Run) -> None:
    result = run_tests(
        BROKEN
        + """
def test_meets_one(localruns, broken):
    ask(localruns)

def test_meets_none(localruns):
    ask(localruns)

def test_forgets_one(localruns, broken):
    ask(localruns)
    localruns.reset()
    """
    )
    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(
        ["localruns itself failed, not the client:", "#1 naver-nsml * because defect: RuntimeError: broken on purpose*"]
    )


def test_a_defect_that_the_test_has_been_told_of_does_not_fail_it_again(run_tests: Run) -> None:
    result = run_tests(
        BROKEN
        + """
def test_knows(localruns, broken):
    ask(localruns)
    with pytest.raises(AssertionError, match="broken on purpose"):
        localruns.expect_no_defects()
    """
    )
    result.assert_outcomes(passed=1)


def test_scenarios_of_a_folder_are_known_by_name(run_tests: Run, pytester: pytest.Pytester) -> None:
    pytester.mkdir("mine")
    (pytester.path / "mine" / "six.yaml").write_text(json.dumps(SIX), "utf-8")
    source = """
        @pytest.mark.localruns("six")
        def test_it(localruns, make_localruns):
            assert ask(localruns).json()["totalCount"] == 6
            assert ask(make_localruns("six")).json()["totalCount"] == 6
    """
    run_tests(source, "--localruns-scenarios", "mine").assert_outcomes(passed=1)
    missing = run_tests(source, "--localruns-scenarios", "nowhere")
    missing.assert_outcomes(errors=1)
    missing.stdout.fnmatch_lines(["*nowhere: no such folder, expected one that holds scenarios"])


def test_private_servers_are_made_and_stopped(run_tests: Run) -> None:
    result = run_tests("""
        import threading

        seen = []

        def test_makes_two(make_localruns, localruns_server):
            off, seeded = make_localruns(auth="off"), make_localruns("quickstart", seed=3)
            assert len({off.url, seeded.url, localruns_server.url}) == 3
            assert httpx.get(off.url + "/nsml/v1/projects/runs").status_code == 200
            assert ask(seeded).text != ask(localruns_server).text
            ports = tuple(server.url.rpartition(":")[2] for server in (off, seeded))
            seen.extend(thread for thread in threading.enumerate() if thread.name.endswith(ports))

        def test_they_are_gone():
            assert len(seen) == 2
            for thread in seen:
                thread.join(30)
                assert not thread.is_alive()

        def test_its_journal_is_in_the_report(make_localruns):
            assert ask(make_localruns("empty")).json()["totalCount"] == 1
    """)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.re_match_lines(
        ["-+ localruns: private server http://127.0.0.1:.*", "#1 naver-nsml .* 200, no rows of 0"]
    )


def test_a_server_elsewhere_is_used_and_left_clean(
    run_tests: Run, shared: LocalRuns, pytester: pytest.Pytester
) -> None:
    pytester.mkdir("mine")
    for name in ("mine/named.yaml", "beside.yaml"):
        (pytester.path / name).write_text(json.dumps(SIX), "utf-8")
    result = run_tests(
        f"""
        @pytest.mark.localruns("named")
        def test_named(localruns, localruns_server):
            assert localruns_server.url == {shared.url!r}
            assert ask(localruns).json()["totalCount"] == 6

        @pytest.mark.localruns("beside.yaml")
        def test_path(localruns):
            assert ask(localruns).json()["totalCount"] == 6

        def test_fails(localruns):
            ask(localruns)
            assert localruns.requests() == []
        """,
        f"--localruns-url={shared.url}",
        "--localruns-scenarios=mine",
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.re_match_lines([r"#1 naver-nsml  page 1 of runs.*  ->  200, rows 1-10 of 25"])
    assert [each["name"] for each in RemoteRuns(shared.url).call("GET", "namespaces")["namespaces"]] == ["default"]


def test_an_address_without_a_server_is_one_clear_message(run_tests: Run) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, and nobody listens
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = run_tests("def test_it(localruns):\n    pass\n", f"--localruns-url={url}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{url}: no server answers there (*), expected a server started with *"])


def test_async_tests_use_the_same_fixture(run_tests: Run) -> None:
    result = run_tests(
        """
        async def ask_async(handle):
            async with httpx.AsyncClient(auth=None) as client:
                names = ("x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-api-key")
                headers = dict.fromkeys((*names, "x-ncp-apigw-signature-v2"), "any")
                return await client.get(handle.url + "/nsml/v1/projects/runs", headers=headers)

        @pytest.mark.asyncio
        async def test_asyncio(localruns):
            assert (await ask_async(localruns)).json()["totalCount"] == 25
            assert len(localruns.requests()) == 1

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_anyio(localruns):
            assert (await ask_async(localruns)).json()["totalCount"] == 25
            assert len(localruns.requests()) == 1
        """,
        "--override-ini=asyncio_default_fixture_loop_scope=function",
        *("-p", "pytest_asyncio.plugin", "-p", "anyio.pytest_plugin"),
    )
    result.assert_outcomes(passed=2)


def test_the_mark_and_the_options_are_listed(run_tests: Run) -> None:
    run_tests("", "--markers").stdout.fnmatch_lines(
        ["@pytest.mark.localruns(scenario, [*], vendors, cassette, upstream, vendor): *"]
    )
    run_tests("", "--help").stdout.fnmatch_lines(["localruns:", "*--localruns-url=URL*", "*--localruns-scenarios=DIR*"])


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys, time, pytest, _pytest.config\n"
        "before, begun = set(sys.modules), time.perf_counter()\n"
        "import localruns.surfaces.pytest_plugin\n"
        "print(time.perf_counter() - begun, *sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    took, *names = done.stdout.split()
    assert names == ["localruns", "localruns.surfaces", "localruns.surfaces.pytest_plugin"]
    assert float(took) < 0.1


def test_the_package_announces_the_plugin() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    announced = project["entry-points"]["pytest11"]
    assert list(announced) == ["localruns"]
    assert import_module(announced["localruns"]).pytest_addoption
