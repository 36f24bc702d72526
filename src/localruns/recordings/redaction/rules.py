"""What a user adds to the secrets that are known anyway, and what is to stay: a YAML file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localruns import schemas, yamlio
from localruns.errors import ConfigError
from localruns.recordings.redaction.forms import Hit

if TYPE_CHECKING:
    from localruns.recordings.redaction.parts import Place

SCHEMA = "redaction.schema.json"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is secret besides what is known anyway.

    Shape: names in lower case; a body field may be a dotted path, of which the last parts count; `patterns` kind and
    regular expression; `env` names of environment variables that hold secrets; `keep` names and paths of what stays,
    `keep_values` texts that stay.
    """

    headers: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()
    body: frozenset[str] = frozenset()
    patterns: Sequence[tuple[str, re.Pattern[str]]] = ()
    env: Sequence[str] = ()
    keep: frozenset[str] = frozenset()
    keep_values: frozenset[str] = field(default=frozenset())

    def kind(self, place: Place) -> str:
        """`secret` for a place that a rule names, else nothing."""
        listed = {"header": self.headers, "query": self.query}.get(place.where, self.body)
        return "secret" if listed and place.where != "key" and _named(place, listed) else ""

    def keeps(self, place: Place) -> bool:
        """Whether the text of a place is to stay as it is."""
        return place.value in self.keep_values or bool(self.keep and _named(place, self.keep))

    def hits(self, text: str) -> Iterator[Hit]:
        """What the user's regular expressions find."""
        for kind, pattern in self.patterns:
            for found in pattern.finditer(text):
                start, end = found.span(1) if pattern.groups else found.span()
                if end > start:
                    yield Hit(kind, start, end, lasting=True)


def load_rules(path: Path | None) -> Rules:
    """The rules of a file, or those that hold without one. Raises ConfigError, with file, line and key path."""
    if path is None:
        return Rules()
    document = yamlio.Document(yamlio.read_text(path), str(path))
    value = document.value(schemas.bundled(SCHEMA))
    problems = [
        f"{path}:{document.line(where)}: {yamlio.key_path(where)}: {words}"
        for where, words in schemas.explain(SCHEMA, value)
    ]
    if problems:
        raise ConfigError(*problems)
    return _rules(value, document, path)


def _rules(value: Mapping[str, Any], document: yamlio.Document, path: Path) -> Rules:
    patterns = []
    for index, pattern in enumerate(value.get("patterns", ())):
        where = ("patterns", index, "match")
        try:
            patterns.append((pattern.get("kind", "pattern"), re.compile(pattern["match"])))
        except re.error as error:
            place = f"{path}:{document.line(where)}: {yamlio.key_path(where)}"
            raise ConfigError(f"{place}: found {pattern['match']!r}, expected a regular expression: {error}") from None
    keep = value.get("keep", {})
    return Rules(
        headers=_lower(value.get("headers", ())),
        query=_lower(value.get("query", ())),
        body=_lower(value.get("body", ())),
        patterns=tuple(patterns),
        env=tuple(value.get("env", ())),
        keep=_lower(keep.get("names", ())),
        keep_values=frozenset(keep.get("values", ())),
    )


def _lower(names: Sequence[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _named(place: Place, names: frozenset[str]) -> bool:
    """Whether one of the names is that of the place, or part of the path to it, list places left out."""
    if place.name and place.name.lower() in names:
        return True
    steps = ".".join(["", *(step.lower() for step in place.path if isinstance(step, str)), ""])
    return any(f".{name}." in steps for name in names)
