"""The pytest plugin under pytest-xdist: a server for each worker, or one for all of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import localruns
from localruns.testing import LocalRuns

SUITE = Path(__file__).parents[1] / "examples" / "parallel_suite.py"
PARALLEL = ("-p", "xdist", "-n", "2", "-p", "localruns.surfaces.pytest_plugin")


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with the example suite in it, and no plugins but those that a run names."""
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(localruns.__file__).parents[1]))
    shutil.copy(SUITE, pytester.path / "test_suite.py")
    return pytester


def test_all_workers_share_one_server(suite: pytest.Pytester) -> None:
    with LocalRuns() as shared:
        result = suite.runpytest_subprocess(*PARALLEL, f"--localruns-url={shared.url}")
        result.assert_outcomes(passed=120)
        assert [each["name"] for each in shared.call("GET", "namespaces")["namespaces"]] == ["default"]
        assert shared.requests() == []


def test_each_worker_has_a_server_of_its_own(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_it(localruns, localruns_server, number):
            with open(f"{localruns_server.url.rpartition(':')[2]}.port", "a") as seen:
                seen.write(f"{number} ")
            assert number != 3
    """)
    (suite.path / "test_suite.py").unlink()
    result = suite.runpytest_subprocess(*PARALLEL)
    result.assert_outcomes(passed=7, failed=1)
    result.stdout.re_match_lines([r"-+ localruns: namespace test-it-3-.*", "no request reached this namespace"])
    seen = [path.read_text("utf-8").split() for path in suite.path.glob("*.port")]
    assert len(seen) == 2
    assert sorted(int(number) for numbers in seen for number in numbers) == list(range(8))


def test_workers_replay_the_same_cassette(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import pytest, urllib.request

        @pytest.mark.parametrize("number", range(6))
        @pytest.mark.localruns(cassette="pai-nightly-sync.recording")
        def test_it(localruns, number):
            with urllib.request.urlopen(localruns.url + "/api/v1/runs?MaxResults=2&PageToken=0") as answer:
                assert answer.status == 200
            assert len(localruns.unplayed()) == 3
    """)
    (suite.path / "test_suite.py").unlink()
    suite.runpytest_subprocess(*PARALLEL).assert_outcomes(passed=6)
