"""Wire faults: what goes wrong with the bytes of an answer. The engine writes the plan down, the edge carries it out.

A plan turns the finished head and body of an answer into actions. Counts of bytes are counts of the whole answer, head
included, but for `truncate_body_after_bytes`. Several keys act together: the content is changed, then waited for,
then paced, then cut off where the first of the cuts falls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Any, Literal

from localruns.engine.draw import Draw, digest

How = Literal["close", "reset", "hang"]

# What a server that is not ours can carry out too: it hands on other bytes, and no more.
WITHOUT_SOCKET = ("content_type", "invalid_json", "gzip_mislabelled", "garbage_bytes")
# What leaves nothing that could be read, though all of it arrives.
SPOILING = frozenset({"invalid_json", "gzip_mislabelled", "garbage_bytes"})
# Where the answer ends early: what then becomes of the connection.
CUTS: Mapping[str, How] = {
    "truncate_body_after_bytes": "close",
    "stall_after_bytes": "hang",
    "reset_after_bytes": "reset",
}
MAX_WAIT_S = 3600.0
_BLOCK = 64
_SLICE_S = 0.05


@dataclass(frozen=True, slots=True)
class Send:
    """Write these bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while. Units: seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class End:
    """Close the connection, reset it, or leave it hanging until the client goes; `whole`: all was sent before."""

    how: How
    whole: bool = False


Action = Send | Wait | End


@dataclass(frozen=True, slots=True)
class WirePlan:
    """One answer's wire fault. Shape: `spec` as in the scenario, `parts` what its random choices depend on."""

    spec: Mapping[str, Any]
    parts: tuple[str | int, ...]

    @property
    def needs_socket(self) -> list[str]:
        """The parts that only our own server can carry out."""
        return [name for name in self.spec if name not in WITHOUT_SOCKET]

    @property
    def spoils(self) -> bool:
        """Whether what arrives cannot be read; whether all of it arrives is known once it has been sent."""
        return not SPOILING.isdisjoint(self.spec)

    @property
    def doubtful(self) -> bool:
        """Whether some clients take the answer and some do not."""
        return "content_type" in self.spec

    def over(self, earlier: WirePlan | None) -> WirePlan:
        """This plan and an earlier one of the same call together; where both name the same, the earlier wins."""
        return self if earlier is None else WirePlan({**self.spec, **earlier.spec}, self.parts)

    def rewrite(self, headers: list[tuple[str, str]], body: bytes) -> tuple[list[tuple[str, str]], bytes]:
        """Headers and body with the changes that need no socket."""
        if "invalid_json" in self.spec:
            body = body[:-1] + b","
        if "garbage_bytes" in self.spec:
            body = self._garbage(self.spec["garbage_bytes"])
        if "content_type" in self.spec:
            headers = [*_without(headers, "content-type"), ("Content-Type", self.spec["content_type"])]
        if "gzip_mislabelled" in self.spec:
            headers = [*headers, ("Content-Encoding", "gzip")]
        return [*_without(headers, "content-length"), ("Content-Length", str(len(body)))], body

    def script(self, wire: bytes) -> Iterator[Action]:
        """What the edge does, in order, with the bytes of the answer."""
        spec = self.spec
        if "latency_ms" in spec:
            yield Wait(self._latency_s(spec["latency_ms"]))
        if "empty_reply" in spec:
            yield End("close")
            return
        malformed = "malformed_chunk" in spec
        if malformed:
            wire = _malformed(wire)
        at, how = self._cut(wire)
        yield from self._paced(wire[:at])
        if how is not None or malformed:
            yield End(how or "close", whole=at >= len(wire) and not malformed)

    def _cut(self, wire: bytes) -> tuple[int, How | None]:
        """Where the answer ends early, and how; its length and None when it does not. Units: bytes."""
        body = wire.index(b"\r\n\r\n") + 4
        starts = {"truncate_body_after_bytes": body}
        cuts = [(starts.get(name, 0) + self.spec[name], how) for name, how in CUTS.items() if name in self.spec]
        return min(cuts, key=lambda cut: cut[0], default=(len(wire), None))

    def _garbage(self, size: int) -> bytes:
        blocks = (digest(*self.parts, "garbage", number, size=_BLOCK) for number in range(-(-size // _BLOCK)))
        return b"".join(blocks)[:size]

    def _paced(self, wire: bytes) -> Iterator[Action]:
        if "dribble" in self.spec:
            size, every_s = self.spec["dribble"]["bytes"], self.spec["dribble"]["every_ms"] / 1000
            for start in range(0, len(wire), size):
                if start:
                    yield Wait(every_s)
                yield Send(wire[start : start + size])
        elif "bandwidth_bytes_per_s" in self.spec:
            bytes_per_s = self.spec["bandwidth_bytes_per_s"]
            size = max(1, int(bytes_per_s * _SLICE_S))
            for start in range(0, len(wire), size):
                piece = wire[start : start + size]
                yield Wait(len(piece) / bytes_per_s)
                yield Send(piece)
        elif wire:
            yield Send(wire)

    def _latency_s(self, given: float | Mapping[str, Any]) -> float:
        if not isinstance(given, Mapping):
            return float(given) / 1000
        draw = Draw(*self.parts, "latency")
        if "uniform" in given:
            low, high = given["uniform"]
            return float(low + (high - low) * draw.unit()) / 1000
        # The sum of twelve even draws is close to a normal one, and the same on every machine.
        normal = sum(draw.unit() for _ in range(12)) - 6
        return min(exp(log(given["lognormal"]["median"]) + given["lognormal"]["sigma"] * normal) / 1000, MAX_WAIT_S)


def _without(headers: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    return [(key, value) for key, value in headers if key.lower() != name]


def _malformed(wire: bytes) -> bytes:
    """The answer as a chunked one whose chunk size is not a number."""
    head, _, body = wire.partition(b"\r\n\r\n")
    head = re.sub(rb"(?i)\r\ncontent-length:[^\r]*", b"", head)
    return head + b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + body + b"\r\n0\r\n\r\n"


def words(spec: Mapping[str, Any]) -> str:
    """`reset_after_bytes 100` for the journal."""
    return ", ".join(name if value is True else f"{name} {json.dumps(value)}" for name, value in spec.items())
