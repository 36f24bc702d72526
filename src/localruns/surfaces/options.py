"""What several commands have in common."""

from __future__ import annotations

from pathlib import Path

import click

from localruns.errors import ConfigError

VENDORS = ("alibaba-pai", "oracle-aidp", "naver-nsml", "palantir-foundry")
PATH = click.Path(path_type=Path)
ENDINGS = (".yaml", ".yml")


def require_new(path: Path) -> None:
    """Raises ConfigError unless a scenario can be written to `path` without loss of what is there."""
    if path.suffix not in ENDINGS:
        raise ConfigError(f"{path}: found a name that ends in {path.suffix!r}, expected one of: {', '.join(ENDINGS)}")
    if path.exists() or path.is_symlink():
        raise ConfigError(f"{path}: found something there already, expected a new name: nothing is overwritten")
