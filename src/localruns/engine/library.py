"""Where scenarios are found: a path, then the user's folders, then the built-in ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from localruns import schemas
from localruns.errors import ConfigError
from localruns.paths import fixtures_dir

_BUILT_IN = ("", "torture", "recorded")
_ENDINGS = (".yaml", ".yml")


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
                if path.suffix in _ENDINGS and path.stem not in seen:
                    seen.add(path.stem)
                    yield Listed(path.stem, path)

    def find(self, name: str) -> Path:
        """The file of a scenario by path or name. Raises ConfigError."""
        path = Path(name)
        if path.suffix in _ENDINGS or path.parent != Path("."):
            if path.is_file():
                return path
            raise ConfigError(f"{name}: no such file")
        listed = {item.name: item.path for item in self}
        if name not in listed:
            raise ConfigError(
                f"no scenario {name!r}{schemas.near(name, list(listed))}, expected a file or one of: {', '.join(listed)}"
            )
        return listed[name]
