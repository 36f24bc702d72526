"""Finds what still looks like a secret: in an exchange before it is saved, and in any file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from localruns import paths, placeholders, schemas, yamlio
from localruns.engine.recorded.exchange import Exchange
from localruns.engine.vendor import Vendor
from localruns.recordings.redaction import encodings, forms, parts, randomness
from localruns.recordings.redaction.judging import DEPTH, judge
from localruns.recordings.redaction.parts import Place
from localruns.recordings.redaction.rules import Rules
from localruns.recordings.scanning import files

_SHOWN = 3
_IDS = ("id", "ids", "uuid", "rid", "token", "time", "date", "timestamp", "digest", "uri", "name")
_HARMLESS = (
    *("etag", "digest", "sha256", "contentsha256", "contentmd5", "nonce", "traceid", "spanid", "requestid", "hash"),
    *("ifnonematch", "boundary", "commit", "checksum", "traceparent", "recordid", "invocationid", "userid", "nextpage"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One text that looks like a secret.

    Shape: `where` the key path, `what` its kind, beginning and length, never itself; `line` from 1, 0 outside a file.
    """

    where: str
    what: str
    line: int = 0


class Scanner:
    """Looks at texts one by one; what is published is none of the secrets."""

    def __init__(self, vendors: Mapping[str, Vendor], rules: Rules | None = None, *, accounts: bool = True) -> None:
        self._rules = rules or Rules()
        self._public = published(vendors)
        self._ids = id_names(tuple(sorted(vendors)))
        self.accounts = accounts

    def findings(self, place: Place, depth: int = 0) -> Iterator[tuple[int, str]]:
        """What looks like a secret in a text: at which of its characters, and in words."""
        text = place.value
        if place.where == "whole":
            return
        hits = [(hit.start, hit.end, hit.kind) for hit in judge(place, self._rules)]
        if len(text) >= randomness.LEAST and not self._names_an_id(place) and not self._rules.keeps(place):
            hits += [(*span, "random text") for span in randomness.random_runs(text)]
        found = False
        for start, end, kind in _largest(hits):
            value = text[start:end]
            if self._is_public(value) or (kind == "account" and not self.accounts):
                continue
            found = True
            shown = value[: min(_SHOWN, len(value) // 4)]
            yield start, f"{kind}, {shown}... of {len(value)} characters"
        if not found and depth < DEPTH and place.is_text:
            yield from self._encoded(place, depth)

    def within(self, place: Place, line: int) -> Iterator[Finding]:
        """What looks like a secret in a text, or in the texts of which it is made up when it is JSON or a form."""
        found: list[Finding] = []

        def look(inner: Place) -> str:
            for at, words in self.findings(inner):
                # Only in a text that is not made up of others is its own line known.
                own = inner.value.count("\n", 0, at) if inner.value == place.value else 0
                found.append(Finding(self.where(inner.path), words, line + own))
            return inner.value

        parts.nested(place, look)
        return iter(found)

    def where(self, path: Sequence[str | int]) -> str:
        """The key path, secrets that are keys left out."""
        steps = [
            "(secret)" if isinstance(step, str) and list(self.findings(Place("text", (), "", step))) else step
            for step in path
        ]
        return yamlio.key_path(tuple(steps)) if steps else "text"

    def _encoded(self, place: Place, depth: int) -> Iterator[tuple[int, str]]:
        for start, _, meaning, _ in encodings.runs(place.value):
            found: list[str] = []
            inner = replace(place, name="", value=meaning)

            def look(deep: Place, found: list[str] = found) -> str:
                found.extend(words for _, words in self.findings(deep, depth + 1))
                return deep.value

            parts.nested(inner, look)
            yield from ((start, f"encoded {words}") for words in found)

    def _names_an_id(self, place: Place) -> bool:
        plain = _plain(place.name)
        return plain in self._ids or plain.endswith(_HARMLESS) or plain in ("target", "at")

    def _is_public(self, value: str) -> bool:
        return value in self._public or forms.is_masked(placeholders.without(value))


def scan_exchange(exchange: Exchange, vendors: Mapping[str, Vendor], rules: Rules | None = None) -> list[Finding]:
    """What still looks like a secret in an exchange; nothing in one that a Redactor has been at."""
    scanner = Scanner(vendors, rules)
    found: list[Finding] = []

    def look(place: Place) -> str:
        found.extend(Finding(scanner.where(place.path), words) for _, words in scanner.findings(place))
        return place.value

    parts.edited(exchange, look)
    return found


def scan_file(
    path: Path,
    vendors: Mapping[str, Vendor],
    rules: Rules | None = None,
    note: Callable[[Place, int], None] | None = None,
) -> Iterator[Finding]:
    """What looks like a secret in a file, in its order; `note` is told of each text and its line.

    Raises ConfigError when the file cannot be read.
    """
    sort = files.sort_of(path)
    # In a scenario, and in any text, numbers that might be accounts mostly are not; its credentials are made up.
    scanner = Scanner(vendors, rules, accounts=sort not in ("scenario", "lines"))
    for place, line in files.texts(path, sort):
        if note:
            note(place, line)
        made_up = sort == "scenario" and "credentials" in place.path
        yield from scanner.within(replace(place, name="") if made_up else place, line)
    if sort not in ("json", "lines"):
        yield from _in_comments(path, scanner)


def _in_comments(path: Path, scanner: Scanner) -> Iterator[Finding]:
    """What looks like a secret in the comments of a YAML file; few lines have a `#`, so that all others are let be."""
    suspected = {
        line for line, text in files.may_comment(path) if any(scanner.within(Place("text", (), "", text), line))
    }
    for place, line in files.comments(path, suspected) if suspected else ():
        yield from (replace(finding, where="comment") for finding in scanner.within(place, line))


@cache
def id_names(vendors: tuple[str, ...]) -> frozenset[str]:
    """The names, letters and digits only, that the vendors' schemas give to ids, times and page tokens."""
    found: set[str] = set()
    for file in schemas.names():
        if file.startswith(vendors) and not file.endswith("/scenario.json"):
            found.update(plain for plain in map(_plain, _properties(schemas.raw(file))) if plain.endswith(_IDS))
    return frozenset(found)


def published(vendors: Mapping[str, Vendor]) -> frozenset[str]:
    """What is no secret: the well-known credentials of the emulator, and the accounts in its sample data."""
    found: set[str] = set()
    for vendor in vendors.values():
        for credential in vendor.credentials():
            found.update(value for value in credential.values() if isinstance(value, str))
        found |= _sample_accounts(vendor.id)
    return frozenset(found)


@cache
def _sample_accounts(vendor: str) -> frozenset[str]:
    pools = paths.fixtures_dir() / vendor / "pools.yaml"
    listed = yamlio.load(pools).values() if pools.exists() else ()
    return frozenset(value for pool in listed for value in pool if isinstance(value, str) and forms.is_id(value))


def _properties(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for inner in node.values():
            yield from _properties(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _properties(inner)


@lru_cache(4096)
def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


def _largest(hits: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    end = 0
    for hit in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if hit[0] >= end:
            yield hit
            end = hit[1]
