"""The vendor's page names every setting and every error, and every setting is used."""

from __future__ import annotations

from pathlib import Path

import pytest

import localruns.vendors.alibaba_pai as package
from localruns.engine.message import ErrorRow
from localruns.engine.scenario import default_settings
from localruns.vendors.alibaba_pai.problems import TABLE

FOLDER = Path(package.__file__).parent
README = (FOLDER / "README.md").read_text(encoding="utf-8")
CODE = "".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py")))
SETTINGS = default_settings("alibaba-pai")


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_documented_with_its_default_and_used(name: str) -> None:
    (line,) = [line for line in README.splitlines() if line.startswith(f"| `{name}` |")]
    assert str(SETTINGS[name]) in line.split("|")[2]
    assert f'settings["{name}"]' in CODE


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: row.code)
def test_an_error_is_documented_with_its_status(row: ErrorRow) -> None:
    lines = [line for line in README.splitlines() if line.startswith(f"| {row.status} |")]
    assert any(f"`{row.code}`" in line for line in lines)
