"""What a test may name as a scenario: a name, a path, a mapping, or YAML text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localruns.errors import ConfigError

Wanted = str | Path | Mapping[str, Any]
ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where scenarios are found, and how a server is told of them.

    Shape: `folders` are searched for names, `beside` is where relative paths are looked up besides the working
    directory. `here`: the server reads the same files as we do, so a path says all; else it is sent the text.
    """

    folders: Sequence[Path] = ()
    beside: Path | None = None
    here: bool = True

    def choice(self, wanted: Wanted) -> dict[str, str]:
        """What the control API is asked for: `{"name"}`, or `{"text", "label"}`. Raises ConfigError."""
        if isinstance(wanted, Mapping):
            return {"text": _dumped(wanted), "label": f"{wanted.get('scenario', 'scenario')} (a mapping)"}
        if isinstance(wanted, str) and "\n" in wanted:
            return {"text": wanted, "label": "scenario (a text)"}
        path = Path(wanted)
        if isinstance(wanted, Path) or path.suffix in ENDINGS or path.parent != Path("."):
            return self._file(self._found(path))
        named = (folder / f"{wanted}{ending}" for folder in self.folders for ending in ENDINGS)
        ours = next((each for each in named if each.is_file()), None)
        return self._file(ours) if ours else {"name": str(wanted)}

    def _found(self, path: Path) -> Path:
        tried = [base / path for base in (Path.cwd(), self.beside) if base]
        found = next((each for each in tried if each.is_file()), None)
        if found is None:
            looked = dict.fromkeys(str(each.parent) for each in tried)
            raise ConfigError(f"{path}: no such file, looked for it in {' and '.join(looked)}")
        return found

    def _file(self, path: Path) -> dict[str, str]:
        if self.here:
            return {"name": str(path)}
        from localruns import yamlio

        return {"text": yamlio.read_text(path), "label": str(path)}


def _dumped(content: Mapping[str, Any]) -> str:
    from localruns import yamlio

    return yamlio.dump(dict(content))
