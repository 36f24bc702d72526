"""A test's hold on its namespace: where it is, what it holds, what came in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from localruns.errors import ConfigError, LocalrunsError, Problem
from localruns.testing.clock import Clock
from localruns.testing.control import Control
from localruns.testing.faults import ArmedFault, spec_of
from localruns.testing.lines import lines, waits
from localruns.testing.sources import Sources, Wanted
from localruns.testing.walks import WalkStory

LISTED = 50
GONE: dict[str, Any] = {
    "id": "?",
    "vendor": None,
    "asked": "a request whose entry gave way to newer ones",
    "answered": "a defect",
    "why": "",
    "defect": "not in the journal any more",
}


class Handle:
    """One namespace of a server, in this process or elsewhere.

    Shape: `vendor` is the vendor that a test is run for, "" when it is for none; `ca_pem` the file with the
    certificate that clients of an HTTPS server are to trust, None on plain HTTP; `recording`: one is being made.
    """

    ca_pem: Path | None = None
    recording = False

    def __init__(self, control: Control, name: str, url: str, sources: Sources, vendor: str = "") -> None:
        self.name = name
        self.vendor = vendor
        self.clock = Clock(self)
        self._sources = sources
        self._control = control
        self._url = url
        self._before: list[dict[str, Any]] = []
        self._told = 0
        self._slept: list[tuple[float, float]] = []

    @property
    def url(self) -> str:
        """The namespace's base URL: the vendors' real paths come after it."""
        return self._url

    def call(self, method: str, path: str, content: object = None, **query: Any) -> Any:
        """What `METHOD /__admin/PATH` answers for this namespace. Raises Problem."""
        return self._control.call(method, path, {"namespace": self.name, **query}, content)

    def url_for(self, vendor: str = "") -> str:
        """What that vendor's client wants as its base; without a name, of the test's own vendor."""
        from localruns.vendors import all_vendors

        return all_vendors()[self._vendor(vendor)].client.base(self.url)

    def credentials(self, vendor: str = "") -> dict[str, str]:
        """What that vendor's client presents here; without a name, of the test's own vendor."""
        name = self._vendor(vendor)
        held: dict[str, dict[str, str]] = self.call("GET", f"namespaces/{quote(self.name, safe='')}")["credentials"]
        if name not in held:
            raise ConfigError(f"the scenario holds no data for {name}, only for {', '.join(held)}")
        return held[name]

    def load(self, scenario: Wanted) -> None:
        """Hold another scenario (a name, a path, a mapping, YAML text) and start over. Raises ConfigError."""
        choice, defects = self._sources.choice(scenario), self.defects
        try:
            self.call("PUT", "scenario", choice)
        except Problem as problem:
            raise mistake(problem) from None
        self._before = defects

    def reset(self) -> None:
        """Versions and counters 0, journal empty, faults armed again, clock at its start."""
        defects = self.defects
        self.call("POST", "reset")
        self._before = defects

    def requests(self, **filters: Any) -> list[dict[str, Any]]:
        """The journal, oldest first; filters are those of `GET /__admin/requests`."""
        entries: list[dict[str, Any]] = self.call("GET", "requests", **filters)["requests"]
        return entries

    def waits(self) -> list[float]:
        """How long the client waited after each refused answer before it asked again. Units: seconds.

        Wall time, and the sleeps that the fixture `virtual_time` absorbed.
        """
        return waits(self.requests(), self._slept)

    def fault(self, vendor: str = "", **given: Any) -> ArmedFault:
        """Arm a fault from now on: `fault("alibaba-pai", page=3, times=1, refuse="throttled", retry_after_s=2)`.

        Triggers and kinds are those of a scenario's `faults`; without a vendor, the test's own. Raises ConfigError.
        """
        try:
            return ArmedFault(self, self.call("POST", "faults", spec_of(self._vendor(vendor), given))["id"])
        except Problem as problem:
            raise mistake(problem) from None

    def chaos(self, profile: str, **given: Any) -> list[ArmedFault]:
        """Arm the faults of a profile for the calls from now on: `chaos("flaky-network", seed=8812, calls=50)`.

        Raises ConfigError.
        """
        try:
            drawn = self.call("POST", "faults", {"profile": profile, **given})["faults"]
        except Problem as problem:
            raise mistake(problem) from None
        return [ArmedFault(self, fault["id"]) for fault in drawn]

    def unplayed(self) -> list[str]:
        """The request lines of a recording's exchanges that have not been played. Raises Problem for a scenario."""
        return [item["request"] for item in self.call("GET", "recording")["unplayed"]]

    def assert_all_played(self) -> None:
        """Raises AssertionError unless every exchange of the recording has been played."""
        told = self.call("GET", "recording")
        if rest := told["unplayed"]:
            listed = [f"exchange {item['exchange']}: {item['request']}" for item in rest[:LISTED]]
            more = [f"and {len(rest) - LISTED} more"] if len(rest) > LISTED else []
            head = f"{told['played']} of {told['exchanges']} exchanges of {told['recording']!r} were played, not:"
            raise AssertionError("\n".join([head, *listed, *more]))

    def walks(self, vendor: str = "") -> list[WalkStory]:
        """The walks of a vendor's clients, oldest first; without a name, of all vendors."""
        listed = self.call("GET", "walks", **({"vendor": vendor} if vendor else {}))["walks"]
        return [WalkStory(self.call("GET", f"walks/{walk['id']}", keys="all")) for walk in listed]

    def walk(self, vendor: str = "") -> WalkStory:
        """The latest walk of a vendor's client; without a name, of the test's own vendor. Raises AssertionError."""
        found = self.walks(self._vendor(vendor))
        if not found:
            raise AssertionError(f"no client asked {self._vendor(vendor)} for a list; the journal:\n{self.report()}")
        return found[-1]

    def absorb(self, seconds: float) -> None:
        """A sleep that does not take place: the clock of the namespace moves on instead."""
        self._slept.append((time.monotonic(), seconds))
        self.clock.advance(seconds)

    @property
    def defects(self) -> list[dict[str, Any]]:
        """The requests that met a defect of localruns itself, those before a reset too; each stands in `defect`."""
        counted = self.call("GET", "requests", limit=0)["defects"]
        found = [entry for entry in self.requests() if entry["defect"]] if counted else []
        return [*self._before, *[GONE] * (counted - len(found)), *found]

    def expect_no_defects(self) -> None:
        """Raises AssertionError for defects of localruns itself; each is told once."""
        found = self.defects
        fresh, self._told = found[self._told :], len(found)
        if fresh:
            raise AssertionError("\n".join(["localruns itself failed, not the client:", *lines(fresh)]))

    @property
    def count(self) -> int:
        """How many requests have come since the last reset."""
        return int(self.call("GET", "requests", limit=0)["count"])

    def report(self, since: int = 0) -> str:
        """The latest requests behind the first `since`, a line each: what was asked, what was answered, and why."""
        listed = self.call("GET", "requests", limit=LISTED, since=since)
        earlier = listed["count"] - since - len(listed["requests"])
        head = [f"... {earlier} earlier requests"] if earlier else []
        return "\n".join([*head, *lines(listed["requests"])]) or "no request reached this namespace"

    def _vendor(self, name: str) -> str:
        from localruns.vendors import IDS

        wanted = name or self.vendor
        if wanted not in IDS:
            raise ConfigError(f"{wanted!r} is no vendor, expected one of: {', '.join(IDS)}")
        return wanted


def mistake(problem: Problem) -> LocalrunsError:
    """A refusal of what a test asked for as a ConfigError, a line per problem; any other refusal as it is."""
    return ConfigError(*str(problem).splitlines()) if problem.status in (400, 422) else problem
