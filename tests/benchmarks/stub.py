"""A server that answers as it is told, good or bad, to see what the benchmarks make of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from localruns.surfaces.edge import Edge

ROWS = [{"RunId": f"run-{number}"} for number in range(3)]
GOOD = (200, json.dumps({"Runs": ROWS}).encode())
REASONS = {200: "200 OK", 404: "404 Not Found", 500: "500 Internal Server Error"}


@contextmanager
def answering(answer: Callable[[int], tuple[int, bytes]]) -> Iterator[str]:
    """The base URL of a server; `answer(n)` is status and body of its n-th answer, from 1."""
    asked = 0

    def app(environ, start_response):
        nonlocal asked
        asked += 1
        status, body = answer(asked)
        start_response(REASONS[status], [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    with Edge(app, lambda *_: (400, [], b"")) as edge:
        yield edge.url
