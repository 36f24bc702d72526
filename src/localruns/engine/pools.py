"""Pools that a scenario's own template asks for: literal lists, or values drawn once from Faker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from localruns.engine.draw import digest
from localruns.errors import ConfigError


def pools_of(asked: Mapping[str, Any], seed: int, vendor: str, source: str) -> dict[str, Sequence[Any]]:
    """Each pool as a list; `{faker: PROVIDER, count: N}` is drawn from (seed, vendor, pool name)."""
    return {name: _pool(pool, name, (seed, vendor), source) for name, pool in asked.items()}


def faker_version() -> str:
    """The version of Faker that draws here."""
    from importlib.metadata import version

    return version("faker")


def _pool(pool: Any, name: str, seed: tuple[int, str], source: str) -> Sequence[Any]:
    if isinstance(pool, list):
        return pool
    from faker import Faker

    faker = Faker()
    faker.seed_instance(int.from_bytes(digest(*seed, name, size=8), "big"))
    provider = getattr(faker, pool["faker"], None)
    if not callable(provider):
        where = f"{source}: vendors.{seed[1]}.template.pools.{name}.faker"
        raise ConfigError(f"{where}: found {pool['faker']!r}, expected the name of a Faker provider such as 'name'")
    values = [provider() for _ in range(pool.get("count", 100))]
    return [value if isinstance(value, (str, int, float)) else str(value) for value in values]
