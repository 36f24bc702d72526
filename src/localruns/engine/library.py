"""Where scenarios and recordings are found: a path, then the user's folders, then the built-in ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from os.path import isdir, isfile
from pathlib import Path
from typing import Any

from localruns import schemas, yamlio
from localruns.engine.recorded.recording import Reader, is_recording
from localruns.engine.routing import Router
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError
from localruns.paths import fixtures_dir

_BUILT_IN = ("", "torture", "recorded")
ENDINGS = (".yaml", ".yml")
_LOOKED_AT = 20  # of a recording's exchanges, which may be very many


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario or a recording by the name of its file."""

    name: str
    path: Path

    @property
    def recorded(self) -> bool:
        """Whether it is a recording."""
        return is_recording(self.path)


class Library:
    """All scenarios and recordings that can be named."""

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

    def describe(self, vendors: Iterable[Vendor] = ()) -> Iterator[dict[str, Any]]:
        """Name, kind, about, vendors and path of each; one that cannot be read says so in `about`.

        The vendors of a recording are those of `vendors` that answered the first of its exchanges.
        """
        vendors = list(vendors)
        for item in self:
            try:
                content = _outline(item.path, vendors) if item.recorded else yamlio.load(item.path)
            except ConfigError as error:
                content = {"about": str(error)}
            content = content if isinstance(content, dict) else {}
            held = content.get("vendors")
            yield {
                "name": item.name,
                "kind": "recording" if item.recorded else "scenario",
                "about": " ".join(str(content.get("about", "")).split()),
                "vendors": list(held) if isinstance(held, dict) else [],
                "path": str(item.path),
            }

    def find(self, name: str) -> Path:
        """The file of a scenario by path or name. Raises ConfigError."""
        path = Path(name)
        if path.suffix in ENDINGS or path.parent != Path("."):
            if isfile(path):  # Path.is_file() fails on a name that is too long
                return path
            raise ConfigError(f"{name}: found a folder, expected a file" if isdir(path) else f"{name}: no such file")
        listed = {item.name: item.path for item in self}
        if name in listed:
            return listed[name]
        if isfile(path):
            words = f"found a file, expected its name to end in {' or '.join(ENDINGS)}"
            raise ConfigError(f"{name}: {words}; `localruns import {name}` makes such a file of recorded traffic")
        hint = schemas.near(name, list(listed))
        raise ConfigError(f"no scenario {name!r}{hint}, expected a file or one of: {', '.join(listed)}")


def _outline(path: Path, vendors: Iterable[Vendor]) -> Mapping[str, Any]:
    """What `describe` tells of a recording. Raises ConfigError."""
    reader, router = Reader(path), Router(vendors)
    found = [router.vendor_of(exchange.request.path) for exchange in islice(reader, _LOOKED_AT)]
    return {"about": reader.head.about, "vendors": {vendor.id: None for vendor in found if vendor}}
