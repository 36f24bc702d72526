"""What all servers are asked, and the rows that must come back."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmarks.processes import Failed

ALIBABA = "ACS3-HMAC-SHA256 Credential=LTAI5tLocalruns00000001,SignedHeaders=host,Signature=00"
PLATFORM = "/20260430/aiDataPlatforms/ocid1.aidataplatform.oc1.iad.localruns/workspaces/default/mlops"
RUNS_SEARCH = "/api/2.0/mlflow/runs/search"
FILTER = "metrics.rmse < {below} AND params.learning_rate = '0.01'"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. Shape: `member` of the answer holds its rows; of each, `part` is compared, all of it when empty."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""
    member: str = "Runs"
    part: str = ""

    def rows(self, body: bytes) -> list[Any]:
        """The rows of an answer, as far as they are compared."""
        rows: list[Any] = json.loads(body)[self.member]
        return [row["info"][self.part] for row in rows] if self.part else rows


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


def page(rows: int) -> Ask:
    """A page of Alibaba's ListRuns in full."""
    return Ask(f"/api/v1/runs?MaxResults={rows}&Verbose=true", {"Authorization": ALIBABA})


def search(prefix: str = "", *, below: float = 1.5, most: int = 50) -> Ask:
    """A search of MLflow's with a filter and an order; `prefix` is what stands before MLflow's own path."""
    asked = {"experiment_ids": ["1"], "filter": FILTER.format(below=below), "order_by": ["metrics.rmse ASC"]}
    return searched(prefix, {**asked, "max_results": most})


def searched(prefix: str, asked: Mapping[str, Any]) -> Ask:
    """Any search of MLflow's."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer localruns-token"}
    return Ask(prefix + RUNS_SEARCH, headers, "POST", json.dumps(asked).encode(), "runs", "run_name")


def fetch(url: str, ask: Ask, timeout_s: float = 30) -> Answer:
    """Ask once, on a connection of its own. Raises: OSError, http.client.HTTPException."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout_s)
    try:
        connection.request(ask.method, ask.path, ask.body or None, dict(ask.headers))
        got = connection.getresponse()
        return Answer(got.status, got.read())
    finally:
        connection.close()


def answered(url: str, ask: Ask) -> bytes:
    """The body of an answer, when it is a 200. Raises: Failed."""
    try:
        answer = fetch(url, ask)
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"{ask.path} gave no answer: {error!r}") from None
    if answer.status != 200:
        raise Failed(f"{ask.path} answered {answer.status}, expected 200: {answer.body[:200]!r}")
    return answer.body


def checked(url: str, ask: Ask, rows: list[Any]) -> int:
    """The length of the answer's body, when it is a 200 with these rows. Raises: Failed."""
    body = answered(url, ask)
    try:
        got = ask.rows(body)
    except (ValueError, KeyError, TypeError) as error:
        raise Failed(f"{ask.path} answered without rows: {error!r} in {body[:200]!r}") from None
    if got != rows:
        raise Failed(f"{ask.path} answered {len(got)} rows that are not the {len(rows)} expected ones")
    return len(body)
