"""A pager that lives through the torture catalogue: one loop for all vendors, and what differs between them as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.clients.sending import Refused, Request, Row, Send

TRIES = 5
RENEWALS = 4
RESTARTS = 2
EMPTY_PAGES = 20


@dataclass(frozen=True)
class Dialect:
    """How one vendor is asked for pages.

    Shape: `ask(size, token)` the parameters, token None for the first page; `rows_at` where the rows are; `key(row)`;
    `following(body, token)` what leads to the next page, None when nothing does.
    """

    vendor: str
    ask: Callable[[int, Any], Mapping[str, Any]]
    rows_at: str
    key: Callable[[Row], str]
    following: Callable[[Mapping[str, Any], Any], Any]


class Stuck(Exception):
    """The pages do not lead on."""


class Expired(Exception):
    """The page token is good no more."""


@dataclass
class Good:
    """Walks all pages.

    It follows the token and nothing else: no total, no short or empty page ends the walk, only the lack of a token
    (page numbers: an empty page). Parameters stay the same from page to page, tokens are handed back as they came.

    `renew()` gives a new credential; `sleep` takes seconds. Afterwards `doubt` says why the rows may not be all.
    """

    dialect: Dialect
    send: Send
    size: int
    credential: str
    renew: Callable[[], str]
    sleep: Callable[[float], object]
    doubt: str = field(default="", init=False)

    def rows(self) -> list[Row]:
        """All rows, each once. Raises Stuck and Refused."""
        for _ in range(RESTARTS):
            try:
                return self._walk()
            except Expired:
                continue
        raise Stuck("page tokens expire before they can be used")

    def _walk(self) -> list[Row]:
        kept: dict[str, Row] = {}
        token, empty = None, 0
        while True:
            body = self._page(token)
            rows = body[self.dialect.rows_at]
            fresh = {self.dialect.key(row): row for row in rows if self.dialect.key(row) not in kept}
            following = self.dialect.following(body, token)
            if rows and not fresh:
                self.doubt = "a page brought nothing new"
                return list(kept.values())
            kept |= fresh
            if following is None:
                return list(kept.values())
            empty = 0 if rows else empty + 1
            # An empty page may lead to itself, since an offset has only one way to say where it leads.
            if (rows and following == token) or empty > EMPTY_PAGES:
                raise Stuck(f"the token {token!r} leads to itself" if rows else f"{empty} empty pages in a row")
            token = following

    def _page(self, token: Any) -> Any:
        """One page; what passes by itself or with a new credential is tried again."""
        failures = renewals = 0
        while True:
            answer = self.send(Request(self.dialect.vendor, self.dialect.ask(self.size, token), self.credential))
            if answer.status == 200:
                return answer.body
            if answer.status == 401 and renewals < RENEWALS:
                self.credential, renewals = self.renew(), renewals + 1
            elif (answer.status >= 500 or answer.status == 429) and failures < TRIES:
                failures += 1
                self.sleep(2.0**failures)
            elif answer.status == 400 and token is not None:
                # Nothing but the token differs from the request for page 1, which was good.
                raise Expired(str(answer.body))
            else:
                raise Refused(f"{answer.status}: {answer.body}")


def _given(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _on(rows_at: str) -> Callable[[Mapping[str, Any], Any], int | None]:
    return lambda body, number: (number or 1) + 1 if body[rows_at] else None


DIALECTS: Mapping[tuple[str, str], Dialect] = {
    ("alibaba-pai", "token"): Dialect(
        "alibaba-pai",
        lambda size, token: _given(MaxResults=size, PageToken=token),
        "Runs",
        key=lambda row: str(row["RunId"]),
        following=lambda body, token: body["NextPageToken"] or None,
    ),
    ("alibaba-pai", "page"): Dialect(
        "alibaba-pai",
        lambda size, number: {"PageNumber": number or 1, "PageSize": size},
        "Runs",
        key=lambda row: str(row["RunId"]),
        following=_on("Runs"),
    ),
    ("oracle-aidp", "token"): Dialect(
        "oracle-aidp",
        lambda size, token: _given(experiment_ids=["1"], max_results=size, page_token=token),
        "runs",
        key=lambda row: str(row["info"]["run_id"]),
        following=lambda body, token: body.get("next_page_token") or None,
    ),
    ("naver-nsml", "page"): Dialect(
        "naver-nsml",
        lambda size, number: {"page": number or 1, "pageSize": size},
        "runList",
        key=lambda row: f"{row['projectId']}/{row['runName']}",
        following=_on("runList"),
    ),
    ("palantir-foundry", "token"): Dialect(
        "palantir-foundry",
        lambda size, token: _given(preview="true", pageSize=size, pageToken=token),
        "data",
        key=lambda row: str(row["buildRid"]),
        following=lambda body, token: body.get("nextPageToken") or None,
    ),
}
