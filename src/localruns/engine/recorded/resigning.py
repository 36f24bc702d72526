"""How a request is signed anew when it goes to another host than its client signed it for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from localruns.engine.message import Request


@dataclass(frozen=True, slots=True)
class Signer:
    """Whoever signs. Shape: `sign(request)` the request, signed by them; `secrets` texts that nobody else may see."""

    sign: Callable[[Request], Request]
    secrets: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Resigning:
    """What a vendor whose signatures cover the host has for a proxy.

    Shape: `needed(request)` whether the request carries such a signature; `signer(environment)` who signs with the
    real credentials, read from where the vendor's own tools read them, None where there are none; `wanted` names that
    place in words. Raises: `signer` ConfigError when what is there cannot be used.
    """

    needed: Callable[[Request], bool]
    signer: Callable[[Mapping[str, str]], Signer | None]
    wanted: str


def with_headers(
    request: Request, gone: Sequence[str], added: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """The headers of a request without the ones named `gone` and those to be `added`, which come last."""
    dropped = {*gone, *(name for name, _ in added)}
    return (*((name, value) for name, value in request.headers if name not in dropped), *added)
