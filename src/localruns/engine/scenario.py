"""A scenario file, read and checked: what each vendor holds, and what happens when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from localruns import schemas, yamlio
from localruns.clock import parse_time
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError

SCHEMA = "scenario.schema.json"
DEFAULT_CLOCK = "2026-01-15T09:00:00Z"


@dataclass(frozen=True, slots=True)
class Site:
    """One vendor's part of a scenario, defaults filled in.

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

    Shape: `faults` as written; `timeline` per vendor, in order, each event's trigger (`after` or `at`) as
    written, its rows compiled into versions already.
    """

    name: str
    about: str
    seed: int
    clock: str
    sites: Mapping[str, Site]
    faults: Sequence[Mapping[str, Any]]
    timeline: Mapping[str, Sequence[Mapping[str, Any]]]

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


class Source:
    """A scenario's text as a checked document: `content` as written, `where(path)` as `file:line: key path`."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self._document = yamlio.Document(text, name)
        self.content: dict[str, Any] = self._document.value(schemas.bundled(SCHEMA))
        if not schemas.validator(SCHEMA).is_valid(self.content):
            raise ConfigError(*(self.problem(path, words) for path, words in schemas.explain(SCHEMA, self.content)))

    def where(self, path: Sequence[str | int]) -> str:
        """`file:line: key path`."""
        return f"{self.name}:{self._document.line(path)}: {yamlio.key_path(path)}"

    def problem(self, path: Sequence[str | int], words: str) -> str:
        """One line of an error message."""
        return f"{self.where(path)}: {words}"


def read(path: Path) -> Source:
    """The scenario file at `path`, checked. Raises ConfigError, a line per problem."""
    return Source(yamlio.read_text(path), str(path))


def interpret(source: Source, vendors: Mapping[str, Vendor], seed: int | None = None) -> Scenario:
    """The scenario that `source` describes; `seed` replaces its own."""
    content = source.content
    sites = {name: _site(part or {}, vendors[name]) for name, part in content["vendors"].items()}
    return Scenario(
        name=content["scenario"],
        about=content.get("about", ""),
        seed=content.get("seed", 0) if seed is None else seed,
        clock=_clock(source),
        sites=sites,
        faults=[_fault(source, index, vendors) for index in range(len(content.get("faults", ())))],
        timeline=_timeline(source),
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


def _fault(source: Source, index: int, vendors: Mapping[str, Vendor]) -> Mapping[str, Any]:
    """The fault as written, its vendor and its refusal known to exist."""
    fault: Mapping[str, Any] = source.content["faults"][index]
    name = fault["when"]["vendor"]
    if name not in source.content["vendors"]:
        words = f"found {name!r}, which this scenario holds no data for, expected one of: "
        raise ConfigError(
            source.problem(("faults", index, "when", "vendor"), words + ", ".join(source.content["vendors"]))
        )
    table, refuse = vendors[name].errors, fault["refuse"]
    known = [*table.kinds, *table.by_code]
    if refuse not in known:
        words = f"found {refuse!r}{schemas.near(refuse, known)}, expected one of: {', '.join(known)}"
        raise ConfigError(source.problem(("faults", index, "refuse"), words))
    return fault


def _timeline(source: Source) -> dict[str, list[Mapping[str, Any]]]:
    """Per vendor, the triggers of its events; an `at:` behind an `after:` could never be placed in time."""
    events: dict[str, list[Mapping[str, Any]]] = {}
    for index, event in enumerate(source.content.get("timeline", ())):
        strict = events.setdefault(event["vendor"], [])
        if "at" in event:
            _time(source, ("timeline", index, "at"), event["at"])
            if any("after" in earlier for earlier in strict):
                words = "found a time behind an event that waits for a page, expected times first"
                raise ConfigError(source.problem(("timeline", index, "at"), words))
        strict.append({key: event[key] for key in ("after", "at") if key in event})
    return events
