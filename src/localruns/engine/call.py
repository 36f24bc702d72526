"""One request on its way through a vendor's checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from localruns.engine.draw import code_text, numbered, uuid_of
from localruns.engine.journal import Entry
from localruns.engine.message import Request
from localruns.engine.query import Cut, Query
from localruns.engine.tokens import PageToken
from localruns.engine.vendor import Endpoint, Vendor

if TYPE_CHECKING:
    from localruns.engine.faults.pages import Strike
    from localruns.engine.namespace import Namespace, VendorState
    from localruns.engine.scenario import Site
    from localruns.engine.walks import Visit

_NO_CUT = Cut(0, 0)


@dataclass(slots=True, eq=False)
class Call:
    """A request, matched to an endpoint in a namespace; each check fills in what it finds out and hands it on.

    Shape: `number` counts this vendor's requests in the namespace, refused ones too; `params` the path's;
    `query`, `cut`, `shape`, `page_number`, `by_number`, `token` and `origin` (the token, read) what a list call asks;
    `strikes` the page faults that may act on it; `details` whatever else the vendor's own steps hand on to its render;
    `state` this vendor's counters and data version in the namespace.
    """

    vendor: Vendor
    endpoint: Endpoint | None
    request: Request
    space: Namespace
    entry: Entry
    number: int
    params: Mapping[str, str] = field(default_factory=dict)
    query: Query | None = None
    cut: Cut = _NO_CUT
    shape: str = ""
    page_number: int = 1
    by_number: bool = False
    token: str = ""
    origin: PageToken | None = None
    strikes: tuple[Strike, ...] = ()
    details: Any = None
    state: VendorState = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.space.states[self.vendor.id]

    @property
    def site(self) -> Site:
        """This vendor's part of the scenario."""
        return self.space.scenario.sites[self.vendor.id]

    @property
    def settings(self) -> Mapping[str, Any]:
        """This vendor's settings."""
        return self.site.settings

    @property
    def resources(self) -> Mapping[str, Any]:
        """What exists at this vendor."""
        return self.site.resources

    def joins(self, visit: Visit, query: Query) -> None:
        """Put the request into its client's pass, and tell the journal which that is."""
        entry = self.entry
        entry.visit = visit
        entry.walk = walk = self.space.walks.join(self.vendor.id, entry.credential, query, visit)
        entry.walk_id = walk.id

    def uuid(self, purpose: str) -> str:
        """A UUID that depends on (seed, vendor, request number) and what it is for."""
        return uuid_of(numbered(self.number, self.space.scenario.seed, self.vendor.id, purpose, size=16))

    def hex(self, purpose: str, length: int) -> str:
        """Hex digits (128 at most) that depend on the same."""
        return numbered(self.number, self.space.scenario.seed, self.vendor.id, purpose, size=64)[:length]

    def text(self, purpose: str, alphabet: str, length: int) -> str:
        """Characters of an alphabet that depend on the same."""
        return code_text(alphabet, length, self.space.scenario.seed, self.vendor.id, purpose, self.number)
