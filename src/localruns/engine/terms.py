"""What a namespace is given for life: its credentials, its end, the limits of its journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localruns import clock
from localruns.engine.journal import MAX_BYTES, MAX_ENTRIES
from localruns.engine.scenario import Site
from localruns.engine.vendor import Vendor

Credential = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """What does not change when another scenario is loaded.

    Shape: `auth` wins over the scenario's mode; `own` per vendor, by the id of the well-known credential, the one that
    stands in its place here; `delays`: a recorded answer takes as long as it took. Units: `expires` is wall time.
    """

    auth: str | None = None
    own: Mapping[str, Mapping[str, Credential]] = field(default_factory=dict)
    expires: datetime | None = None
    journal_entries: int = MAX_ENTRIES
    journal_bytes: int = MAX_BYTES
    delays: bool = False

    @property
    def expired(self) -> bool:
        """Whether the time to live is over."""
        return self.expires is not None and clock.wall_now() >= self.expires

    @property
    def expires_text(self) -> str | None:
        """The end in ISO 8601, or None when there is none."""
        return self.expires.isoformat().replace("+00:00", "Z") if self.expires else None

    @property
    def claims(self) -> list[tuple[str, str]]:
        """(vendor, what `identify` finds in a request) of each own credential."""
        held = [(vendor, credential) for vendor, own in self.own.items() for credential in own.values()]
        names = [(vendor, credential["id"]) for vendor, credential in held]
        return names + [(vendor, credential["token"]) for vendor, credential in held if "token" in credential]

    def credentials(self, vendor: str, site: Site) -> dict[str, Credential]:
        """A scenario's credentials by id, the own ones in the place of the well-known; a scenario's marks stay."""
        own = self.own.get(vendor, {})
        here = [{**each, **own[each["id"]]} if each["id"] in own else each for each in site.credentials]
        return {credential["id"]: credential for credential in here}


def own_credentials(vendors: Mapping[str, Vendor], name: str) -> dict[str, dict[str, Credential]]:
    """The credentials of a namespace of that name, per vendor by the id of the well-known one they stand for."""
    return {
        vendor.id: {
            known["id"]: own for known, own in zip(vendor.credentials(), vendor.own_credentials(name), strict=True)
        }
        for vendor in vendors.values()
    }
