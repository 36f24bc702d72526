"""How to point each vendor's real SDK at a running server."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from localruns.engine.emulator import Emulator


def hints(emulator: Emulator, url: str, only: str | None = None) -> Iterator[str]:
    """A block of text per vendor: variables to export, a complete program, a curl line."""
    sites = emulator.space("default").scenario.sites
    for vendor in emulator.vendors.values():
        if vendor.id not in sites:
            continue
        keys = vendor.client.keys(sites[vendor.id].credentials)
        variables = vendor.client.environment(url, keys).items()
        parts = {
            "exports": "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables),
            "curl": vendor.client.curl(url, keys),
            "snippet": vendor.client.snippet(url, keys).rstrip("\n"),
        }
        if only:
            yield parts[only]
            continue
        yield (
            f"# {vendor.title} ({vendor.id})\n{parts['exports']}\n\n# one page with curl\n{parts['curl']}\n\n"
            f"# a program for {vendor.client.sdk}: localruns env --vendor {vendor.id} --only snippet | python -\n"
            + "\n".join(f"#   {line}".rstrip() for line in parts["snippet"].splitlines())
        )
