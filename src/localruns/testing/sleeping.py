"""Virtual sleep: a client's `time.sleep` and `asyncio.sleep` pass at once, and move the namespace's clock instead.

Only sleeps of the thread that asked are absorbed, of whatever event loop runs in it; sleeps of 0 pass as they are.
Modules that hold `from time import sleep` are met too: their names are exchanged for the time being.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Absorb = Callable[[float], None]

_real_sleep = time.sleep
_real_async_sleep = asyncio.sleep


def real_sleep(seconds: float) -> None:
    """Sleep, whatever has become of `time.sleep`."""
    _real_sleep(seconds)


@contextmanager
def absorbed(absorb: Absorb) -> Iterator[None]:
    """While this lasts, the calling thread does not sleep: `absorb(seconds)` is called in place of each sleep."""
    thread = threading.get_ident()

    def sleep(seconds: float, /) -> None:
        if seconds <= 0 or threading.get_ident() != thread:
            _real_sleep(seconds)
        else:
            absorb(float(seconds))

    async def async_sleep(delay: float, result: Any = None) -> Any:
        if delay <= 0 or threading.get_ident() != thread:
            return await _real_async_sleep(delay, result)
        absorb(float(delay))
        return await _real_async_sleep(0, result)

    exchanged = [*_exchange(_real_sleep, sleep), *_exchange(_real_async_sleep, async_sleep)]
    try:
        yield
    finally:
        for module, name, real in exchanged:
            setattr(module, name, real)


def _exchange(real: Any, other: Any) -> list[tuple[Any, str, Any]]:
    """Put `other` wherever a module holds `real`; (module, name, real) of each place."""
    found = []
    for module in list(sys.modules.values()):
        if module is sys.modules[__name__]:
            continue
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is real:
                found.append((module, name, real))
                setattr(module, name, other)
    return found
