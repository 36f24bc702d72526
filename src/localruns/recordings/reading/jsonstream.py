"""Reads a JSON file whose one long list is too large to be held at once, item by item."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import IO, Any

MAX_DEPTH = 100
MAX_DIGITS = 4_000
_STEP = 400
_ENDLESS = re.compile(rb"[\s:,\[-][0-9]{%d}" % MAX_DIGITS)
_MANY = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS // _STEP - 1))
_ENDS = {"start_map": "end_map", "start_array": "end_array"}


class Damaged(Exception):
    """The file is no JSON from some place on; `cut`: it ends too early."""

    def __init__(self, words: str, cut: bool = False) -> None:
        super().__init__(words)
        self.cut = cut


Events = Iterator[tuple[str, Any]]


class _Bounded:
    """A file that breaks off before a number too long to be read: the parser, which is written in C, crashes on one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._last = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises Damaged."""
        found = self._file.read(size)
        seen = self._last + found
        # So many digits in a row would stand at every step of the way, too: a look that costs next to nothing.
        if _MANY.search(seen[::_STEP]) and _ENDLESS.search(seen):
            raise Damaged(f"a number of more than {MAX_DIGITS:,} digits follows")
        self._last = seen[-MAX_DIGITS - 1 :]
        return found


def first_keys(file: IO[bytes]) -> Iterator[str]:
    """The keys of the outermost mapping, in order; none for another value. Raises Damaged."""
    events = _events(file)
    if next(events, ("", None))[0] != "start_map":
        return
    for event, key in events:
        if event == "map_key":
            yield key
            _skip(events, next(events))


def items(file: IO[bytes], path: Sequence[str]) -> Iterator[Any]:
    """The items of the list at `path`, keys from the outside in, each built and let go. Raises Damaged."""
    events = _events(file)
    first = next(events, ("", None))
    yield from _within(events, first, tuple(path))
    for _ in events:  # so that damage behind the list is known
        pass


def _within(events: Events, first: tuple[str, Any], path: tuple[str, ...]) -> Iterator[Any]:
    """The items of the list that is at `path` within the value that begins with `first`."""
    if path and first[0] == "start_map":
        for event, key in events:
            if event == "end_map":
                return
            inner = next(events)
            if key == path[0]:
                yield from _within(events, inner, path[1:])
            else:
                _skip(events, inner)
    elif not path and first[0] == "start_array":
        for inner in events:
            if inner[0] == "end_array":
                return
            yield _value(events, inner, 0)
    else:
        _skip(events, first)


def _events(file: IO[bytes]) -> Events:
    """The parser's events. Raises Damaged, whose words quote nothing: what is cut may be a secret."""
    import ijson

    try:
        yield from ijson.basic_parse(_Bounded(file))
    except ijson.JSONError as error:
        cut = "premature EOF" in str(error)
        raise Damaged("the JSON ends too early" if cut else "what follows is no JSON", cut) from None
    except (UnicodeError, ValueError, ArithmeticError):
        raise Damaged("what follows is no JSON") from None


def _skip(events: Events, first: tuple[str, Any]) -> None:
    """Pass over the rest of a value."""
    depth = int(first[0] in _ENDS)
    while depth:
        event = next(events)[0]
        depth += (event in _ENDS) - event.startswith("end_")


def _value(events: Events, first: tuple[str, Any], depth: int) -> Any:
    event, value = first
    if depth > MAX_DEPTH:
        raise Damaged(f"the JSON is nested deeper than {MAX_DEPTH} levels")
    if event == "start_map":
        return {key: _value(events, next(events), depth + 1) for key in _keys(events)}
    if event == "start_array":
        found = []
        for inner in events:
            if inner[0] == "end_array":
                break
            found.append(_value(events, inner, depth + 1))
        return found
    return float(value) if isinstance(value, Decimal) else value


def _keys(events: Events) -> Iterator[str]:
    for event, key in events:
        if event == "end_map":
            return
        yield key
