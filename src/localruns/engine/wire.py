"""Wire faults: what goes wrong with the bytes of an answer. The engine writes the plan down, the edge carries it out.

A plan turns the finished head and body of an answer into actions. Counts of bytes are counts of the whole answer, head
included, but for `truncate_body_after_bytes`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Any, Literal

from localruns.engine.draw import Draw

# What a server that is not ours can carry out too: it hands on other bytes, and no more.
WITHOUT_SOCKET = ("content_type", "invalid_json", "gzip_mislabelled", "garbage_bytes")
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
    """Close the connection, reset it, or leave it hanging until the client goes."""

    how: Literal["close", "reset", "hang"]


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
    def breaks(self) -> bool:
        """Whether the client cannot get the answer whole."""
        return bool(self.spec.keys() - {"latency_ms", "bandwidth_bytes_per_s", "dribble"})

    def rewrite(self, headers: list[tuple[str, str]], body: bytes) -> tuple[list[tuple[str, str]], bytes]:
        """Headers and body with the changes that need no socket."""
        if "invalid_json" in self.spec:
            body = body[:-1] + b","
        if "garbage_bytes" in self.spec:
            body = bytes.fromhex(Draw(*self.parts, "garbage").hex(2 * self.spec["garbage_bytes"]))
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
        if "malformed_chunk" in spec:
            wire = _malformed(wire)
        head = wire.index(b"\r\n\r\n") + 4
        end: End | None = End("close") if "malformed_chunk" in spec else None
        for name, how, after in (
            ("truncate_body_after_bytes", "close", head),
            ("stall_after_bytes", "hang", 0),
            ("reset_after_bytes", "reset", 0),
        ):
            if name in spec:
                wire, end = wire[: after + spec[name]], End(how)  # type: ignore[arg-type]
        yield from self._paced(wire)
        if end is not None:
            yield end

    def _paced(self, wire: bytes) -> Iterator[Action]:
        size, every_s = len(wire), 0.0
        if "dribble" in self.spec:
            size, every_s = self.spec["dribble"]["bytes"], self.spec["dribble"]["every_ms"] / 1000
        elif "bandwidth_bytes_per_s" in self.spec:
            size = max(1, int(self.spec["bandwidth_bytes_per_s"] * _SLICE_S))
            every_s = size / self.spec["bandwidth_bytes_per_s"]
        for start in range(0, len(wire), max(1, size)):
            if start and every_s:
                yield Wait(every_s)
            yield Send(wire[start : start + size])

    def _latency_s(self, given: float | Mapping[str, Any]) -> float:
        if not isinstance(given, Mapping):
            return float(given) / 1000
        draw = Draw(*self.parts, "latency")
        if "uniform" in given:
            low, high = given["uniform"]
            return float(low + (high - low) * draw.unit()) / 1000
        # The sum of twelve even draws is close to a normal one, and the same on every machine.
        normal = sum(draw.unit() for _ in range(12)) - 6
        return exp(log(given["lognormal"]["median"]) + given["lognormal"]["sigma"] * normal) / 1000


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
