"""WireMock standalone, from the jar that its npm package carries."""

from __future__ import annotations

import json
import shutil
from urllib.parse import parse_qs, urlsplit

from benchmarks import asks
from benchmarks.peers.peer import JSON_TYPE, Peer, Place
from benchmarks.processes import Failed

HEAP = "-Xmx512m"
ENTRIES = 1_000


def with_journal(place: Place) -> Peer:
    """WireMock with its journal, bounded: as it comes it has no bound, and stands still when the heap is full."""
    return _wiremock(place, "WireMock", ["--max-request-journal-entries", str(ENTRIES)])


def without_journal(place: Place) -> Peer:
    """WireMock at its fastest."""
    return _wiremock(place, "WireMock, no journal", ["--no-request-journal"])


def _wiremock(place: Place, name: str, options: list[str]) -> Peer:
    jars = sorted((place.npm / "node_modules" / "wiremock" / "build").glob("wiremock-standalone-*.jar"))
    if not jars:
        raise Failed(f"not installed: no wiremock-standalone jar in {place.npm}; `make bench` installs it with npm")
    if shutil.which("java") is None:
        raise Failed("java is not on the PATH, expected version 17 or newer")
    folder = place.folder / "wiremock"
    pages = {"page-50": asks.page(50), "page-10": asks.page(10)}
    for each, ask in pages.items():
        place.file(f"wiremock/mappings/{each}.json", json.dumps(_stub(ask.path, place.pages[each])))
    run = ["java", HEAP, "-jar", str(jars[-1]), "--root-dir", str(folder), "--bind-address", "127.0.0.1"]
    run += ["--disable-banner", *options]
    return Peer(name, place.npm_version("wiremock"), lambda port: [*run, "--port", str(port)], pages)


def _stub(target: str, body: bytes) -> object:
    """One mapping, with the body inline, where WireMock has it fastest."""
    parts = urlsplit(target)
    query = {name: {"equalTo": values[0]} for name, values in parse_qs(parts.query).items()}
    return {
        "request": {"method": "GET", "urlPath": parts.path, "queryParameters": query},
        "response": {"status": 200, "headers": {"Content-Type": JSON_TYPE}, "body": body.decode()},
    }
