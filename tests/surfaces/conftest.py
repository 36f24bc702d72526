"""Shared by the tests of the pytest plugin: test runs inside this one."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from localruns.surfaces import pytest_plugin
from localruns.surfaces.recorder import Recorder
from localruns.testing import LocalRuns

HEAD = """
import httpx
import pytest

def ask(handle, size=10, method="GET", path="/nsml/v1/projects/runs", **headers):
    names = ("x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-api-key", "x-ncp-apigw-signature-v2")
    headers = {**dict.fromkeys(names, "any"), **headers}
    return httpx.request(method, handle.url + path, params={"pageSize": size}, headers=headers)
"""


@pytest.fixture(scope="session")
def _imported() -> None:
    """Import what servers need before `pytester` does: it forgets imports, and compiled code bears no second one."""
    assert Recorder
    with LocalRuns() as emu:
        emu.open().credentials("oracle-aidp")


@pytest.fixture
def pytester(_imported: None, pytester: pytest.Pytester) -> pytest.Pytester:
    """Pytest's own, once all is imported."""
    return pytester


@pytest.fixture
def run_tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """`run_tests(source, *arguments)`: pytest on a file of that source, with this plugin and no other."""
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def start(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(HEAD + dedent(source))
        return pytester.runpytest_inprocess("--strict-markers", *arguments, plugins=[pytest_plugin])

    return start
