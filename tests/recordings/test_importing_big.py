"""Two hundred megabytes are streamed: the memory that an import takes does not grow with the file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recordings.makers import entry, page, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
resource = pytest.importorskip("resource")

MEGABYTES = 200
# Prints the greatest memory of its child in kilobytes, whatever the child says.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run([sys.executable, "-m", "localruns.surfaces.cli", *sys.argv[1:]]).returncode
print("used", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, "code", code)
"""


def entries(megabytes: int) -> Iterator[dict[str, Any]]:
    """Entries of a browser that mostly loads other things, with the pages of one long walk among them."""
    filler = "function (a) { return [a, a + 1, 'of a page']; };\n" * 1000
    total, size = 2000, 0
    for at in range(10**9):
        if at % 40 == 0 and at // 40 * 20 < total:
            start = at // 40 * 20
            created = [f"2026-01-01T{(total - n) // 3600:02}:{(total - n) % 3600 // 60:02}:{(total - n) % 60:02}.000Z"
                       for n in range(start, start + 20)]  # fmt: skip
            rows = [run(1, RunId=f"run-{start + n}", GmtCreateTime=time) for n, time in enumerate(created)]
            made = entry(page(rows, start + 20 if start + 20 < total else 0, total, MaxResults=20, PageToken=start))
        else:
            made = entry(page([], 0))
            made["request"]["url"] = "https://static.example.com/app.js"
            made["response"]["content"]["text"] = filler[: 1000 + at * 7919 % 50_000]
        size += len(made["response"]["content"]["text"])
        yield made
        if size > megabytes * 10**6:
            return


def interaction(made: dict[str, Any]) -> dict[str, Any]:
    asked, answered = made["request"], made["response"]
    return {
        "request": {"method": asked["method"], "uri": asked["url"], "body": None, "headers": {"Accept": ["*/*"]}},
        "response": {
            "status": {"code": answered["status"], "message": "OK"},
            "headers": {},
            "body": {"string": answered["content"]["text"]},
        },
    }


def write(path: Path, kind: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        if kind == "har":
            file.write('{"log": {"version": "1.2", "entries": [\n')
            file.writelines(f"{',' if n else ''}{json.dumps(made)}\n" for n, made in enumerate(entries(MEGABYTES)))
            file.write("]}}\n")
        elif kind == "vcr.json":
            file.write('{"interactions": [\n')
            made = map(interaction, entries(MEGABYTES))
            file.writelines(f"{',' if n else ''}{json.dumps(each)}\n" for n, each in enumerate(made))
            file.write('], "version": 1}\n')
        else:  # what JSON writes is YAML too
            file.write("interactions:\n")
            file.writelines(f"- {json.dumps(interaction(made))}\n" for made in entries(MEGABYTES))
            file.write("version: 1\n")


@pytest.mark.parametrize("kind", ["har", "vcr.json", "vcr.yaml"])
def test_memory_stays_under_300_megabytes(tmp_path: Path, kind: str) -> None:
    path, out = tmp_path / f"big.{kind}", tmp_path / "out.yaml"
    write(path, kind)
    assert path.stat().st_size > MEGABYTES * 10**6
    command = [sys.executable, "-c", MEASURE, "import", str(path), "--out", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=800, check=True)
    _, used, _, code = result.stdout.splitlines()[-1].split()
    assert code == "0", result.stderr
    assert "alibaba-pai: 1 walk, 100 pages, 2000 rows, 0 errors; page sizes 20" in result.stdout
    scale = 1 if sys.platform == "darwin" else 1024
    assert int(used) * scale < 300 * 10**6
