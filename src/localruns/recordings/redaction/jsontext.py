"""JSON text read value by value and changed in place, so that all that is not changed keeps its bytes.

It is lenient: a text that breaks off in the middle is read as far as it goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

import orjson

_INSIDE = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_TOKEN = re.compile(
    rf'"(?P<text>{_INSIDE})"|(?P<open>"{_INSIDE}\\?\Z)|(?P<number>-?[0-9][0-9.eE+-]*)|(?P<mark>[{{}}\[\],])', re.DOTALL
)
_START = re.compile(r"\s*[\[{]")
_NAMES = ("key", "name")
DEEPEST = 100
_KEPT_LENGTH = 1_000_000
Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One text or number.

    Shape: `name` is what the value is called: its key, the key above a list, or in a pair such as `{"name": "x",
    "value": "y"}` the text beside it; `start` and `end` where it stands; `is_text` false for a number, `is_key` for a
    key itself.
    """

    path: Steps
    name: str
    value: str
    start: int
    end: int
    is_text: bool = True
    is_key: bool = False


@dataclass(slots=True)
class _Frame:
    """An object or a list that is open. Shape: `held` values of a pair whose name has not come yet."""

    name: str
    is_list: bool
    path: Steps = ()
    index: int = 0
    key: str | None = None
    pair: str | None = None
    held: list[Leaf] = field(default_factory=list)

    @property
    def at(self) -> Steps:
        """The path of a value at this place; where it is very deep, only its beginning."""
        if len(self.path) >= DEEPEST:
            return self.path
        return (*self.path, self.index if self.is_list else self.key or "")

    @property
    def calls(self) -> str:
        """What a value at this place is called."""
        if self.is_list:
            return self.name
        if self.pair is not None and (self.key or "").lower() == "value":
            return self.pair
        return self.key or ""


def is_json(text: str) -> bool:
    """Whether a text begins as a JSON object or list does."""
    return ("{" in text or "[" in text) and _START.match(text) is not None


def leaves(text: str | Iterable[str]) -> Iterator[Leaf]:
    """All texts and numbers of a JSON text, keys too, in about their order; the text may come in pieces."""
    frames: list[_Frame] = []
    for token, start in _tokens(iter([text] if isinstance(text, str) else text)):
        if mark := token["mark"]:
            yield from _turn(mark, frames)
            continue
        leaf = _leaf(frames, token, start)
        if leaf.is_key or not frames or frames[-1].is_list:
            yield leaf
            continue
        frame = frames[-1]
        key = (frame.key or "").lower()
        if key in _NAMES and leaf.is_text:
            frame.pair = leaf.value
        if key == "value" and frame.pair is None:
            frame.held.append(leaf)
        else:
            yield leaf
    while frames:
        yield from _let_go(frames.pop())


def edited(text: str, change: Callable[[Leaf], str]) -> str:
    """The text with the value that `change` gives for each leaf; a changed number must stay one."""
    pieces = []
    for leaf in _all_leaves(text) if len(text) < _KEPT_LENGTH else leaves(text):
        new = change(leaf)
        if new != leaf.value:
            pieces.append((leaf.start, leaf.end, quoted(new) if leaf.is_text else new))
    parts, at = [], 0
    for start, end, new in sorted(pieces):
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def quoted(value: str) -> str:
    """A text as JSON writes it."""
    return orjson.dumps(value.encode("utf-8", "replace").decode()).decode()


@lru_cache(2)
def _all_leaves(text: str) -> tuple[Leaf, ...]:
    """The leaves of a text; it is asked for them twice, to find its secrets and to replace them."""
    return tuple(leaves(text))


def _tokens(pieces: Iterator[str]) -> Iterator[tuple[re.Match[str], int]]:
    """Each token with its place in the whole text."""
    buffer, base, more = next(pieces, ""), 0, True
    while True:
        following = next(pieces, "") if more else ""
        more, at = bool(following), 0
        for token in _TOKEN.finditer(buffer):
            if more and (token["open"] or token.end() == len(buffer)):
                break
            yield token, base + token.start()
            at = token.end()
        if not more:
            return
        # What is left over is the beginning of a token, or nothing of interest.
        last = _TOKEN.search(buffer, at)
        at = last.start() if last else len(buffer)
        buffer, base = buffer[at:] + following, base + at


def _turn(mark: str, frames: list[_Frame]) -> Iterator[Leaf]:
    """Open or close an object or list, or go on to its next item."""
    if mark in "{[":
        above = frames[-1] if frames else None
        frames.append(_Frame(above.calls, mark == "[", above.at) if above else _Frame("", mark == "["))
    elif mark in "}]" and frames:
        yield from _let_go(frames.pop())
    elif frames:
        frames[-1].index += 1
        frames[-1].key = None


def _let_go(frame: _Frame) -> Iterator[Leaf]:
    for leaf in frame.held:
        yield replace(leaf, name=frame.pair or leaf.name)


def _leaf(frames: list[_Frame], token: re.Match[str], start: int) -> Leaf:
    number, end = token["number"], start + len(token[0])
    value = number or _unquoted(token["text"] if token["open"] is None else token["open"][1:])
    is_key = bool(frames) and not frames[-1].is_list and frames[-1].key is None and not number
    if is_key:
        frames[-1].key = value
    if not frames:
        return Leaf((), "", value, start, end, not number)
    return Leaf(frames[-1].at, "" if is_key else frames[-1].calls, value, start, end, not number, is_key)


def _unquoted(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        value: str = orjson.loads(f'"{text}"')
    except orjson.JSONDecodeError:  # lone surrogates, line feeds: not quite JSON, and still not to be let through
        return text
    return value
