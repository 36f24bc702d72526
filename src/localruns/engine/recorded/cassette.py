"""A recording that is played back: the recorded answer to a request that asks the same."""

from __future__ import annotations

import difflib
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from localruns.engine.message import Request
from localruns.engine.recorded.exchange import Exchange
from localruns.engine.recorded.matching import differences, parts
from localruns.engine.recorded.recording import Head, Reader
from localruns.engine.recorded.stand_ins import Key, StandIn, StandIns

_MAX_LINE = 200


class Plays:
    """How far one client has come in a cassette: how often each exchange was played, by its index.

    Shape: `bound` is by text with a placeholder what the client sends in its place. Each namespace has its own plays,
    so that any number of them can share a cassette.
    """

    __slots__ = ("bound", "lock", "played", "position", "turns")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.position = 0
        self.bound: dict[str, str] = {}
        self.turns: Counter[int] = Counter()
        self.played: Counter[int] = Counter()


@dataclass(frozen=True, slots=True)
class Miss:
    """A request that no recorded one equals.

    Shape: `words` say which recorded request is nearest and what differs; `nearest` is that exchange's index, None in
    an empty recording.
    """

    words: str
    nearest: int | None = None


class Cassette:
    """The exchanges of a recording, found by what their requests ask. It does not change; `Plays` do.

    `in_order`: a request is held against the next exchange only. `by_content`: equal requests are answered in their
    recorded order, and once all their answers have been played the last of them stays.
    """

    def __init__(self, head: Head, exchanges: Iterable[Exchange]) -> None:
        self.head = head
        self.exchanges: Sequence[Exchange] = tuple(exchanges)
        self._in_order = head.replay == "in_order"
        self._keys: list[Key] = []
        self._alike: dict[Key, list[int]] = {}
        for index, exchange in enumerate(self.exchanges):
            alike = self._alike.setdefault(key := self.key(exchange.request), [])
            alike.append(index)
            # One key for all that are alike: a long recording asks the same again and again.
            self._keys.append(key if len(alike) == 1 else self._keys[alike[0]])
        self._stand_ins = StandIns(self._alike)

    @classmethod
    def load(cls, path: Path, content: bytes | None = None) -> Cassette:
        """The cassette of a recording's file, or of its `content`. Raises ConfigError, a line per problem."""
        reader = Reader(path, content)
        exchanges = list(reader)
        return cls(reader.head, exchanges)

    def plays(self) -> Plays:
        """A fresh state of play, nothing played yet."""
        return Plays()

    def find(self, request: Request, plays: Plays) -> Exchange | Miss:
        """The recorded exchange that answers a request, counted as played; or what is wrong with the request."""
        found = self.take(self.key(request), plays)
        return found if isinstance(found, Miss) else self.exchanges[found]

    def key(self, request: Request) -> Key:
        """What of a request counts here."""
        return frozenset(parts(request, self.head.match_on).items())

    def take(self, key: Key, plays: Plays) -> int | Miss:
        """The index of the exchange that answers a request of that key, counted as played."""
        with plays.lock:
            fitting = self._fitting(key, plays)
            index = self._next(fitting.key, plays)
            if index is not None:
                plays.bound.update(fitting.bound)
                plays.position += self._in_order
                plays.turns[self._alike[fitting.key][0]] += 1
                plays.played[index] += 1
                return index
            position = plays.position
        return self._miss(key, position)

    def peek(self, key: Key, plays: Plays) -> int | None:
        """The index that `take` would come to, which is not counted; None for a miss."""
        with plays.lock:
            return self._next(self._fitting(key, plays).key, plays)

    def unplayed(self, plays: Plays) -> list[int]:
        """The indexes of the exchanges that have not been played."""
        with plays.lock:
            return [index for index in range(len(self.exchanges)) if index not in plays.played]

    def line(self, index: int) -> str:
        """`GET /api/v1/runs?PageSize=10` of a recorded request."""
        request = self.exchanges[index].request
        line = f"{request.method} {request.target}"
        return line if len(line) <= _MAX_LINE else f"{line[: _MAX_LINE - 3]}..."

    def _fitting(self, key: Key, plays: Plays) -> StandIn:
        """The recorded request that a request equals, or may stand for; itself when there is none."""
        return (None if key in self._alike else self._stand_ins.find(key, plays.bound)) or StandIn(key)

    def _next(self, key: Key, plays: Plays) -> int | None:
        if self._in_order:
            due = self._keys[plays.position : plays.position + 1]
            return plays.position if due == [key] else None
        alike = self._alike.get(key, ())
        return alike[min(plays.turns[alike[0]], len(alike) - 1)] if alike else None

    def _miss(self, key: Key, position: int) -> Miss:
        if not self._keys:
            return Miss("the recording holds no exchanges")
        if not self._in_order:
            nearest = self._nearest(key)
            return Miss(f"no recorded request equals this one, {self._told('nearest', nearest, key)}", nearest)
        if position == len(self._keys):
            return Miss(f"all {len(self._keys)} exchanges have been played, in order, and this is one request more")
        words = f"it is not its turn, {self._told('next', position, key)}"
        if others := self._alike.get(key):
            words += f"; it equals exchange {others[0] + 1}"
        return Miss(words, position)

    def _told(self, which: str, index: int, key: Key) -> str:
        differing = "; ".join(differences(dict(key), dict(self._keys[index])))
        return f"the {which} is exchange {index + 1}, {self.line(index)}: {differing}"

    def _nearest(self, key: Key) -> int:
        """The exchange that differs in the fewest parts, of the same path if there is one, else of the likest."""
        path = dict(key).get(("path",))
        paths = {dict(other).get(("path",)) for other in self._alike}
        if path not in paths:
            named = {"/".join(map(str, other)): other for other in paths if isinstance(other, tuple)}
            close = difflib.get_close_matches("/".join(path) if isinstance(path, tuple) else "", named, 1, 0)
            path = named[close[0]] if close else path
        item = (("path",), path)
        return self._alike[min(self._alike, key=lambda other: (item not in other, len(key ^ other)))][0]
