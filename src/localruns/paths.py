"""Where fixtures, schemas and the cache are, in a checkout and in an installed wheel alike."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent


@cache
def fixtures_dir() -> Path:
    """The folder of built-in scenarios, templates and recordings."""
    return _data("fixtures")


@cache
def schemas_dir() -> Path:
    """The folder of JSON Schemas."""
    return _data("schemas")


def cache_dir() -> Path:
    """Where compiled snapshots and keys are kept; it may not exist yet."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "localruns"


def _data(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _CHECKOUT / name
