"""What several commands have in common."""

from __future__ import annotations

import ipaddress
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


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name: 127.example.com may be anywhere
        return host.lower() == "localhost"


def require_loopback(host: str, allow_remote: bool) -> None:
    """Raises ConfigError for an address that others can reach, unless that is meant."""
    if not (allow_remote or is_loopback(host)):
        raise ConfigError(f"--host {host or repr(host)} is open to other machines: add --allow-remote to mean it")
