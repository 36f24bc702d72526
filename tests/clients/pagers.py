"""One pager per vendor: asks page by page, as the vendor's page describes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import Client, TestResponse

PLATFORM = "ocid1.aidataplatform.oc1.iad.localruns"
SEARCH = f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/default/mlops/api/2.0/mlflow/runs/search"
STUDIO = "ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890"

HEADERS = {
    "alibaba-pai": {"Authorization": "ACS3-HMAC-SHA256 Credential=any,SignedHeaders=host,Signature=00"},
    "oracle-aidp": {"Authorization": "Bearer any", "Content-Type": "application/json"},
    "naver-nsml": {
        "x-ncp-apigw-timestamp": "1",
        "x-ncp-iam-access-key": "any",
        "x-ncp-apigw-api-key": "any",
        "x-ncp-apigw-signature-v2": "any",
        "Content-Type": "application/json",
    },
    "palantir-foundry": {"Authorization": "Bearer any"},
}


@dataclass(frozen=True)
class Page:
    """One answer. Shape: `next` is what leads to the page after it, None on the last."""

    rows: list[dict[str, Any]]
    next: Any
    body: dict[str, Any]


Ask = Callable[[Client, int, Any, dict[str, Any]], TestResponse]
Read = Callable[[dict[str, Any], int, Any], Page]


@dataclass(frozen=True)
class Pager:
    """How one style of one vendor's paging is walked.

    Shape: `key(row)` the row key; `narrow(row)` filter arguments that keep at least that row; `reverse` the
    arguments that turn the default order around, None where the vendor cannot.
    """

    vendor: str
    style: str
    ask: Ask
    read: Read
    key: Callable[[dict[str, Any]], str]
    narrow: Callable[[dict[str, Any]], dict[str, Any]]
    order: Callable[[dict[str, Any]], Any]
    reverse: dict[str, Any] | None = None
    prefix: str = field(default="")

    def page(self, client: Client, size: int, token: Any = None, **more: Any) -> Page:
        """One page; the answer must be a 200."""
        answer = self.ask(client, size, token, more)
        assert answer.status_code == 200, answer.text
        return self.read(json.loads(answer.text), size, token)

    def walk(self, client: Client, size: int, **more: Any) -> Iterator[Page]:
        """All pages, in order; a walk that does not end fails."""
        token = None
        for _ in range(10_000):
            page = self.page(client, size, token, **more)
            yield page
            token = page.next
            if token is None:
                return
        raise AssertionError("the walk did not end")

    def rows(self, client: Client, size: int, **more: Any) -> list[dict[str, Any]]:
        """All rows of a walk."""
        return [row for page in self.walk(client, size, **more) for row in page.rows]


def _get(vendor: str, path: str, names: dict[str, str], fixed: dict[str, str]) -> Ask:
    def ask(client: Client, size: int, token: Any, more: dict[str, Any]) -> TestResponse:
        query = {**fixed, names["size"]: str(size), **more}
        if token is not None:
            query[names["token"]] = str(token)
        return client.get(path, query_string=query, headers=HEADERS[vendor])

    return ask


def _search(client: Client, size: int, token: Any, more: dict[str, Any]) -> TestResponse:
    body = {"experiment_ids": ["1"], "max_results": size, **more}
    if token is not None:
        body["page_token"] = token
    return client.post(SEARCH, data=json.dumps(body), headers=HEADERS["oracle-aidp"])


def _numbered(rows_at: str) -> Read:
    def read(body: dict[str, Any], size: int, token: Any) -> Page:
        total = body["TotalCount"] if rows_at == "Runs" else body["totalCount"]
        number = token or 1
        return Page(body[rows_at], number + 1 if number * size < total else None, body)

    return read


def _tokened(rows_at: str, token_at: str) -> Read:
    return lambda body, size, token: Page(body[rows_at], body.get(token_at) or None, body)


PAGERS = (
    Pager(
        "alibaba-pai",
        "token",
        _get("alibaba-pai", "/api/v1/runs", {"size": "MaxResults", "token": "PageToken"}, {"Verbose": "true"}),
        _tokened("Runs", "NextPageToken"),
        key=lambda row: row["RunId"],
        narrow=lambda row: {"Name": row["Name"]},
        order=lambda row: row["GmtCreateTime"],
        reverse={"SortBy": "GmtCreateTime", "Order": "ASC"},
    ),
    Pager(
        "alibaba-pai",
        "page",
        _get("alibaba-pai", "/api/v1/runs", {"size": "PageSize", "token": "PageNumber"}, {}),
        _numbered("Runs"),
        key=lambda row: row["RunId"],
        narrow=lambda row: {"ExperimentId": row["ExperimentId"]},
        order=lambda row: row["GmtCreateTime"],
        reverse={"OrderBy": "GmtCreateTime"},
    ),
    Pager(
        "oracle-aidp",
        "token",
        _search,
        _tokened("runs", "next_page_token"),
        key=lambda row: row["info"]["run_id"],
        narrow=lambda row: {"filter": f"attributes.run_name = '{row['info']['run_name']}'"},
        order=lambda row: row["info"]["start_time"],
        reverse={"order_by": ["start_time ASC", "run_id DESC"]},
    ),
    Pager(
        "naver-nsml",
        "page",
        _get("naver-nsml", "/nsml/v1/projects/runs", {"size": "pageSize", "token": "page"}, {}),
        _numbered("runList"),
        key=lambda row: f"{row['projectId']}/{row['runName']}",
        narrow=lambda row: {},
        order=lambda row: row["createTime"],
    ),
    Pager(
        "palantir-foundry",
        "token",
        _get(
            "palantir-foundry",
            f"/api/v2/models/modelStudios/{STUDIO}/runs",
            {"size": "pageSize", "token": "pageToken"},
            {"preview": "true"},
        ),
        _tokened("data", "nextPageToken"),
        key=lambda row: row["buildRid"],
        narrow=lambda row: {"configVersion": str(row["configVersion"])},
        order=lambda row: row["startedTime"],
    ),
)
