"""Requests that were recorded without their secrets: a placeholder stands for any value, for the same one each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localruns import placeholders
from localruns.engine.recorded.matching import Part

Key = frozenset[tuple[Part, Any]]


@dataclass(frozen=True, slots=True)
class StandIn:
    """A recorded request that another one may stand for. Shape: `bound` is by recorded text what was sent for it."""

    key: Key
    bound: Mapping[str, str] = field(default_factory=dict)


class StandIns:
    """The recorded requests with placeholders, found by all that is no placeholder in them."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._by_parts: dict[frozenset[Part], dict[Key, list[Key]]] = {}
        for key in keys:
            redacted = frozenset(part for part, value in key if any(map(placeholders.holds, _texts(value))))
            if redacted:
                self._by_parts.setdefault(redacted, {}).setdefault(_blank(key, redacted), []).append(key)

    def find(self, key: Key, bound: Mapping[str, str]) -> StandIn | None:
        """The first that fits a request; `bound` says what placeholders have come to stand for so far."""
        for redacted, blanked in self._by_parts.items():
            for recorded in blanked.get(_blank(key, redacted), ()):
                fresh = _bound(dict(recorded), dict(key), redacted, bound)
                if fresh is not None:
                    return StandIn(recorded, fresh)
        return None


def _bound(
    recorded: Mapping[Part, Any], sent: Mapping[Part, Any], redacted: Iterable[Part], bound: Mapping[str, str]
) -> dict[str, str] | None:
    """What each text with a placeholder would stand for; None where the two cannot be one."""
    fresh: dict[str, str] = {}
    for part in redacted:
        ours, theirs = list(_texts(recorded[part])), list(_texts(sent[part]))
        if len(ours) != len(theirs):
            return None
        for own, given in zip(ours, theirs, strict=True):
            if not placeholders.holds(own):
                if own != given:
                    return None
            elif not placeholders.like(own).fullmatch(given) or bound.get(own, given) != given:
                return None
            elif own not in bound:
                fresh[own] = given
    taken = set(bound.values())
    return None if taken.intersection(fresh.values()) else fresh


def _blank(key: Key, redacted: frozenset[Part]) -> Key:
    return frozenset((part, None if part in redacted else value) for part, value in key)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, tuple):
        yield from value
    else:
        yield str(value)
