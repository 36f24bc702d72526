"""Where scenarios are found: a path, then the user's folders, then the built-in ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path
from typing import Any

from localruns import schemas, yamlio
from localruns.errors import ConfigError
from localruns.paths import fixtures_dir

_BUILT_IN = ("", "torture", "recorded")
ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario file by its name."""

    name: str
    path: Path


class Library:
    """All scenarios that can be named."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        for folder in folders:
            if not folder.is_dir():
                raise ConfigError(f"{folder}: no such folder, expected one that holds scenarios")
        self._folders = [*folders, *(fixtures_dir() / part for part in _BUILT_IN)]

    def __iter__(self) -> Iterator[Listed]:
        seen = set()
        for folder in self._folders:
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if path.suffix in ENDINGS and path.stem not in seen:
                    seen.add(path.stem)
                    yield Listed(path.stem, path)

    def describe(self) -> Iterator[dict[str, Any]]:
        """Name, about, vendors and path of each; one that cannot be read says so in `about`."""
        for item in self:
            try:
                content = yamlio.load(item.path)
            except ConfigError as error:
                content = {"about": str(error)}
            content = content if isinstance(content, dict) else {}
            vendors = content.get("vendors")
            yield {
                "name": item.name,
                "about": " ".join(str(content.get("about", "")).split()),
                "vendors": list(vendors) if isinstance(vendors, dict) else [],
                "path": str(item.path),
            }

    def find(self, name: str) -> Path:
        """The file of a scenario by path or name. Raises ConfigError."""
        path = Path(name)
        if path.suffix in ENDINGS or path.parent != Path("."):
            if isfile(path):  # Path.is_file() fails on a name that is too long
                return path
            raise ConfigError(f"{name}: no such file")
        listed = {item.name: item.path for item in self}
        if name not in listed:
            hint = schemas.near(name, list(listed))
            raise ConfigError(f"no scenario {name!r}{hint}, expected a file or one of: {', '.join(listed)}")
        return listed[name]
