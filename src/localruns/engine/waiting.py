"""Work that would hold up an event loop is put off to a thread that may take its time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

_thread = threading.local()


class NotNow(BaseException):
    """Raised in place of long work to a thread in a hurry; `resume` does what is left, in a thread that may wait.

    No Exception, so that nobody on the way takes it for a failure.
    """

    resume: Callable[[], Any]


def hurry(wanted: bool) -> None:
    """Say whether the calling thread has others to serve meanwhile."""
    _thread.hurried = wanted


def hurried() -> bool:
    """Whether the calling thread has others to serve meanwhile."""
    return getattr(_thread, "hurried", False)
