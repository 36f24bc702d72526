"""Which vendor and endpoint a path means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from localruns.engine.kept import kept
from localruns.engine.vendor import Endpoint, Neighbour, Vendor


@dataclass(frozen=True, slots=True)
class Route:
    """What a request's method and path mean.

    Shape: `endpoint` is None for what the vendor does not serve here; `neighbour` names a real operation that is
    not emulated; `methods` the methods that the path does have.
    """

    vendor: Vendor
    endpoint: Endpoint | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    neighbour: Neighbour | None = None
    methods: Sequence[str] = ()


class Router:
    """The endpoints of all vendors. Patterns are matched on the raw path, so an encoded slash is no slash."""

    def __init__(self, vendors: Iterable[Vendor]) -> None:
        self.vendors = tuple(vendors)
        self._prefixes = [(prefix, vendor) for vendor in self.vendors for prefix in vendor.prefixes]
        self._aliases = [alias for vendor in self.vendors for alias in vendor.aliases]
        self._endpoints = [
            (_pattern(endpoint.path), vendor, endpoint) for vendor in self.vendors for endpoint in vendor.endpoints
        ]
        self._neighbours = [
            (_pattern(neighbour.path), vendor, neighbour) for vendor in self.vendors for neighbour in vendor.neighbours
        ]
        self._kept = kept(self._found)

    def vendor_of(self, path: str) -> Vendor | None:
        """The vendor under whose prefix the path lies."""
        path = self._own(path)
        return next((vendor for prefix, vendor in self._prefixes if path.startswith(prefix)), None)

    def find(self, method: str, path: str) -> Route | None:
        """The route of a request, or None when the path is no vendor's."""
        return self._kept(path, method)

    def _found(self, path: str, method: str) -> Route | None:
        methods = []
        gaps = []
        path = self._own(path)
        for pattern, vendor, endpoint in self._endpoints:
            if match := pattern.fullmatch(path):
                if endpoint.method == method:
                    return Route(vendor, endpoint, {key: unquote(value) for key, value in match.groupdict().items()})
                methods.append(endpoint.method)
                gaps.append(_gaps(endpoint.path))
        owner = self.vendor_of(path)
        if owner is None:
            return None
        for pattern, vendor, neighbour in self._neighbours:
            # The most literal path owns a request, with whatever method: `/runs` is not a `/{name}` for DELETE.
            owned = not gaps or _gaps(neighbour.path) <= min(gaps)
            if owned and neighbour.method == method and pattern.fullmatch(path):
                return Route(vendor, neighbour=neighbour)
        return Route(owner, methods=methods)

    def _own(self, path: str) -> str:
        """The path, or that of ours which it is another name for."""
        alias = next((alias for alias in self._aliases if path.startswith(alias.prefix)), None)
        return alias.path + path.removeprefix(alias.prefix) if alias else path


def _pattern(path: str) -> re.Pattern[str]:
    """`{name}` stands for one segment."""
    parts = re.split(r"\{(\w+)\}", path)
    text = "".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile(text)


def _gaps(path: str) -> int:
    return path.count("{")
