"""What the journal still knows when entries and rows have given way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from werkzeug.test import Client

from localruns.engine.journal import Entry, Journal
from localruns.engine.message import Page, Reply, Request, Rows
from localruns.surfaces.http import App
from tests.clients.pagers import HEADERS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = Request("GET", "/x", "/x")


def exchange(journal: Journal, status: int = 200, *, vendor: str = "v", rows: int = 0, request: Request = REQUEST,
             sent: bool = True) -> Entry:  # fmt: skip
    entry = journal.open(request, NOW)
    entry.vendor, entry.endpoint = vendor, "List"
    body = Rows((b"x" * 1_000,) * rows)
    entry.page = Page(body, tuple(map(str, range(rows))), 0, rows, rows, tuple(range(rows))) if rows else None
    entry.reply = Reply(status, {"rows": []}, rows_at="rows", rows=body)
    journal.answered(entry)
    entry.sent = sent
    return entry


def ids(journal: Journal) -> list[int]:
    return [entry.id for entry in journal]


def test_totals_outlive_the_entries() -> None:
    journal = Journal(max_entries=1)
    for status, vendor in ((200, "a"), (200, "a"), (429, "a"), (200, "b")):
        exchange(journal, status, vendor=vendor)
    assert journal.total() == 4
    assert journal.total("a") == 3
    assert journal.total(status=200) == 3
    assert journal.total("a", 429) == 1
    assert journal.total(met=False) == 0
    assert journal.total("c") == 0


def test_big_answers_shrink_to_an_outline_and_their_entries_stay() -> None:
    journal = Journal(max_bytes=100_000)
    for _ in range(4):
        exchange(journal, rows=20)
    assert ids(journal) == [1, 2, 3, 4]
    assert [entry.outlined for entry in journal] == [20, 20, 0, 0]
    assert [entry.row_count for entry in journal] == [20] * 4
    assert [len(entry.page.rows) for entry in journal if entry.page] == [0, 0, 20, 20]
    assert [entry.reply.status for entry in journal if entry.reply] == [200] * 4


def test_an_answer_that_is_not_yet_written_and_the_newest_one_keep_their_rows() -> None:
    journal = Journal(max_bytes=100_000)
    stalled = exchange(journal, rows=20, sent=False)
    for _ in range(3):
        exchange(journal, rows=20)
    assert stalled.row_count == 20
    assert not stalled.outlined
    assert not exchange(journal, rows=900).outlined


def test_evicted_answers_free_their_room() -> None:
    journal = Journal(max_entries=2, max_bytes=100_000)
    for _ in range(50):
        exchange(journal, rows=10)
    assert [entry.outlined for entry in journal] == [0, 0]


def test_an_entry_that_was_cleared_away_is_not_counted_any_more() -> None:
    journal = Journal()
    entry = journal.open(REQUEST, NOW)
    journal.clear()
    entry.reply = Reply(200)
    journal.answered(entry)
    assert (journal.count, journal.total(), ids(journal)) == (0, 0, [])


def test_a_walk_over_big_pages_is_whole_in_the_ledger_though_its_rows_have_gone(make_app: Callable[..., App]) -> None:
    app = make_app("quickstart")
    space = app.emulator.make_space("small", journal_bytes=20_000)
    client: Client = app.test_client()
    for page in (1, 2, 3):
        query = {"PageSize": "10", "PageNumber": str(page), "Verbose": "true"}
        answer = client.get("/ns/small/api/v1/runs", query_string=query, headers=HEADERS["alibaba-pai"])
        assert len(answer.json["Runs"]) == (10 if page < 3 else 5)
    assert [bool(entry.outlined) for entry in space.journal] == [True, True, False]
    shown = client.get("/__admin/requests?namespace=small").json["requests"]
    assert [entry["answered"] for entry in shown] == ["200, rows 1-10 of 25", "200, rows 11-20 of 25",
                                                      "200, rows 21-25 of 25"]  # fmt: skip
    assert [entry["rows"] for entry in shown] == [10, 10, 5]
    assert [entry["row_keys"] is None for entry in shown] == [True, True, False]
    assert space.states["alibaba-pai"].rows == 25
    (walk,) = client.get("/__admin/walks?namespace=small").json["walks"]
    assert (walk["delivered"], walk["complete"]) == (25, True)
