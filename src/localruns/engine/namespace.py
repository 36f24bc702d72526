"""A test's private world: a pointer to a snapshot, and the handful of counters that change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localruns.clock import VirtualClock, parse_time
from localruns.engine.faults.armed import Fault
from localruns.engine.journal import Journal
from localruns.engine.message import Page
from localruns.engine.recorded.cassette import Plays
from localruns.engine.scenario import Scenario
from localruns.engine.store import Store
from localruns.engine.terms import Terms
from localruns.engine.walks import Walks


@dataclass(slots=True)
class VendorState:
    """One vendor's counters in one namespace.

    Shape: `number` counts requests, `calls` those that faults are counted by, `rows` the rows delivered, `version`
    is the data version, which is also the number of timeline events that have fired. `memory` is the vendor's own:
    nonces it has seen, tokens it has given out.
    """

    auth: str
    number: int = 0
    calls: int = 0
    rows: int = 0
    version: int = 0
    credentials: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)


class Namespace:
    """One private world. `load` points it to other data, `reset` takes it back to the start."""

    store: Store
    scenario: Scenario
    journal: Journal
    clock: VirtualClock
    walks: Walks
    plays: Plays
    faults: list[Fault]
    states: dict[str, VendorState]

    def __init__(self, name: str, store: Store, terms: Terms = Terms()) -> None:  # noqa: B008 - frozen
        self.name = name
        self.terms = terms
        self.load(store)

    def load(self, store: Store) -> None:
        """Point to another snapshot and start over."""
        scenario = store.snapshot.scenario
        # All is made anew and taken over in one step: a request in another thread meets the old world or the new one.
        self.__dict__.update(
            store=store,
            scenario=scenario,
            journal=Journal(self.terms.journal_entries, self.terms.journal_bytes),
            clock=VirtualClock(scenario.start),
            walks=Walks(),
            plays=Plays(),
            faults=[Fault(spec, number) for number, spec in enumerate(scenario.faults, 1)],
            states={
                vendor: VendorState(self.terms.auth or site.auth, credentials=self.terms.credentials(vendor, site))
                for vendor, site in scenario.sites.items()
            },
        )

    def reset(self) -> None:
        """Versions and counters 0, journal empty, the scenario's faults armed again, clock at its start."""
        self.load(self.store)

    def pinned(self) -> Namespace:
        """This namespace as it is now, for one request; what is loaded meanwhile does not touch it."""
        pinned = object.__new__(Namespace)
        pinned.__dict__.update(self.__dict__)
        return pinned

    @property
    def expired(self) -> bool:
        """Whether its time to live is over."""
        return self.terms.expired

    def credentials(self, vendor: str) -> list[Mapping[str, Any]]:
        """What that vendor knows here, as a scenario writes it."""
        return list(self.states[vendor].credentials.values())

    def arm(self, spec: Mapping[str, Any]) -> Fault:
        """One more fault, from now on."""
        fault = Fault(spec, max((fault.id for fault in self.faults), default=0) + 1)
        self.faults.append(fault)
        return fault

    def tick(self, vendor: str) -> None:
        """Fire the events whose time has come; events are strictly in order."""
        if not self.scenario.timeline:
            return
        while (event := self._armed(vendor)) and "at" in event and self.clock.now() >= parse_time(event["at"]):
            self.states[vendor].version += 1

    def delivered(self, vendor: str, page: Page, page_number: int) -> None:
        """A whole page has been written: count its rows, fire the event that waited for it."""
        state = self.states[vendor]
        state.rows += len(page.rows)
        event = self._armed(vendor) if self.scenario.timeline else None
        if event and event.get("after", {}).get("page") == page_number:
            state.version += 1

    def _armed(self, vendor: str) -> Mapping[str, Any] | None:
        events = self.scenario.timeline.get(vendor, ())
        version = self.states[vendor].version
        return events[version] if version < len(events) else None
