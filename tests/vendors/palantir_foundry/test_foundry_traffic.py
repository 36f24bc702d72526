"""What recorded traffic of the platform may look like without having drifted from what is claimed of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.recordings.own import compared, recorded, walks
from tests.recordings.planting import content, told


@pytest.mark.parametrize(("end", "kinds"), [(None, set()), ("", {"end-of-list"})])
def test_a_list_ends_with_no_token_or_null_and_never_with_an_empty_one(
    make_app: Callable[..., Any], end: str | None, kinds: set[str]
) -> None:
    exchanges = recorded(make_app("quickstart"), walks("palantir-foundry"))
    ended = [told(each, body={"nextPageToken": end, **content(each)}) for each in exchanges]
    assert {finding.kind for finding in compared(ended).findings} == kinds
