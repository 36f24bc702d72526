"""Readings of what requests say, kept for the next request that says the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

KEPT = 512
KEPT_LENGTH = 2_000

Said = TypeVar("Said", bound=str | bytes)
Rest = ParamSpec("Rest")
Read = TypeVar("Read")


def kept(read: Callable[Concatenate[Said, Rest], Read]) -> Callable[Concatenate[Said, Rest], Read]:
    """The function `read`, which keeps its latest answers; what it raises is not kept.

    It must be pure: only what it is given may decide, and none of that may ever change. So a site of a scenario may be
    given to it, and a namespace, its credentials or its clock may not. Units: what is longer than `KEPT_LENGTH`
    characters or bytes is read anew each time, so the answers of one function take some 3 MB at most.
    """
    memory = lru_cache(KEPT)(read)
    recall: Callable[..., Read] = memory

    @wraps(read)
    def answer(said: Said, /, *rest: Rest.args, **named: Rest.kwargs) -> Read:
        return (read if len(said) > KEPT_LENGTH else recall)(said, *rest, **named)

    answer.cache_info = memory.cache_info  # type: ignore[attr-defined]
    return answer
