"""A scenario file, read and checked: what each vendor holds, and what happens when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from localruns import schemas, yamlio
from localruns.clock import parse_time
from localruns.engine.faults import chaos
from localruns.engine.faults.rules import breaches, shadowed
from localruns.engine.source import Source
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError

DEFAULT_CLOCK = "2026-01-15T09:00:00Z"


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One vendor's part of a scenario, defaults filled in. It is the same as itself only, and can be a key.

    Shape: `settings` every setting of the vendor by name; `resources` what exists; `credentials` the well-known
    ones and the scenario's own.
    """

    auth: str
    settings: Mapping[str, Any]
    resources: Mapping[str, Any]
    credentials: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything of a scenario but its rows.

    Shape: `faults` as written, those of a profile written out, and `chaos` then the profile, its seed and its length in
    calls; `timeline` per vendor, in order, each event's trigger (`after` or `at`) as
    written, its rows compiled into versions already; `rate_limits` per vendor `calls` and `per_s`.
    """

    name: str
    about: str
    seed: int
    clock: str
    sites: Mapping[str, Site]
    faults: Sequence[Mapping[str, Any]]
    timeline: Mapping[str, Sequence[Mapping[str, Any]]]
    rate_limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    chaos: Mapping[str, Any] = field(default_factory=dict)

    @property
    def start(self) -> datetime:
        """Where virtual time starts."""
        return parse_time(self.clock)

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the snapshot."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Scenario:
        """The scenario of `as_json`."""
        sites = {vendor: Site(**site) for vendor, site in value["sites"].items()}
        return cls(**{**value, "sites": sites})


def read(path: Path) -> Source:
    """The scenario file at `path`, checked. Raises ConfigError, a line per problem."""
    return Source(yamlio.read_text(path), str(path))


def interpret(source: Source, vendors: Mapping[str, Vendor], seed: int | None = None) -> Scenario:
    """The scenario that `source` describes; `seed` replaces its own."""
    content = source.content
    _expiry(source)
    seed = content.get("seed", 0) if seed is None else seed
    sites = {name: _site(part or {}, vendors[name]) for name, part in content["vendors"].items()}
    return Scenario(
        name=content["scenario"],
        about=content.get("about", ""),
        seed=seed,
        clock=_clock(source),
        sites=sites,
        faults=_faults(source, vendors, seed),
        timeline=_timeline(source),
        rate_limits=_rate_limits(source, vendors),
        chaos=_chaos(source, seed),
    )


def default_settings(vendor: str) -> dict[str, Any]:
    """Each setting of a vendor with the default that its schema states."""
    settings = schemas.bundled(f"{vendor}/scenario.json")["properties"]["settings"]["properties"]
    return {name: schema["default"] for name, schema in settings.items()}


def _site(part: Mapping[str, Any], vendor: Vendor) -> Site:
    own = part.get("credentials", [])
    known = [] if part.get("credentials_only") else vendor.credentials()
    named = {credential["id"] for credential in own}
    return Site(
        auth=part.get("auth", "present"),
        settings={**default_settings(vendor.id), **part.get("settings", {})},
        resources=part.get("resources", vendor.resources),
        credentials=[*(credential for credential in known if credential["id"] not in named), *own],
    )


def _clock(source: Source) -> str:
    text: str = source.content.get("clock", DEFAULT_CLOCK)
    _time(source, ("clock",), text)
    return text


def _time(source: Source, path: Sequence[str | int], text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError:
        words = f"found {text!r}, expected a time such as {DEFAULT_CLOCK}"
        raise ConfigError(source.problem(path, words)) from None


def _expiry(source: Source) -> None:
    """Every `expires:` is a time."""
    for vendor, part in source.content["vendors"].items():
        for index, credential in enumerate((part or {}).get("credentials", ())):
            if "expires" in credential:
                _time(source, ("vendors", vendor, "credentials", index, "expires"), credential["expires"])


def _held(source: Source, path: tuple[str | int, ...], vendor: str) -> None:
    """The vendor that is named at `path` is one that this scenario has a part for."""
    if vendor not in source.content["vendors"]:
        words = f"found {vendor!r}, which this scenario holds no data for, expected one of: "
        raise ConfigError(source.problem(path, words + ", ".join(source.content["vendors"])))


def _faults(source: Source, vendors: Mapping[str, Vendor], seed: int) -> Sequence[Mapping[str, Any]]:
    """The faults as written, or those that a profile comes to."""
    written = source.content.get("faults", ())
    if not isinstance(written, Mapping):
        return [_fault(source, index, vendors) for index in range(len(written))]
    named = written.get("vendors", list(source.content["vendors"]))
    for index, vendor in enumerate(named):
        _held(source, ("faults", "vendors", index), vendor)
    return chaos.expand(written, [vendors[name] for name in source.content["vendors"] if name in named], seed)


def _chaos(source: Source, seed: int) -> Mapping[str, Any]:
    written = source.content.get("faults", ())
    return chaos.stated(written, seed) if isinstance(written, Mapping) else {}


def _fault(source: Source, index: int, vendors: Mapping[str, Vendor]) -> Mapping[str, Any]:
    """The fault as written; what it names exists, and it can fire."""
    faults: Sequence[Mapping[str, Any]] = source.content["faults"]
    problems = [
        source.problem(("faults", index, *path), words)
        for path, words in breaches(faults[index], vendors, list(source.content["vendors"]))
    ]
    if not problems and (other := shadowed(faults[index], faults[:index])) is not None:
        words = f"found a fault that can never fire: faults[{other}] refuses every call that it waits for"
        problems.append(source.problem(("faults", index), words))
    if problems:
        raise ConfigError(*problems)
    return faults[index]


def _rate_limits(source: Source, vendors: Mapping[str, Vendor]) -> dict[str, Mapping[str, float]]:
    """Per vendor its limit, the published one where the scenario asks for that."""
    limits = {}
    for name, limit in source.content.get("rate_limit", {}).items():
        _held(source, ("rate_limit", name), name)
        published = vendors[name].quota
        if limit == "published" and not published:
            words = f"found 'published', but {name} publishes no quota: expected calls and per_s"
            raise ConfigError(source.problem(("rate_limit", name), words))
        limits[name] = published if limit == "published" else limit
    return limits


def _timeline(source: Source) -> dict[str, list[Mapping[str, Any]]]:
    """Per vendor, the triggers of its events; an `at:` behind an `after:` could never be placed in time."""
    events: dict[str, list[Mapping[str, Any]]] = {}
    for index, event in enumerate(source.content.get("timeline", ())):
        _held(source, ("timeline", index, "vendor"), event["vendor"])
        strict = events.setdefault(event["vendor"], [])
        if "at" in event:
            _time(source, ("timeline", index, "at"), event["at"])
            if any("after" in earlier for earlier in strict):
                words = "found a time behind an event that waits for a page, expected times first"
                raise ConfigError(source.problem(("timeline", index, "at"), words))
        strict.append({key: event[key] for key in ("after", "at") if key in event})
    return events
