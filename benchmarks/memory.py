"""Resident memory over a million requests: `python benchmarks/memory.py [REQUESTS]`, driven by wrk.

Prints the server's resident memory after each round, and how far it moved after the first 50,000 requests.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

FIRST = 50_000
ROUND_S = 10
HEADER = "Authorization: ACS3-HMAC-SHA256 Credential=any,SignedHeaders=host,Signature=00"


def main(wanted: int) -> None:
    """Drive a server until it has answered `wanted` requests."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: expected it on the PATH, from the package manager's package wrk")
    command = [sys.executable, "-m", "localruns.surfaces.cli", "serve", "--port", "0", "--log", "none"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        answered, levels = 0, list[tuple[int, float]]()
        while answered < wanted:
            answered += _round(f"{url}/api/v1/runs?MaxResults=10&PageToken=10")
            levels.append((answered, _resident_mb(server.pid)))
            print(f"{answered:>10,} requests  {levels[-1][1]:7.1f} MB", flush=True)
        settled = [level for count, level in levels if count >= FIRST]
        print(f"moved by {max(settled) - min(settled):.1f} MB after the first {FIRST:,} requests")
    finally:
        server.terminate()
        server.wait()


def _round(url: str) -> int:
    """The number of requests that were answered."""
    told = subprocess.run(
        ["wrk", "-t1", "-c16", f"-d{ROUND_S}", "-H", HEADER, url], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in told:
        sys.exit(f"not all answers were whole:\n{told}")
    return int(re.search(r"(\d+) requests in", told)[1])  # type: ignore[index]


def _resident_mb(pid: int) -> float:
    kilobytes = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes[1]) / 1024 if kilobytes else 0.0


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
