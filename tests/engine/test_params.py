"""Query parameters are read strictly."""

from __future__ import annotations

import pytest

from localruns.engine.params import INT64, whole
from localruns.errors import BadRequest


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("+7", 7), ("-3", -3), ("007", 7), ("0" * 5_000 + "7", 7), ("-" + "0" * 60, 0), (str(INT64), INT64)],
)
def test_a_whole_number_is_taken_with_sign_and_zeros_before_it(text: str, number: int) -> None:
    assert whole("n", text, -10, INT64) == number


@pytest.mark.parametrize("text", ["", "+", "1.0", " 7", "7\n", "1_000", "٧", "0x1", "1" * 41, "9" * 5_000, "-11"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        whole("n", text, -10, INT64)
    assert refused.value.parameter == "n"
