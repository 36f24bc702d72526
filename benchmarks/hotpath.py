"""The budget of the hot path: `python -m benchmarks.hotpath [--record]`.

Counts the instructions that each request of a fixed sequence takes, with callgrind, and holds them against the recorded
budget. Counts do not depend on how busy the machine is; they do depend on the build of Python, so only counts of the
build that the budget was recorded with are compared.

Exit code: 0 within the budget, 1 beyond it, 77 when nothing can be compared, with the reason.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import orjson

from benchmarks.sequence import Client, application, cases, expected_status

HERE = Path(__file__).resolve().parent
BUDGET = HERE / "hotpath-budget.json"
TOLERANCE = 0.10
WARM_UP = 40
COUNTED = 20
SKIPPED = 77
REFERENCE = "reference"
_LIBRARIES = ("flask", "httptools", "jsonschema-rs", "orjson", "uvicorn", "werkzeug")


class Skipped(Exception):
    """Why nothing can be compared here."""


def main() -> int:
    """Compare, or record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--record", action="store_true", help="write the counts down as the budget")
    parser.add_argument("--count", nargs=2, metavar=("LIBRARY", "CACHE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.count:
        _count(*options.count)
        return 0
    try:
        budget = None if options.record else _budget()
        counts = measure()
    except Skipped as reason:
        print(f"the budget of the hot path was NOT checked: {reason}")
        return SKIPPED
    if budget is None:
        content = {"build": build(), "libraries": _libraries(), "instructions": counts}
        BUDGET.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
        print(f"recorded in {BUDGET}")
        return 0
    return _verdict(budget, counts)


def build() -> dict[str, str]:
    """What instruction counts depend on, besides our own code: the build of Python and the processor's family."""
    flags = " ".join(str(sysconfig.get_config_var(name)) for name in ("CONFIG_ARGS", "PY_CFLAGS", "PY_LDFLAGS_NODIST"))
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "compiler": platform.python_compiler(),
        "flags": sha256(flags.encode()).hexdigest()[:12],
        "machine": f"{platform.system()} {platform.machine()}",
    }


def measure() -> dict[str, int]:
    """Instructions per request of each case. Raises Skipped where callgrind or a C compiler is missing."""
    valgrind, compiler = shutil.which("valgrind"), shutil.which("cc") or shutil.which("gcc")
    if valgrind is None:
        raise Skipped("valgrind is not installed, expected it on the PATH: apt-get install valgrind")
    if compiler is None:
        raise Skipped("there is no C compiler, expected cc or gcc on the PATH: apt-get install gcc libc6-dev")
    with tempfile.TemporaryDirectory(prefix="localruns-hotpath-") as folder:
        place = Path(folder)
        library = place / "callgrind.so"
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / "callgrind.c")]
        built = subprocess.run(command, capture_output=True, text=True)
        if built.returncode:
            raise Skipped(f"{HERE / 'callgrind.c'} could not be compiled: {built.stderr.strip()[:500]}")
        application(place / "cache")  # compiles the snapshot, which valgrind would make slow
        tool = [valgrind, "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={place}/out"]
        child = [sys.executable, "-m", "benchmarks.hotpath", "--count", str(library), str(place / "cache")]
        ran = subprocess.run([*tool, *child], cwd=HERE.parent, env=_environment(), capture_output=True, text=True)
        if ran.returncode:
            raise SystemExit(f"counting failed:\n{ran.stdout[-2000:]}\n{ran.stderr[-4000:]}")
        return dict(sorted(_counts(place)))


def _environment() -> dict[str, str]:
    """What makes counts the same: no seed of its own for hashes, and copies counted alike on all processors."""
    copying = "glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000"
    fixed = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "GLIBC_TUNABLES": copying}
    return {**fixed, **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}}


def _count(library: str, cache: str) -> None:
    """The counted process: every case is warm before it is counted, and the collector is as `serve` sets it."""
    callgrind = ctypes.CDLL(library)
    client = Client(application(Path(cache)))
    for _ in range(2):
        _reference()
    callgrind.begin()
    for _ in range(COUNTED):
        _reference()
    callgrind.end(REFERENCE.encode())
    for name, request in cases(client):
        for _ in range(WARM_UP):
            answer = client.ask(request())
            if not expected_status(name).match(answer):
                raise SystemExit(f"{name}: unexpected answer {answer[:200]!r}")
        requests = [request() for _ in range(COUNTED)]
        gc.collect()
        callgrind.begin()
        for asked in requests:
            client.ask(asked)
        callgrind.end(name.encode())


def _reference() -> int:
    """Work that never changes, to tell a change of Python or of a library from one of ours."""
    texts = {f"key-{number}": [number, str(number)] for number in range(200)}
    pairs = sorted(texts.items(), key=lambda pair: pair[1][1])
    return len(b",".join(f"{key}={value[0]}".encode() for key, value in pairs))


def _counts(place: Path) -> Iterator[tuple[str, int]]:
    """(case, instructions per request) of what callgrind wrote."""
    for path in place.glob("out.*"):
        text = path.read_text("utf-8", "replace")
        name = re.search(r"^desc: Trigger: Client Request: (.+)$", text, re.MULTILINE)
        total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
        if name and total:
            yield name[1].strip(), int(total[1]) // COUNTED


def _budget() -> Mapping[str, int]:
    """The recorded counts. Raises Skipped when they were recorded with another build."""
    if not BUDGET.is_file():
        raise Skipped(f"there is no {BUDGET}, expected it from: python -m benchmarks.hotpath --record")
    content = orjson.loads(BUDGET.read_bytes())
    ours, recorded = build(), content["build"]
    if ours != recorded:
        told = "; ".join(f"{key} here is {ours[key]!r}, was {recorded.get(key)!r}" for key in ours)
        raise Skipped(f"it was recorded with another build: {told}")
    counts: Mapping[str, int] = content["instructions"]
    return counts


def _libraries() -> dict[str, str]:
    return {name: version(name) for name in _LIBRARIES}


def _verdict(budget: Mapping[str, int], counts: Mapping[str, int]) -> int:
    """Print a line per case; 1 when one has risen too far, or the sequence is another."""
    if budget.keys() != counts.keys():
        print(f"the sequence has changed: {', '.join(sorted(budget.keys() ^ counts.keys()))}; record it anew")
        return 1
    beyond = []
    for name, count in counts.items():
        change = count / budget[name] - 1
        mark = "BEYOND THE BUDGET" if change > TOLERANCE else ""
        print(f"{name:32} {budget[name]:>10,} -> {count:>10,}  {change:+7.1%}  {mark}".rstrip())
        if mark:
            beyond.append(f"{name} takes {count:,} instructions a request, {change:.1%} more than {budget[name]:,}")
    if not beyond:
        return 0
    print(f"\nThe hot path has become slower by more than {TOLERANCE:.0%}:\n  " + "\n  ".join(beyond))
    recorded = orjson.loads(BUDGET.read_bytes())["libraries"]
    changed = [
        f"{name} {recorded.get(name)} -> {now}" for name, now in _libraries().items() if recorded.get(name) != now
    ]
    print(f"libraries that changed since it was recorded: {', '.join(changed) or 'none'}")
    print("If that is the price of something wanted: python -m benchmarks.hotpath --record, and say why in the commit.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
