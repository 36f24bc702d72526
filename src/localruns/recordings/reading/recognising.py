"""Which vendor and operation a recorded exchange belongs to, behind a gateway's path prefix too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from localruns.engine.message import Request
from localruns.engine.recorded.exchange import Exchange
from localruns.engine.routing import Route, Router
from localruns.engine.vendor import Endpoint, Vendor
from localruns.recordings.reading.leftovers import Leftovers

MAX_SUFFIXES = 12
_TAME = re.compile(r"(/[A-Za-z0-9._-]{1,24}){1,4}")


@dataclass(frozen=True, slots=True)
class Known:
    """An exchange with an operation that we serve; its request's path and target begin where the vendor's do."""

    exchange: Exchange
    vendor: Vendor
    endpoint: Endpoint
    params: Mapping[str, str]

    @property
    def listing(self) -> bool:
        """Whether it asks for a page of runs."""
        return self.endpoint.name == self.vendor.traffic.endpoint

    @property
    def scope(self) -> str:
        """The names in its path."""
        return "/".join(self.params.values())

    @property
    def bodiless(self) -> bool:
        """Whether rows were listed by a body that the file does not hold, so that nobody knows what was asked."""
        traffic = self.vendor.traffic
        if not self.listing or traffic.place != "body" or self.exchange.request.body:
            return False
        told = traffic.told(self.exchange)
        return told is not None and bool(told.rows)


class Recogniser:
    """Tells the exchanges of the vendors from all others, which go to `left`. `only` names one vendor to look for."""

    def __init__(self, vendors: Mapping[str, Vendor], left: Leftovers, only: str = "") -> None:
        self._router = Router(vendors.values())
        self._left = left
        self._only = only
        self._prefixes: Counter[str] = Counter()

    def known(self, exchange: Exchange) -> Known | None:
        """The exchange as one of a vendor's, None when it is left out."""
        found = self._found(exchange.request)
        if found is None:
            host = exchange.request.header("host") or ""
            self._left.add_host("exchanges of other hosts and paths", host or _first_step(exchange.request.path))
            return None
        request, route, prefix = found
        vendor = route.vendor
        if self._only and vendor.id != self._only:
            self._left.add("exchanges of vendors that were not asked for", vendor.id)
        elif route.neighbour:
            self._left.add(f"exchanges of neighbouring operations of {vendor.id}", route.neighbour.name)
        elif request.method == "OPTIONS":
            self._left.add("CORS preflights")
        elif route.endpoint is None:
            self._left.add(f"exchanges with a method that {vendor.id} does not have there", request.method)
        else:
            self._prefixes[prefix] += 1
            return Known(replace(exchange, request=request), vendor, route.endpoint, route.params)
        return None

    def remarks(self) -> Iterator[str]:
        """What is worth saying at the end: paths that stood in front of the vendors' own."""
        for prefix, count in self._prefixes.items():
            if prefix:
                shown = prefix if _TAME.fullmatch(prefix) else "a path of its own"
                yield f"requests that went through a gateway under {shown}, which their paths lack here: {count}"

    def _found(self, request: Request) -> tuple[Request, Route, str] | None:
        """(request, its route, what stood in front of its path); an operation we serve wins over one that we do not."""
        best: tuple[int, str, Route] | None = None
        for path in _suffixes(request.path):
            route = self._router.find(request.method, path)
            # Below a vendor's prefix but nothing of its own: `/api/v1/` is a common beginning.
            if route is None or not (route.endpoint or route.neighbour or route.methods):
                continue
            rank = 2 if route.endpoint else 1
            if best is None or rank > best[0]:
                best = rank, path, route
        if best is None:
            return None
        prefix = request.path.removesuffix(best[1])
        return (_without(request, prefix) if prefix else request), best[2], prefix


def _suffixes(path: str) -> Iterator[str]:
    """The path, then the path without its first step, and so on."""
    for _ in range(MAX_SUFFIXES):
        yield path
        _, slash, rest = path[1:].partition("/")
        if not slash:
            return
        path = "/" + rest


def _without(request: Request, prefix: str) -> Request:
    path = request.path.removeprefix(prefix)
    query = f"?{request.query}" if "?" in request.target else ""
    return replace(request, target=path + query, path=path)


def _first_step(path: str) -> str:
    return "/" + path.lstrip("/").partition("/")[0]
