"""What the figures were taken on."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ["flask", "uvicorn", "httptools", "uvloop", "orjson", "jsonschema-rs", "mlflow", "mlflow-skinny"]


def hardware() -> dict[str, str | int | float]:
    """Processor, cores, memory, kernel, and how busy the machine was. Units: MB of 2**20 bytes."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "processor": _found(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 0,
        "usable_cores": len(os.sched_getaffinity(0)),
        "memory_mb": memory_mb,
        "kernel": platform.release(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Of what runs the servers and drives them; a program that is not there is `missing`."""
    told = {"Python": platform.python_version(), "Java": _says("java", "-version"), "Node": _says("node", "--version")}
    told["wrk"] = _says("wrk", "-v")
    return told | {name: _library(name) for name in LIBRARIES}


def _says(program: str, option: str) -> str:
    """The first version that a program names."""
    if shutil.which(program) is None:
        return "missing"
    done = subprocess.run([program, option], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else "unknown"


def _library(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _found(pattern: str, path: str) -> str:
    found = re.search(pattern, Path(path).read_text("utf-8", "replace")) if Path(path).exists() else None
    return found[1].strip() if found else ""
