"""What runs/search documents, asked of an MLflow server: plain requests, and walks of MLflow's own client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

PATHS = ("/api/2.0/mlflow/runs/search", "/ajax-api/2.0/mlflow/runs/search")
FILTERS = (
    "metrics.rmse < 1",
    "metrics.rmse >= 1 and metrics.rmse <= 2",
    'metrics."val/loss" > 2',
    "metrics.rmse != 1",
    "metrics.nothing = 1",
    "params.model_class = 'BERT'",
    "params.model_class != 'BERT' AND tags.team = 'vision'",
    "tags.\"odd key\" = 'it''s'",
    'tags.team = "speech"',
    "params.learning_rate = '0.01' and metrics.rmse < 1.5 and tags.team = 'search'",
    "attributes.status = 'FINISHED'",
    "attributes.status != 'FINISHED'",
    "attributes.run_name = 'steady-run-0003'",
    "attributes.start_time > 1768350000000",
    "status = 'RUNNING'",
)
ORDERS = (
    ["metrics.rmse"],
    ["metrics.rmse DESC"],
    ["params.model_class ASC", "metrics.rmse DESC"],
    ["tags.team DESC"],
    ["attributes.start_time ASC"],
    ["attributes.end_time DESC"],
    ["run_name"],
    ["metrics.nothing DESC"],
)
BAD = (
    {"filter": "metrics.rmse <"},
    {"filter": "metrics.rmse = 'x'"},
    {"filter": "params.model_class = 5"},
    {"filter": "nothing.x = 'y'"},
    {"filter": "metrics.rmse < 1 OR metrics.rmse > 2"},
    {"order_by": ["metrics.rmse SIDEWAYS"]},
    {"order_by": [""]},
    {"order_by": ["nothing.x"]},
    {"max_results": 0},
    {"max_results": -1},
    {"max_results": 50_001},
    {"max_results": "many"},
    {"page_token": "no token of this server"},
    {"filter": 5},
    {"experiment_ids": "1"},
)
# Walks of MLflow's own client: page size and what else is asked.
CLIENT_WALKS: tuple[dict[str, Any], ...] = (
    {"size": 1, "filter_string": "tags.team = 'speech'"},
    {"size": 7},
    {"size": 9, "order_by": ["attributes.start_time ASC"]},
    {"size": 10, "order_by": ["metrics.rmse DESC", "params.model_class ASC"], "run_view_type": 3},
    {"size": 4, "filter_string": "metrics.rmse < 1.5 and params.model_class != 'BERT'", "order_by": ["tags.team"]},
    {"size": 2, "run_view_type": 2},
    {"size": 1000, "filter_string": "attributes.status = 'FINISHED'"},
    {"size": 5, "filter_string": "tags.team = 'nobody'"},
)
CLIENT_BAD: tuple[dict[str, Any], ...] = (
    {"filter_string": "metrics.rmse <"},
    {"filter_string": "params.model_class = 5"},
    {"order_by": ["metrics.rmse SIDEWAYS"]},
    {"max_results": 50_001},
    {"max_results": 0},
    {"page_token": "no token of this server"},
)
# Accidents of the server, by its status: localruns refuses what means nothing, and lists no runs for a strange id.
QUIRKS = {
    '{"experiment_ids": ["1"], "run_view_type": "NOT_A_VIEW"}': 200,
    '{"experiment_ids": ["1"], "filter": "metrics.rmse < 1 AND"}': 200,
    '{"experiment_ids": [1]}': 200,
    '{"experiment_ids": ["1"], "max_results": -2147483649}': 200,
    "{": 200,
    '{"experiment_ids": ["1", "abc"]}': 400,
}


def bodies(experiment: str) -> Iterator[dict[str, Any]]:
    """Requests for one page each."""
    base = {"experiment_ids": [experiment]}
    yield base
    yield {}
    yield {"experiment_ids": []}
    yield {"experiment_ids": ["99"]}
    yield {"experiment_ids": [experiment, "0", "99"], "max_results": 3}
    for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL"):
        yield {**base, "run_view_type": view}
    yield from ({**base, "filter": text} for text in FILTERS)
    yield from ({**base, "order_by": items} for items in ORDERS)
    yield {**base, "filter": "", "order_by": [], "page_token": "", "max_results": 50_000}
    yield from ({**base, **bad} for bad in BAD)


class Plain:
    """Plain requests to one server."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """(status, content) of an answer."""
        return self._ask("POST", path, body if isinstance(body, str) else json.dumps(body))

    def get(self, path: str) -> tuple[int, Any]:
        """(status, content) of an answer."""
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, text: str | None) -> tuple[int, Any]:
        connection = HTTPConnection(self._host, timeout=60)
        try:
            connection.request(method, path, text, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def walk(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """All rows of all pages."""
        rows, token = [], ""
        while True:
            status, content = self.post(path, {**body, **({"page_token": token} if token else {})})
            assert status == 200, content
            rows += content.get("runs", [])
            token = content.get("next_page_token", "")
            if not token:
                return rows


def use(url: str, experiment: str) -> int:
    """Ask for the whole documented surface; how many plain requests that were."""
    plain, count = Plain(url), 0
    for body in bodies(experiment):
        plain.post(PATHS[count % 2], body)
        count += 1
    experiments = PATHS[0].replace("runs/search", "experiments/")
    plain.get(f"{experiments}get?experiment_id={experiment}")
    plain.get(f"{experiments}get-by-name?experiment_name=Default")
    for more in ({}, {"view_type": "ALL"}, {"view_type": "DELETED_ONLY"}, {"max_results": 1}, {"max_results": 0}):
        plain.post(experiments + "search", {"max_results": 1000, **more})
    base = {"experiment_ids": [experiment]}
    plain.walk(PATHS[0], {**base, "max_results": 7})
    plain.walk(PATHS[1], {**base, "max_results": 10, "order_by": ["metrics.rmse DESC"], "run_view_type": "ALL"})
    plain.walk(PATHS[0], {**base, "max_results": 4, "filter": "tags.team = 'vision'"})
    return count


def client_pages(url: str, experiment: str, size: int, **asked: Any) -> list[list[str]]:
    """The pages of a walk of MLflow's own client, each a list of rows as JSON, in which NaN equals itself."""
    from mlflow import MlflowClient

    client, pages, token = MlflowClient(tracking_uri=url), [], None
    while True:
        page = client.search_runs([experiment], max_results=size, page_token=token, **asked)
        pages.append([json.dumps(run.to_dictionary(), sort_keys=True) for run in page])
        token = page.token
        if not token:
            return pages


