"""What several commands have in common."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from localruns.errors import ConfigError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

VENDORS = ("alibaba-pai", "oracle-aidp", "naver-nsml", "palantir-foundry")
ENDINGS = (".yaml", ".yml")


class _Place(click.Path):
    """A path. What cannot be read is said where it is read."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":  # which would be the present folder: a variable that is not set
            self.fail("found an empty text, expected a path", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Place(path_type=Path, readable=False)


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


def url_parts(option: str, url: str) -> SplitResult:
    """The parts of an HTTP URL. Raises ConfigError for any other text; what may be a password in it is not shown."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or any(letter.isspace() for letter in parts.netloc):
        raise ConfigError(f"{option} is {hidden(url)!r}, expected http://HOST[:PORT][/PATH] or https://...")
    return parts


def hidden(url: str) -> str:
    """The start of a URL as it may be shown."""
    head, found, tail = url[:200].rpartition("@")
    return f"{head.partition('://')[0]}://...@{tail}" if found else url[:200]
