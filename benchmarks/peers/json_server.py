"""json-server, which serves one JSON file."""

from __future__ import annotations

import json
from dataclasses import replace

from benchmarks import asks
from benchmarks.peers.peer import Peer, Place


def json_server(place: Place) -> Peer:
    """`json-server` with a page as each of its objects; it prints them indented, so its bodies are longer."""
    pages = {name: json.loads(body) for name, body in place.pages.items()}
    database = place.file("json-server/db.json", json.dumps(pages))
    program = place.script("json-server")
    named = {name: replace(asks.page(50), path=f"/{name}") for name in pages}
    run = [program, str(database), "--host", "127.0.0.1", "--quiet"]
    return Peer("json-server", place.npm_version("json-server"), lambda port: [*run, "--port", str(port)], named)
