"""Both languages take hostile text: an answer or a refusal, at once and fit to be sent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localruns.errors import BadRequest
from localruns.vendors.oracle_aidp.filters import parse_filter
from localruns.vendors.oracle_aidp.lexer import tokens
from localruns.vendors.oracle_aidp.orders import parse_order

WORDS = ["metrics.a", "params.b", "tags.`c`", "dataset.name", "run_id", "status", "start_time", "not null"]
SIGNS = [
    "=",
    "!=",
    "<",
    ">=",
    "==",
    "LIKE",
    "IN",
    "NOT",
    "NULL",
    "IS",
    "AND",
    "and",
    "DESC",
    "asc",
    " ",
    "  ",
]
VALUES = ["'v'", '"w"', "('a','b')", "1", "-1.5", "1e999", ".5", "é", "\0", "\ud800"]
MARKS = ["(", ")", ",", ".", "'", '"', "`", "\\", "-", "--", ";"]
FRAGMENTS = st.lists(st.sampled_from(WORDS + SIGNS + VALUES + MARKS), max_size=12)
TEXTS = st.one_of(st.text(st.characters(), max_size=60), FRAGMENTS.map(" ".join), FRAGMENTS.map("".join))


def refusals(text: str, dialect: str = "mlflow") -> list[BadRequest]:
    """Return what the filter and the order language say against a text."""
    errors = []
    for parse in (lambda: parse_filter(text, dialect), lambda: parse_order([text], dialect)):
        try:
            parse()
        except BadRequest as error:
            errors.append(error)
    return errors


@pytest.mark.parametrize(
    "piece",
    [
        "'",
        '"',
        "`",
        "''",
        "\\'",
        "\\''",
        "'\"",
        "'\"`",
        "\0",
        "\ud800",
        "(",
        "1",
        "1.",
        "-",
        ".",
        "a.",
        "<",
        " ",
    ],
)
@pytest.mark.parametrize("start", ["", "params.a = '", "metrics.a < ", "metrics.", "run_id in ('a',"])
def test_64_kilobytes_of_anything_are_answered_at_once(piece: str, start: str) -> None:
    text = start + piece * (65_536 // len(piece))
    for error in refusals(text) + refusals(text + "'"):
        assert len(error.message) < 400


def test_a_long_filter_is_read_in_one_pass() -> None:
    assert len(parse_filter(" AND ".join(["metrics.a < 1"] * 5_000))) == 5_000


@given(TEXTS)
@settings(max_examples=300, deadline=None, database=None)
def test_a_refusal_can_be_sent(text: str) -> None:
    for error in refusals(text) + refusals(text, "oracle"):
        assert error.message.startswith(f"{error.parameter}: expected ")
        assert error.message.encode()
        assert error.detail.encode()


@given(TEXTS)
@settings(max_examples=300, deadline=None, database=None)
def test_what_dialect_oracle_takes_means_the_same_to_mlflow(text: str) -> None:
    if not any(error.parameter == "filter" for error in refusals(text, "oracle")):
        assert parse_filter(text, "oracle") == parse_filter(text)
    if not any(error.parameter == "order_by" for error in refusals(text, "oracle")):
        assert parse_order([text], "oracle") == parse_order([text])


@given(TEXTS)
@settings(max_examples=300, deadline=None, database=None)
def test_tokens_leave_out_nothing_but_spaces(text: str) -> None:
    end = 0
    for token in tokens(text):
        assert text[token.start :].startswith(token.text)
        assert not text[end : token.start].strip()
        assert token.glued == (end == token.start)
        end = token.start + len(token.text)
    assert not text[end:].strip()
