"""The limit: `python -m benchmarks.bare_edge PORT QUERY FILE ...` answers each query string with a file's bytes.

It is localruns' own server with an application that does nothing, so it shows what Flask and the engine cost.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localruns.surfaces.edge import Edge

if TYPE_CHECKING:
    from wsgiref.types import StartResponse


def main(port: int, given: list[str]) -> None:
    """Serve until SIGTERM."""
    bodies = {query: Path(file).read_bytes() for query, file in zip(given[::2], given[1::2], strict=True)}

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        body = bodies[environ["QUERY_STRING"]]
        start_response(
            "200 OK", [("Content-Type", "application/json;charset=utf-8"), ("Content-Length", str(len(body)))]
        )
        return [body]

    Edge(app, lambda *_: (400, [], b""), port=port).run(lambda: print("ready", flush=True))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
