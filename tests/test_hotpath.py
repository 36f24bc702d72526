"""The guard of the hot path: what it lets through, what it stops, and when it says that it cannot tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks import hotpath

COUNTS = {"first page": 400_000, "refused": 200_000}


@pytest.fixture
def budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A budget recorded with this build."""
    path = tmp_path / "budget.json"
    libraries = {**hotpath._libraries(), "orjson": "3.0"}
    path.write_bytes(orjson.dumps({"build": hotpath.build(), "libraries": libraries, "instructions": COUNTS}))
    monkeypatch.setattr(hotpath, "BUDGET", path)
    monkeypatch.setattr("sys.argv", ["hotpath"])
    return path


def run(monkeypatch: pytest.MonkeyPatch, **changed: int) -> int:
    counts = {**COUNTS, **{name.replace("_", " "): count for name, count in changed.items()}}
    monkeypatch.setattr(hotpath, "measure", lambda: counts)
    return hotpath.main()


@pytest.mark.usefixtures("budget")
def test_a_rise_of_less_than_a_tenth_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, first_page=439_000, refused=150_000) == 0


@pytest.mark.usefixtures("budget")
def test_a_rise_of_more_than_a_tenth_fails_and_says_what_rose(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    assert run(monkeypatch, first_page=444_000) == 1
    told = capsys.readouterr().out
    assert "first page takes 444,000 instructions a request, 11.0% more than 400,000" in told
    assert "refused takes" not in told
    assert "orjson 3.0 -> " in told
    assert "--record" in told


@pytest.mark.usefixtures("budget")
def test_a_case_that_has_no_budget_fails(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    assert run(monkeypatch, new_case=1) == 1
    assert "new case" in capsys.readouterr().out


def test_counts_of_another_build_are_not_compared(budget: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    content = orjson.loads(budget.read_bytes())
    content["build"]["python"] = "CPython 3.99.0"
    budget.write_bytes(orjson.dumps(content))
    assert run(monkeypatch, first_page=10**9) == hotpath.SKIPPED
    told = capsys.readouterr().out
    assert "NOT checked" in told
    assert "CPython 3.99.0" in told


@pytest.mark.usefixtures("budget")
def test_without_valgrind_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("PATH", "")
    assert hotpath.main() == hotpath.SKIPPED
    assert "apt-get install valgrind" in capsys.readouterr().out


def test_the_recorded_budget_holds_every_case() -> None:
    recorded = orjson.loads((hotpath.HERE / "hotpath-budget.json").read_bytes())
    vendors = {name.partition(" ")[0] for name in recorded["instructions"]}
    assert vendors == {"alibaba-pai", "oracle-aidp", "naver-nsml", "palantir-foundry", "reference"}
    assert recorded["build"].keys() == hotpath.build().keys()
