"""Pools that a scenario's own template asks for: literal lists, or values drawn once from Faker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localruns import schemas
from localruns.engine.draw import digest
from localruns.errors import ConfigError

Where = Callable[[tuple[str, ...], str], str]


def pools_of(asked: Mapping[str, Any], seed: int, vendor: str, where: Where) -> dict[str, Sequence[Any]]:
    """Each pool as a list; `{faker: PROVIDER, count: N}` is drawn from (seed, vendor, pool name).

    `where(path, words)` is a line that says where a path below the pools stands. Raises ConfigError.
    """
    return {name: _pool(pool, name, (seed, vendor), where) for name, pool in asked.items()}


def faker_version() -> str:
    """The version of Faker that draws here."""
    from importlib.metadata import version

    return version("faker")


def _pool(pool: Any, name: str, seed: tuple[int, str], where: Where) -> Sequence[Any]:
    if isinstance(pool, list):
        return pool
    from faker import Faker

    faker, provider = Faker(), pool["faker"]
    faker.seed_instance(int.from_bytes(digest(*seed, name, size=8), "big"))
    # Faker itself has methods too, and some of them would seed it anew from the clock.
    known = {method for part in faker.get_providers() for method in dir(part) if method[0] != "_"}
    if provider not in known:
        words = f"found {provider!r}{schemas.near(provider, sorted(known))}, expected a Faker provider such as 'name'"
        raise ConfigError(where((name, "faker"), words))
    try:
        values = [getattr(faker, provider)() for _ in range(pool.get("count", 100))]
    except Exception as error:
        words = f"found {provider!r}, which cannot draw without arguments ({error}), expected one that can"
        raise ConfigError(where((name, "faker"), words)) from None
    return [value if isinstance(value, (str, int, float)) else str(value) for value in values]
