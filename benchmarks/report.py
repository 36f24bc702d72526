"""Results as Markdown, to be put into a document: `python -m benchmarks.report RESULTS.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.tables import tables


def markdown(results: Mapping[str, Any]) -> str:
    """What was measured, on what, and all tables."""
    hardware, versions, plan = results["machine"], results["versions"], results["plan"]
    memory = f"{hardware['memory_mb'] / 1024:.0f} GB"
    machine = f"{hardware['processor']}, {hardware['cores']} cores, {memory}, Linux {hardware['kernel']}"
    used = ", ".join(f"{name} {number}" for name, number in versions.items() if number != "missing")
    how = f"{plan['mode']} run, medians of {plan['rounds']} rounds of {plan['seconds']:g} s"
    head = (
        f"Taken {results['taken'][:10]} with localruns {results['localruns']} on {machine}. {used}. {how.capitalize()}."
    )
    return "\n".join([head, "", *(table.markdown() for table in tables(results))])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.report RESULTS.json")
    print(markdown(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
