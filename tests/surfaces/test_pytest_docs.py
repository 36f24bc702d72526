"""The guide for tests: its examples run, and all that a test can do is in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from localruns.surfaces import pytest_plugin
from localruns.testing import Handle, Server

GUIDE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: (re.findall(r"def (test_\w+)", text) or ["plain"])[0])
def test_an_example_of_the_guide_runs(run_tests: Callable[..., pytest.RunResult], example: str) -> None:
    needed = {line.split()[1].partition(".")[0] for line in example.splitlines() if re.match(r"(from|import) ", line)}
    if missing := [name for name in needed if find_spec(name) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    result = run_tests(example, "-p", "anyio.pytest_plugin")
    outcomes = result.parseoutcomes() if "def test_" in example else {}
    assert result.ret == (pytest.ExitCode.OK if outcomes else pytest.ExitCode.NO_TESTS_COLLECTED)
    assert list(outcomes) in ([], ["passed"])


def test_all_that_a_test_can_do_is_in_the_guide() -> None:
    public = [name for kind in (Handle, Server) for name in vars(kind) if not name.startswith("_")]
    assert not [name for name in public if not re.search(rf"`[^`]*\b{name}\b", GUIDE)]
    assert all(f"--localruns-{option}" in GUIDE for option in ("url", "scenarios"))
    assert all(f"| `{name}` |" in GUIDE for name in vars(pytest_plugin) if re.fullmatch(r"(make_)?localruns\w*", name))
