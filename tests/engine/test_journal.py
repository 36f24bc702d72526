"""The journal: every exchange, bounded in entries and bytes."""

from __future__ import annotations

from collections.abc import Callable

from localruns.clock import from_epoch_ms
from localruns.engine.journal import Journal
from localruns.engine.message import Page, Reply, Request, Rows
from localruns.surfaces.http import App

NOW = from_epoch_ms(0)
HEADERS = {"Authorization": "ACS3-HMAC-SHA256 Credential=any,SignedHeaders=host,Signature=00"}


def request(size: int = 0) -> Request:
    return Request("GET", "/x", "/x", body=b"x" * size)


def test_entries_are_numbered_from_one_and_found_by_number() -> None:
    journal = Journal()
    entries = [journal.open(request(), NOW) for _ in range(3)]
    assert [entry.id for entry in journal] == [1, 2, 3]
    assert journal.get(2) is entries[1]
    assert journal.get(4) is None


def test_the_oldest_entries_give_way_by_number() -> None:
    journal = Journal(max_entries=3)
    for _ in range(10):
        journal.open(request(), NOW)
    assert [entry.id for entry in journal] == [8, 9, 10]
    assert (journal.count, journal.evicted) == (10, 7)
    assert journal.get(1) is None


def test_the_oldest_entries_give_way_by_bytes_but_never_the_newest() -> None:
    journal = Journal(max_bytes=20_000)  # half of it for entries
    for _ in range(10):
        journal.open(request(2_000), NOW)
    assert [entry.id for entry in journal] == [8, 9, 10]
    journal.open(request(50_000), NOW)
    assert [entry.id for entry in journal] == [11]
    journal.open(request(), NOW)
    assert [entry.id for entry in journal] == [12]


def page() -> Page:
    return Page(Rows((b"x" * 1_000,) * 4), ("a", "b", "c", "d"), 0, 4, 4, (1, 2, 3, 4))


def answer(journal: Journal, page: Page) -> None:
    entry = journal.open(request(), NOW)
    entry.page, entry.reply = page, Reply(200, {"Runs": []}, rows_at="Runs", rows=page.rows)
    entry.sent = True
    journal.answered(entry)


def kept_bytes(journal: Journal) -> list[int]:
    return [sum(map(len, entry.reply.rows)) for entry in journal if entry.reply]


def test_the_oldest_answers_lose_their_rows_and_keep_their_count() -> None:
    journal = Journal(max_bytes=20_000)
    for _ in range(5):
        answer(journal, page())
    kept = kept_bytes(journal)
    assert len(kept) == 5
    assert sum(kept) <= 10_000
    assert kept[-1] == 4_000
    assert [entry.row_count for entry in journal] == [4] * 5


def test_a_page_that_was_sent_many_times_takes_its_room_once() -> None:
    journal = Journal(max_entries=10, max_bytes=30_000)
    shared = page()
    for _ in range(25):
        answer(journal, shared)
    assert kept_bytes(journal) == [4_000] * 10
    for _ in range(5):
        answer(journal, page())
    assert kept_bytes(journal) == [0] * 7 + [4_000] * 3
    assert [entry.row_count for entry in journal] == [4] * 10


def test_it_can_be_read_while_it_grows() -> None:
    journal = Journal()
    journal.open(request(), NOW)
    seen = []
    for entry in journal:
        seen.append(entry.id)
        journal.open(request(), NOW)
    assert seen == [1]


def test_clearing_starts_the_numbers_again() -> None:
    journal = Journal(max_entries=1)
    journal.open(request(), NOW)
    journal.open(request(), NOW)
    journal.clear()
    assert (list(journal), journal.count, journal.evicted) == ([], 0, 0)
    assert journal.open(request(), NOW).id == 1


def test_an_entry_tells_what_was_asked_and_answered(make_app: Callable[..., App]) -> None:
    app = make_app(vendor="alibaba-pai")
    assert app.test_client().get("/api/v1/runs?PageNumber=2&PageSize=5", headers=HEADERS).data
    (entry,) = app.emulator.space("default").journal
    assert (entry.vendor, entry.endpoint, entry.page_number) == ("alibaba-pai", "ListRuns", 2)
    assert entry.request.target == "/api/v1/runs?PageNumber=2&PageSize=5"
    assert entry.page is not None
    assert (entry.page.offset, len(entry.page.keys), entry.page.total) == (5, 5, 25)
    assert entry.reply is not None
    assert entry.reply.status == 200
    assert entry.sent
    assert not entry.defect
    assert entry.took_ms > 0


def test_an_entry_of_a_refusal_tells_the_whole_truth(make_app: Callable[..., App]) -> None:
    app = make_app(vendor="alibaba-pai")
    app.test_client().get("/api/v1/runs?PageSize=many", headers=HEADERS)
    (entry,) = app.emulator.space("default").journal
    assert entry.refusal is not None
    assert entry.refusal.detail == "PageSize is 'many', expected an integer of at least 1"
    assert entry.page is None


def test_an_unknown_path_of_a_vendor_is_in_the_journal_with_its_near_miss(make_app: Callable[..., App]) -> None:
    app = make_app(vendor="alibaba-pai")
    app.test_client().get("/api/v1/run", headers=HEADERS)
    (entry,) = app.emulator.space("default").journal
    assert entry.endpoint == ""
    assert "ListRuns" in entry.near_miss
