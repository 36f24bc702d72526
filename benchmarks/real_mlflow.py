"""A real MLflow server with a filled SQLite store, on loopback: `with serving(runs) as server: ... server.url`.

It needs `mlflow[auth]`, not the skinny one: from this interpreter (the extra `bench`), or from another one that the
environment variable LOCALRUNS_MLFLOW_PYTHON names.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.processes import Failed, ServerProcess, free_port

PYTHON = "LOCALRUNS_MLFLOW_PYTHON"
FILL = Path(__file__).with_name("fill_mlflow.py")
START_S = 120.0
# The answer is measured, not what the server does beside it.
QUIET = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "PYTHONPATH": "",
}
# Each search imports the server's module for Basic; where its libraries are missing that fails each time, slowly, and
# now and then answers 500 when two do it at once.
PROBE = "import mlflow, mlflow.server, mlflow.server.auth, sqlalchemy; print(mlflow.__version__)"


@dataclass(frozen=True, slots=True)
class RealMlflow:
    """A running server. Shape: `experiment` is the id of the one experiment that holds the runs."""

    url: str
    experiment: str
    version: str
    process: ServerProcess


@cache
def interpreter() -> tuple[str, str]:
    """The interpreter that has the full MLflow, and MLflow's version. Raises: Failed when there is none."""
    python = os.environ.get(PYTHON) or sys.executable
    told = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=False, env=os.environ | QUIET)
    if told.returncode:
        why = (told.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise Failed(f"{python} has no mlflow[auth] ({why}); install the extra `bench`, or set {PYTHON}")
    return python, told.stdout.split()[-1]


@contextmanager
def serving(
    runs: Sequence[Mapping[str, Any]], *, core: int | None = None, kept: Path | None = None
) -> Iterator[RealMlflow]:
    """A server that holds these runs, with one worker; it and its folder are gone afterwards.

    Shape: `runs` as in `fill_mlflow`, for instance `some_runs(100)`; `kept` is a folder for filled stores, because
    filling takes 20 ms a run. Raises: Failed.
    """
    with tempfile.TemporaryDirectory(prefix="localruns-mlflow-") as name:
        folder, port = Path(name), free_port()
        store, experiment = filled(runs, kept or folder)
        started = command(Path(shutil.copy(store, folder / "served.db")), port)
        with ServerProcess(started, folder / "mlflow.log", core=core, env=QUIET, cwd=folder) as process:
            process.await_port(port, START_S)
            yield RealMlflow(f"http://127.0.0.1:{port}", experiment, interpreter()[1], process)


def command(store: Path, port: int) -> list[str]:
    """The command line of a server with one worker. Raises: Failed."""
    python, _ = interpreter()
    run = [python, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{store}", "--workers", "1"]
    run += ["--default-artifact-root", str(store.parent / "artifacts"), "--host", "127.0.0.1", "--port", str(port)]
    return run


def filled(runs: Sequence[Mapping[str, Any]], folder: Path) -> tuple[Path, str]:
    """A store that holds these runs, made unless the folder has it, and the id of its experiment. Raises: Failed."""
    python, version = interpreter()
    text = json.dumps(list(runs))
    name = f"mlflow-{version}-{hashlib.sha256(text.encode() + FILL.read_bytes()).hexdigest()[:16]}"
    store, told = folder / f"{name}.db", folder / f"{name}.experiment"
    if not told.exists():
        folder.mkdir(parents=True, exist_ok=True)
        store.unlink(missing_ok=True)
        command = [python, str(FILL), f"sqlite:///{store}"]
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, env=os.environ | QUIET, cwd=folder
        )
        if done.returncode:
            raise Failed(f"the MLflow store could not be filled: {done.stderr.strip()[-300:]}")
        told.write_text(done.stdout.split()[-1])
    return store, told.read_text()


def some_runs(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Runs with metrics, parameters and tags, the newest first; the same seed gives the same runs."""
    draw = random.Random(seed)
    return [_run(number, draw) for number in range(1, count + 1)]


def _run(number: int, draw: random.Random) -> dict[str, Any]:
    began = 1_768_400_000_000 - 1_740_000 * number
    points = [("rmse", 0.05, 2.5), ("val/loss", 0.01, 4.0)]
    return {
        "name": f"steady-run-{number:04}",
        "status": draw.choice(["FINISHED"] * 8 + ["FAILED", "KILLED"]),
        "start_time": began,
        "end_time": began + draw.randrange(60_000, 14_400_000),
        "metrics": [
            {"key": key, "value": round(draw.uniform(low, high), 6), "timestamp": began + 30_000, "step": 1}
            for key, low, high in points
        ],
        "params": {"model_class": draw.choice(["ResNet", "BERT", "XGBoost"]), "learning_rate": "0.01"},
        "tags": {"team": draw.choice(["vision", "speech", "search"])},
    }
