"""What requests ask and answers tell beyond what localruns knows is listed, and leads to nothing else."""

from __future__ import annotations

from tests.recordings.makers import alibaba, page
from tests.recordings.test_rebuilding import ROWS, MakeApp, check, content, rebuilt, walk


def test_what_a_request_asks_beyond_the_operation_is_listed_and_changes_no_rows(make_app: MakeApp) -> None:
    none = page([], 0, 0, MaxResults=2, Project="other", Secret="s3cr3t-canary")
    whole = walk(ROWS, 2)
    made = rebuilt(none, *whole, none)
    assert "left out: parameters that ListRuns of alibaba-pai does not have: 4 (Project 2, Secret 2)" in made.notes
    assert "timeline" not in content(made)
    assert "canary" not in "".join(made.notes)
    check(make_app, made, whole)


def test_a_parameter_against_caches_breaks_up_no_walk(make_app: MakeApp) -> None:
    pages = [
        page(ROWS[at : at + 2], (at + 2) % 6, 6, MaxResults=2, PageToken=at, _=1770000000000 + at) for at in (0, 2, 4)
    ]
    made = rebuilt(*pages)
    assert made.notes == ["left out: parameters that ListRuns of alibaba-pai does not have: 3 (_ 3)"]
    assert made.figures[0].walks == 1
    check(make_app, made, pages)


def test_fields_beside_the_rows_are_listed() -> None:
    odd = alibaba(200, {"requestId": "R", "Runs": ROWS, "NextPageToken": 0, "Cost": 3, "a b": 1}, MaxResults=9)
    words = (
        "left out: fields beside the rows that the schema of alibaba-pai does not name: 2 (Cost 1, a name of its own 1)"
    )
    assert words in rebuilt(odd).notes
