"""An answer that is not a 200, has other rows or another length is found: by the direct check, and by wrk's."""

from __future__ import annotations

import json
import shutil

import pytest

from benchmarks import asks, wrk
from benchmarks.asks import Ask
from benchmarks.processes import Failed
from tests.benchmarks.stub import GOOD, ROWS, answering

ASK = Ask("/api/v1/runs")
LENGTH = len(GOOD[1])
driven = pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk")


def test_a_whole_answer_tells_its_length() -> None:
    with answering(lambda _: GOOD) as url:
        assert asks.checked(url, ASK, ROWS) == LENGTH


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, GOOD[1]), "answered 404, expected 200"),
        ((200, json.dumps({"Runs": ROWS[:2]}).encode()), "answered 2 rows that are not the 3 expected ones"),
        ((200, json.dumps({"Runs": [*ROWS[:2], {"RunId": "run-9"}]}).encode()), "3 rows that are not the 3 expected"),
        ((200, b'{"code": "ok"}'), "without rows"),
        ((200, b"<html>"), "without rows"),
    ],
)
def test_the_direct_check_refuses(answer: tuple[int, bytes], words: str) -> None:
    with answering(lambda _: answer) as url, pytest.raises(Failed, match=words):
        asks.checked(url, ASK, ROWS)


def test_a_server_that_is_gone_is_a_failure_in_words() -> None:
    with answering(lambda _: GOOD) as url:
        pass
    with pytest.raises(Failed, match="gave no answer"):
        asks.checked(url, ASK, ROWS)


@driven
def test_wrk_counts_and_checks_every_answer() -> None:
    with answering(lambda _: GOOD) as url:
        load = wrk.drive(url, ASK, LENGTH, seconds=0.2)
    assert load.requests > 0
    assert load.requests_per_s == pytest.approx(load.requests / load.took_s)
    assert 0 < load.p50_us <= load.p99_us


@driven
@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ((500, GOOD[1]), "1 wrong status"),
        ((404, b""), "1 wrong status"),
        ((200, GOOD[1] + b" "), "1 wrong length"),
        ((200, GOOD[1][:-1]), "1 wrong length"),
        ((200, b""), "1 wrong length"),
    ],
)
def test_one_odd_answer_among_many_is_found_under_load(odd: tuple[int, bytes], words: str) -> None:
    with answering(lambda number: odd if number == 20 else GOOD) as url, pytest.raises(Failed, match=words):
        wrk.drive(url, ASK, LENGTH, seconds=0.2)


@driven
def test_wrk_sends_method_headers_and_body() -> None:
    ask = Ask("/search", {"X-One": "two words"}, "POST", b'{"a": 1}\n')
    seen = []

    def app(environ, start_response):
        seen.append((environ["REQUEST_METHOD"], environ["HTTP_X_ONE"], environ["wsgi.input"].read()))
        start_response("200 OK", [("Content-Length", "2")])
        return [b"{}"]

    from localruns.surfaces.edge import Edge

    with Edge(app, lambda *_: (400, [], b"")) as edge:
        wrk.drive(edge.url, ask, 2, seconds=0.2)
    assert set(seen) == {("POST", "two words", b'{"a": 1}\n')}


@driven
def test_a_port_where_nothing_listens_is_a_failure() -> None:
    with answering(lambda _: GOOD) as url:
        pass
    with pytest.raises(Failed, match=r"wrk|answers"):
        wrk.drive(url, ASK, LENGTH, seconds=0.2)
