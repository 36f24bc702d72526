"""The key of this machine's placeholders: made once, kept in the cache, readable by its owner alone."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from functools import cache as once
from pathlib import Path

_BYTES = 32
_log = logging.getLogger("localruns.redaction")


def redaction_key(cache: Path) -> bytes:
    """The key that is kept in the cache folder; it is made when there is none.

    A cache that cannot be written costs one warning; the key then lasts as long as the process.
    """
    place = cache / "redaction.key"
    try:
        return _read(place) or _made(place)
    except OSError as error:
        words = "placeholders of this run will not equal those of others"
        _log.warning("%s: cannot be kept: %s; %s", place, error.strerror or error, words)
        return _passing()


def _read(place: Path) -> bytes:
    """The key in a file, nothing when there is none or not a whole one."""
    try:
        found = place.read_bytes()
    except FileNotFoundError:
        return b""
    return found if len(found) == _BYTES else b""


def _made(place: Path) -> bytes:
    """A key that whoever comes second finds, too."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(_BYTES))
        _put(name, place)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    return _read(place)


def _put(name: str, place: Path) -> None:
    try:
        os.link(name, place)
    except FileExistsError:
        if not _read(place):  # what stands there is no key
            os.replace(name, place)
    except OSError:  # a file system without links
        os.replace(name, place)


@once
def _passing() -> bytes:
    return os.urandom(_BYTES)