def client_errors(url: str, experiment: str) -> list[tuple[str, int]]:
    """(error code, status) of each request that MLflow's own client sees refused."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client, seen = MlflowClient(tracking_uri=url), []
    for asked in CLIENT_BAD:
        try:
            client.search_runs([experiment], **asked)
        except MlflowException as error:
            seen.append((error.error_code, error.get_http_status_code()))
    return seen


def stir(url: str, experiment: str) -> None:
    """Give a server runs with what real stores hold: open, deleted, bare, with NaN, infinity, steps and datasets."""
    plain, base = Plain(url), "/api/2.0/mlflow/"

    def made(name: str, start: int, **more: Any) -> str:
        asked = {"experiment_id": experiment, "run_name": name, "start_time": start, **more}
        return str(plain.post(base + "runs/create", asked)[1]["run"]["info"]["run_id"])

    made("open", 1768400000001)
    bare = made("bare", 1768400000002)
    plain.post(base + "runs/update", {"run_id": bare, "status": "KILLED", "end_time": 1768400000003})
    gone = made("gone", 1768400000004)
    plain.post(base + "runs/delete", {"run_id": gone})
    odd = made("odd", 1768400000004, tags=[{"key": "odd key", "value": "it's"}, {"key": "team", "value": ""}])
    for step, value in enumerate([1, "NaN", 2.5]):
        point = {"run_id": odd, "key": "rmse", "value": value, "timestamp": 1768400000010 + step, "step": step}
        plain.post(base + "runs/log-metric", point)
    for key, value in (("nan", "NaN"), ("high", "Infinity"), ("low", "-Infinity"), ("whole", 3)):
        plain.post(base + "runs/log-metric", {"run_id": odd, "key": key, "value": value, "timestamp": 5, "step": 0})
    dataset = {"name": "iris", "digest": "d1", "source_type": "local", "source": "{}", "schema": "{}", "profile": "{}"}
    used = [{"dataset": dataset, "tags": [{"key": "mlflow.data.context", "value": "training"}]}]
    plain.post(base + "runs/log-inputs", {"run_id": odd, "datasets": used})
