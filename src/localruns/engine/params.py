"""Reading query parameters strictly."""

from __future__ import annotations

import re
from typing import Any

from localruns.errors import BadRequest

_WHOLE = re.compile(r"([+-]?)0*([0-9]{1,40})")  # more than 40 digits are out of any bounds
INT32 = 2**31 - 1
INT64 = 2**63 - 1


def whole(name: str, text: str, low: int, high: int, **rest: Any) -> int:
    """The integer that `text` writes in decimal, within [low, high]. Raises BadRequest; `rest` goes to it."""
    written = _WHOLE.fullmatch(text)
    number = int(written[1] + written[2]) if written else None
    if number is None or not low <= number <= high:
        bounds = f"an integer of at least {low}" + (f" and at most {high}" if number and number > high else "")
        raise BadRequest(name, text, bounds, **rest)
    return number
