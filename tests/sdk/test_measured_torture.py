"""The SDK table of docs/torture.md is what the real SDKs do: they are measured again, and nothing has changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.stories import ENTRIES
from tests.sdk.test_measured import MODULES

pytestmark = [pytest.mark.sdk, pytest.mark.timeout(150)]

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "sdk-torture.json"


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """A fresh measurement, in a process of its own: it stops time, and the SDKs keep things for the process."""
    for module in MODULES:
        pytest.importorskip(module)
    command = (sys.executable, "-W", "ignore", "-m", "tests.sdk.measure_torture")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=140, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return dict(json.loads(GOLDEN.read_text("utf-8")))


def test_the_sdks_are_those_that_were_tortured(measured: dict[str, Any], golden: dict[str, Any]) -> None:
    assert measured["versions"] == golden["versions"]
    assert list(golden["entries"]) == list(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_sdk_does_with_each_entry_as_it_is_written(
    measured: dict[str, Any], golden: dict[str, Any], entry: str
) -> None:
    assert measured["entries"][entry] == golden["entries"][entry]
