"""A real MLflow tracking server, asked the same search over the same runs as localruns' endpoint of Oracle's."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks import asks, real_mlflow
from benchmarks.peers.peer import Peer, Place


def mlflow(place: Place) -> Peer:
    """`mlflow server` with SQLite and one worker."""
    _, version = real_mlflow.interpreter()
    store, _ = real_mlflow.filled(place.runs, place.npm)
    place.file("mlflow/README", "a copy of the store, and what the server writes")
    own = Path(shutil.copy(store, place.folder / "mlflow" / "served.db"))
    return Peer(
        "MLflow server",
        version,
        lambda port: real_mlflow.command(own, port),
        {"search": asks.search()},
        real_mlflow.QUIET,
    )
