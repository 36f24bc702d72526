"""The SDK columns of docs/errors.md are what the real SDKs do: they are measured again, and nothing has changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localruns.vendors import IDS

pytestmark = pytest.mark.sdk

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "sdk-errors.json"
MODULES = ("aidp_python_client", "alibabacloud_aiworkspace20210204", "foundry_sdk", "mlflow", "ncloud_vserver")


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """A fresh measurement, in a process of its own: it stops time, and the SDKs keep things for the process."""
    for module in MODULES:
        pytest.importorskip(module)
    command = (sys.executable, "-W", "ignore", "-m", "tests.sdk.measure")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=55, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return dict(json.loads(GOLDEN.read_text("utf-8")))


def test_the_sdks_are_those_that_were_measured(measured: dict[str, Any], golden: dict[str, Any]) -> None:
    assert measured["versions"] == golden["versions"]


@pytest.mark.parametrize("vendor", IDS)
def test_each_sdk_meets_each_error_as_it_is_written(
    measured: dict[str, Any], golden: dict[str, Any], vendor: str
) -> None:
    assert measured["errors"][vendor] == golden["errors"][vendor]
