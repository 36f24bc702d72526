"""For each vendor the loop that most people write, with the slips that real clients were found to have.

None of them guards against loops, keeps rows apart, tries again or renews a credential. Each has one slip or two of its
own, and all work well as long as nothing unusual happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

from tests.clients.sending import Request, Row, Send, get

COLUMN = 1024
"""Characters of the column in which a sync keeps its page token from one page to the next."""


def alibaba_by_token(send: Send, size: int, credential: str) -> list[Row]:
    """Follows the token, and takes it to carry the page size too."""
    rows: list[Row] = []
    asked = {"MaxResults": size}
    while True:
        body = get(send, Request("alibaba-pai", asked, credential))
        rows += body["Runs"]
        if not body["NextPageToken"]:
            return rows
        asked = {"PageToken": body["NextPageToken"]}


def alibaba_by_number(send: Send, size: int, credential: str) -> list[Row]:
    """Asks until it has as many rows as the first answer spoke of."""
    first = get(send, Request("alibaba-pai", {"PageNumber": 1, "PageSize": size}, credential))
    rows, number = list(first["Runs"]), 1
    while len(rows) < first["TotalCount"]:
        number += 1
        rows += get(send, Request("alibaba-pai", {"PageNumber": number, "PageSize": size}, credential))["Runs"]
    return rows


def oracle(send: Send, size: int, credential: str) -> list[Row]:
    """Takes an empty page for the end, and a token that is there for one that leads on."""
    rows: list[Row] = []
    asked: dict[str, object] = {"experiment_ids": ["1"], "max_results": size}
    while True:
        body = get(send, Request("oracle-aidp", asked, credential))
        rows += body["runs"]
        if not body["runs"] or "next_page_token" not in body:
            return rows
        asked = {"experiment_ids": ["1"], "page_token": body["next_page_token"][:COLUMN]}


def naver(send: Send, size: int, credential: str) -> list[Row]:
    """Reckons the number of pages from the total and the size it asked for."""
    first = get(send, Request("naver-nsml", {"page": 1, "pageSize": size}, credential))
    rows = list(first["runList"])
    for number in range(2, ceil(first["totalCount"] / size) + 1):
        rows += get(send, Request("naver-nsml", {"page": number, "pageSize": size}, credential))["runList"]
    return rows


def foundry(send: Send, size: int, credential: str) -> list[Row]:
    """Takes a page that is shorter than asked for the last one."""
    rows: list[Row] = []
    asked: dict[str, object] = {"preview": "true", "pageSize": size}
    while True:
        body = get(send, Request("palantir-foundry", asked, credential))
        rows += body["data"]
        if len(body["data"]) < size or "nextPageToken" not in body:
            return rows
        asked = {"preview": "true", "pageToken": body["nextPageToken"][:COLUMN]}


Naive = Callable[[Send, int, str], list[Row]]
NAIVE: Mapping[tuple[str, str], Naive] = {
    ("alibaba-pai", "token"): alibaba_by_token,
    ("alibaba-pai", "page"): alibaba_by_number,
    ("oracle-aidp", "token"): oracle,
    ("naver-nsml", "page"): naver,
    ("palantir-foundry", "token"): foundry,
}
