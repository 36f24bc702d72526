"""The run itself: all servers alive at once and asked in turn, so that what slows the machine slows all alike."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from functools import partial

from benchmarks import asks
from benchmarks.capture import Captured
from benchmarks.peers import PEERS, asked
from benchmarks.peers.peer import Peer, Place
from benchmarks.plan import Plan
from benchmarks.processes import Failed
from benchmarks.server import Asked, Measured, Server

Say = Callable[[str], None]


class Race:
    """One run. Shape: `results` by server; `peers` and `servers` are those still in it."""

    def __init__(self, names: Iterable[str], place: Place, captured: Captured, plan: Plan, say: Say) -> None:
        self.results = {name: Measured(name, asks={ask: Asked() for ask in asked(name)}) for name in names}
        self.peers: dict[str, Peer] = {}
        self.servers: dict[str, Server] = {}
        self.place, self.rows, self.plan, self.say = place, captured.rows, plan, say

    def run(self) -> list[Measured]:
        """Measure all; who cannot be had, or answers wrongly, is told as such and left out from then on."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {self.plan.client_core})  # the server's core is its own while we wait for it, too
        try:
            self._measure_all()
        finally:
            os.sched_setaffinity(0, before)
            for server in self.servers.values():  # all at once, and then each
                server.process.signal(signal.SIGTERM)
            for server in self.servers.values():
                server.process.stop()
        return list(self.results.values())

    def _measure_all(self) -> None:
        for name in self.results:
            self._step(name, "is prepared", self._prepare)
        for number in range(1, self.plan.starts + 1):
            for name in list(self.peers):
                self._step(name, f"start {number} of {self.plan.starts}", self._start_once)
        for name in list(self.peers):
            self._step(name, "starts and warms up", self._line_up)
        for number in range(1, self.plan.rounds + 1):
            for ask in self.rows:
                self._round(ask, f"round {number} of {self.plan.rounds}, {ask}")
        for name in list(self.servers):
            self._step(name, "last questions", self._finish)

    def _step(self, name: str, words: str, act: Callable[[str], None]) -> None:
        self.say(f"{name}: {words}")
        try:
            act(name)
        except Failed as failure:
            result = self.results[name]
            result.state, result.why = ("failed" if name in self.peers else "missing"), str(failure)
            self.say(f"{name}: {result.state}: {failure}")
            self.peers.pop(name, None)
            if name in self.servers:
                self.servers.pop(name).process.stop()

    def _prepare(self, name: str) -> None:
        peer = PEERS[name](self.place)
        self.results[name].version = peer.version
        self.peers[name] = peer

    def _start_once(self, name: str) -> None:
        with self._server(name) as server:
            self.results[name].first_answer_s.append(server.await_answer())

    def _line_up(self, name: str) -> None:
        server = self.servers[name] = self._server(name)
        server.await_answer()
        least_s = self.plan.search_s if "search" in server.peer.asks else 0
        server.warm(self.rows, max(self.plan.warm_s, least_s), self.plan.client_core)

    def _server(self, name: str) -> Server:
        return Server(self.peers[name], self.place.folder, self.plan.server_core)

    def _round(self, ask: str, words: str) -> None:
        """Ask all servers the same, one right after the other."""
        for name, server in list(self.servers.items()):
            if ask in server.peer.asks:
                self._step(name, words, partial(self._measure, ask))

    def _measure(self, ask: str, name: str) -> None:
        plan = self.plan
        # The slowest server answers some twenty searches a second, so a shorter run would count too few.
        least_s = plan.search_s if ask == "search" else 0
        times = {"seconds": max(plan.seconds, least_s), "latency_s": max(plan.latency_s, least_s / 2)}
        into = self.results[name].asks[ask]
        self.servers[name].measure(ask, self.rows[ask], into, **times, core=plan.client_core)

    def _finish(self, name: str) -> None:
        server, result = self.servers[name], self.results[name]
        result.resident_mb = server.process.resident_mb()
        if "search" in server.peer.asks:
            prefix = server.peer.asks["search"].path.removesuffix(asks.RUNS_SEARCH)
            different = [asks.search(prefix, below=1.6 + number / 1000) for number in range(self.plan.searches)]
            result.distinct_s = [server.once(ask, len(self.rows["search"])) for ask in different]
