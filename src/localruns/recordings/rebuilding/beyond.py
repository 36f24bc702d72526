"""What a list request asks, and its answer tells, beyond what localruns knows of the operation."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from localruns import schemas
from localruns.engine.described import Operation
from localruns.engine.recorded.exchange import Exchange, json_of
from localruns.engine.vendor import Vendor

_TAME = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
# Written by libraries so that no cache answers: another value in each request, and never a filter.
_BUSTERS = re.compile(r"_|_?(t|ts|time|timestamp|nonce|rnd|rand|random|cb|dc)", re.IGNORECASE)


def parameters(vendor: Vendor, asked: Collection[str]) -> list[str]:
    """The names among those asked that are no parameters of the vendor's list operation."""
    known = _known(vendor.contract.operations.get(vendor.traffic.endpoint))
    return [name for name in asked if name not in known] if known else []


def telling(vendor: Vendor, rest: Mapping[str, Any]) -> dict[str, Any]:
    """What of a request may tell one list from another: all but what is there to get around caches."""
    odd = {name for name in parameters(vendor, rest) if _BUSTERS.fullmatch(name)}
    return {name: value for name, value in rest.items() if name not in odd}


def fields(vendor: Vendor, exchange: Exchange) -> Iterator[str]:
    """The fields of a good answer beside its rows that the vendor's schema does not name."""
    operation = vendor.contract.operations.get(vendor.traffic.endpoint)
    content = json_of(exchange.reply.body)
    known = schemas.raw(operation.answer).get("properties") if operation and operation.answer else None
    if known and isinstance(content, dict):
        yield from (name for name in content if name not in known)


def shown(name: str) -> str:
    """A name as it may be listed."""
    return name if _TAME.fullmatch(name) else "a name of its own"


@lru_cache(64)
def _known_of(body: str) -> frozenset[str]:
    return frozenset(schemas.raw(body).get("properties", ())) if body else frozenset()


def _known(operation: Operation | None) -> frozenset[str]:
    """The names of an operation's parameters, in its query or its body; none where it is not described."""
    if operation is None:
        return frozenset()
    return _known_of(operation.body) or frozenset(p.name for p in operation.parameters if p.place == "query")
