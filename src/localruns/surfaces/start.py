"""Where the command `localruns` begins, and how signals end it, from the first moment on."""

from __future__ import annotations

import sys

INTERRUPTED = 130  # as shells know it: what was asked for has not been done
TERMINATED = 143

try:
    import signal
    from collections.abc import Callable
    from types import FrameType
except KeyboardInterrupt:  # these, too, take a moment
    sys.exit(INTERRUPTED)

AGAIN_S = 0.005
_IMPORTS = "<frozen importlib."


def main() -> None:
    """Run the command line."""
    await_signals()
    from localruns.surfaces.cli import main as run

    run()


def await_signals() -> None:
    """Let Ctrl-C and SIGTERM end the process in good order; what a shell has ignored stays ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        on_signal(signal.SIGINT, _interrupt)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        on_signal(signal.SIGTERM, lambda: sys.exit(TERMINATED))


def on_signal(number: int, end: Callable[[], object]) -> None:
    """Do `end()` when that signal comes, or as soon as what is being imported then has been.

    A library in the middle of its import cannot be broken off: it shows where it was, and some of them crash.
    """

    def handle(_number: int, frame: FrameType | None) -> None:
        if _is_importing(frame) and hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, handle)
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        else:
            end()

    signal.signal(number, handle)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTS):
            return True
        frame = frame.f_back
    return False


def _interrupt() -> None:
    raise KeyboardInterrupt
