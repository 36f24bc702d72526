"""The wheel: all it needs is in it, and it serves from a folder that knows nothing of the checkout."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.clients.pagers import HEADERS
from tests.clients.processes import COMMAND, environment, serving

ROOT = Path(__file__).parents[1]
SITE = sysconfig.get_path("purelib")

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("build", "hatchling", "pip")),
        reason="building a wheel needs build, hatchling and pip",
    ),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the checkout, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    line = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


def files(folder: str) -> set[str]:
    """What the checkout holds in a folder, as it is to stand in the wheel."""
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.name[0] != ".")
    return {f"localruns/{path.relative_to(ROOT)}" for path in found}


def test_the_wheel_holds_schemas_fixtures_and_the_typing_mark(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"localruns/py.typed", "localruns/surfaces/cli.py"} <= names
    for folder in ("schemas", "fixtures"):
        assert files(folder)
        assert files(folder) <= names
    assert not [name for name in names if name.startswith(("tests", "src", "docs")) or name.endswith(".pyc")]


def test_the_installed_wheel_serves_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    line = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*line, str(wheel)], check=True, capture_output=True)
    # -S: without the site module no .pth file can lead back to the checkout.
    python = [sys.executable, "-S"]
    env = environment(PYTHONPATH=f"{target}:{SITE}", XDG_CACHE_HOME=str(tmp_path / "cache"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    where = subprocess.run([*python, "-c", "import localruns.paths as p; print(p.__file__, p.schemas_dir())"],
                           env=env, cwd=elsewhere, capture_output=True, text=True, check=True)  # fmt: skip
    assert where.stdout.split() == [str(target / "localruns" / name) for name in ("paths.py", "schemas")]
    with serving(env=env, cwd=elsewhere, command=[*python, *COMMAND[1:]]) as served:
        assert served.url, served.errors
        status, body = served.get("/nsml/v1/projects/runs", **HEADERS["naver-nsml"])
        assert (status, body["totalCount"]) == (200, 25)
        assert len(served.get("/")[1]["vendors"]) == 4
        assert served.get("/__admin/scenarios")[1]["scenarios"][0]["path"].startswith(str(target))
        assert served.end()[1] == ""
        assert served.process.returncode == 0
