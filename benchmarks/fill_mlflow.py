"""Fill an MLflow store: `python fill_mlflow.py sqlite:///PATH < runs.json` prints the experiment's id.

The interpreter that has the full `mlflow` runs it, which may be another one than localruns runs under. It therefore
imports nothing of this project.

Shape of the input: a list of `{"name", "status", "start_time", "end_time", "metrics": [{"key", "value", "timestamp",
"step"}], "params": {key: value}, "tags": {key: value}}`, times in milliseconds since 1970.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from mlflow.entities import Metric, Param, RunStatus, RunTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

USER = "localruns"


def fill(uri: str, runs: list[dict[str, Any]]) -> str:
    """Write the runs into a new experiment; its id."""
    store = SqlAlchemyStore(uri, "/nonexistent-artifacts")
    experiment: str = store.create_experiment("benchmark")
    for each in runs:
        tags = [RunTag(key, value) for key, value in each["tags"].items() if key != "mlflow.runName"]
        run = store.create_run(experiment, USER, each["start_time"], tags, each["name"])
        metrics = [Metric(item["key"], item["value"], item["timestamp"], item["step"]) for item in each["metrics"]]
        store.log_batch(run.info.run_id, metrics, [Param(*item) for item in each["params"].items()], [])
        store.update_run_info(run.info.run_id, RunStatus.from_string(each["status"]), each["end_time"], each["name"])
    return experiment


if __name__ == "__main__":
    print(fill(sys.argv[1], json.load(sys.stdin)))
