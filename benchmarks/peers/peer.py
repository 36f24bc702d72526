"""A server that can be measured, and what it is prepared from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.asks import Ask
from benchmarks.processes import Failed

JSON_TYPE = "application/json;charset=utf-8"


@dataclass(frozen=True, slots=True)
class Place:
    """What peers are prepared from. Shape: `folder` is gone after the run; `npm` is where npm installed the peers;
    `pages` maps an ask's name to the bytes that localruns answered; `runs` are those that are searched, as
    `fill_mlflow` takes them.
    """

    folder: Path
    npm: Path
    pages: Mapping[str, bytes] = field(default_factory=dict)
    runs: Sequence[Mapping[str, Any]] = ()

    def file(self, name: str, content: bytes | str) -> Path:
        """A file in the run's folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def script(self, name: str) -> str:
        """A program that npm installed. Raises: Failed when it is not there."""
        path = self.npm / "node_modules" / ".bin" / name
        if not path.exists():
            raise Failed(f"not installed: expected {path}; `make bench` installs it with npm")
        return str(path)

    def npm_version(self, package: str) -> str:
        """The version of an npm package that is installed."""
        told: dict[str, str] = json.loads((self.npm / "node_modules" / package / "package.json").read_text("utf-8"))
        return told["version"]


@dataclass(frozen=True, slots=True)
class Peer:
    """How one server is started, and what it is asked. Shape: `command(port)`; `asks` by name, such as "page-50"."""

    name: str
    version: str
    command: Callable[[int], Sequence[str]]
    asks: Mapping[str, Ask]
    env: Mapping[str, str] = field(default_factory=dict)
