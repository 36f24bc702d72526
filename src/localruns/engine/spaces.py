"""All namespaces of one server: found by name, or by the credential that a request presents."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from localruns.engine.message import Request
from localruns.engine.namespace import Namespace
from localruns.engine.vendor import Vendor
from localruns.errors import Problem

DEFAULT = "default"
_MAX_NAMED = 20


class Spaces(Mapping[str, Namespace]):
    """The namespaces by name, and whose credential is whose.

    One past its time to live is not there any more; it is forgotten when somebody comes across it or another is made,
    so there is neither a thread nor a timer.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._by_name: dict[str, Namespace] = {}
        self._by_credential: dict[tuple[str, str], Namespace] = {}
        self._made = 0

    def __getitem__(self, name: str) -> Namespace:
        space = self._by_name[name]
        if space.expired:
            self._forget(space)
            raise KeyError(name)
        return space

    def __iter__(self) -> Iterator[str]:
        return iter([space.name for space in list(self._by_name.values()) if not space.expired])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def find(self, name: str) -> Namespace:
        """The namespace of that name. Raises Problem 404."""
        space = self._by_name.get(name)
        if space is None:
            known = list(self)
            more = f" and {len(known) - _MAX_NAMED} more" if len(known) > _MAX_NAMED else ""
            words = f"there is no namespace {name[:200]!r}, expected one of: {', '.join(known[:_MAX_NAMED])}{more}"
            raise Problem(404, "unknown namespace", words)
        if space.expired:
            self._forget(space)
            raise Problem(404, "unknown namespace", f"the namespace {name!r} expired at {space.terms.expires_text}")
        return space

    def presented(self, vendor: Vendor, request: Request) -> Namespace | None:
        """The namespace whose credential a request presents, or None."""
        if not self._by_credential:
            return None
        shown = vendor.identify(request)
        # A key id may go on behind its owner: `OWNER/FINGERPRINT`.
        owners = ((vendor.id, shown), (vendor.id, shown.rpartition("/")[0]))
        space = next((self._by_credential[owner] for owner in owners if owner in self._by_credential), None)
        return None if space is None or space.expired else space

    def free_name(self) -> str:
        """A name that nobody has: `ns-1`, `ns-2`, ..."""
        while True:
            self._made += 1
            if (name := f"ns-{self._made}") not in self._by_name:
                return name

    def add(self, space: Namespace) -> None:
        """Let a namespace be found. Raises Problem 409 when its name is taken, 429 when there are too many."""
        with self._lock:
            for old in [old for old in self._by_name.values() if old.expired]:
                self._drop(old)
            if space.name in self._by_name:
                raise self.taken(space.name)
            if len(self._by_name) >= self._limit:
                words = f"there are {self._limit} namespaces already, expected one to be deleted or to expire first"
                raise Problem(429, "too many namespaces", words)
            self._by_name[space.name] = space
            self._by_credential.update(dict.fromkeys(space.terms.claims, space))

    def taken(self, name: str) -> Problem:
        """The refusal of a name that somebody has."""
        return Problem(409, "name taken", f"name: there is a namespace {name!r} already, expected another name")

    def remove(self, name: str) -> Namespace:
        """Forget a namespace. Raises Problem 404, and 409 for the one that requests without a name belong to."""
        if name == DEFAULT:
            words = f"the namespace {DEFAULT!r} cannot be deleted: requests that name none belong to it"
            raise Problem(409, "not possible", words)
        space = self.find(name)
        self._forget(space)
        return space

    def _forget(self, space: Namespace) -> None:
        with self._lock:
            if self._by_name.get(space.name) is space:
                self._drop(space)

    def _drop(self, space: Namespace) -> None:
        del self._by_name[space.name]
        for claim in space.terms.claims:
            self._by_credential.pop(claim, None)
