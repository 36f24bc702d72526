"""What a wire fault does with the bytes of an answer, as the edge is told; and which cannot be."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localruns.engine.faults.rules import breaches, shadowed
from localruns.engine.faults.wire import End, Send, Wait, WirePlan
from localruns.vendors import all_vendors

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
WIRE = HEAD + b"x" * 20
VENDOR = "palantir-foundry"


def script(wire: bytes = WIRE, call: int = 1, **spec: Any) -> tuple[bytes, float, End | None]:
    """What is sent, how long is waited, and the end, if there is one of its own."""
    actions = list(WirePlan(spec, (1, "default", VENDOR, call)).script(wire))
    ends = [each for each in actions if isinstance(each, End)]
    assert ends in ([], actions[-1:])
    sent = b"".join(each.data for each in actions if isinstance(each, Send))
    return sent, sum(each.seconds for each in actions if isinstance(each, Wait)), ends[0] if ends else None


@given(st.integers(1, 200), st.floats(0.001, 3_600_000))
def test_a_dribbled_answer_is_whole_and_waits_between_its_pieces(size: int, every_ms: float) -> None:
    sent, waited_s, end = script(dribble={"bytes": size, "every_ms": every_ms})
    assert (sent, end) == (WIRE, None)
    assert waited_s == pytest.approx((-(-len(WIRE) // size) - 1) * every_ms / 1000)


@given(st.integers(1, 10**9))
def test_a_bandwidth_is_kept_by_short_answers_too(bytes_per_s: int) -> None:
    sent, waited_s, end = script(bandwidth_bytes_per_s=bytes_per_s)
    assert (sent, end) == (WIRE, None)
    assert waited_s == pytest.approx(len(WIRE) / bytes_per_s)


@given(st.integers(1, 10**6), st.floats(0, 3_600_000), st.floats(0, 3_600_000))
def test_a_latency_keeps_to_its_bounds(call: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    waited_s = script(call=call, latency_ms={"uniform": [low, high]})[1]
    assert low / 1000 <= waited_s * (1 + 1e-9)
    assert waited_s <= high / 1000 * (1 + 1e-9)


def test_a_lognormal_latency_has_its_median_and_a_tail_that_ends() -> None:
    drawn = sorted(script(call=call, latency_ms={"lognormal": {"median": 100, "sigma": 1}})[1] for call in range(2001))
    assert drawn[1000] == pytest.approx(0.1, rel=0.1)
    assert drawn[1682] == pytest.approx(0.1 * 2.718, rel=0.15)
    wild = {"lognormal": {"median": 3_600_000, "sigma": 4}}
    assert max(script(call=call, latency_ms=wild)[1] for call in range(100)) == 3600


@pytest.mark.parametrize(
    ("spec", "sent", "end"),
    [
        ({"truncate_body_after_bytes": 0}, HEAD, End("close")),
        ({"truncate_body_after_bytes": 19}, WIRE[:-1], End("close")),
        ({"truncate_body_after_bytes": 20}, WIRE, End("close", whole=True)),
        ({"reset_after_bytes": 0}, b"", End("reset")),
        ({"reset_after_bytes": 5, "stall_after_bytes": 4}, WIRE[:4], End("hang")),
        ({"reset_after_bytes": len(HEAD) + 3, "truncate_body_after_bytes": 2}, WIRE[: len(HEAD) + 2], End("close")),
        ({"stall_after_bytes": 999}, WIRE, End("hang", whole=True)),
        ({"empty_reply": True, "latency_ms": 3}, b"", End("close")),
        ({"malformed_chunk": True, "reset_after_bytes": 999}, None, End("reset")),
        ({"latency_ms": 3}, WIRE, None),
    ],
    ids=str,
)
def test_where_an_answer_ends_and_whether_it_was_whole(spec: dict[str, Any], sent: bytes | None, end: End) -> None:
    found = script(**spec)
    assert found[2] == end
    assert sent in (None, found[0])


def test_a_malformed_chunk_stands_in_an_answer_that_is_chunked() -> None:
    sent, _, end = script(malformed_chunk=True)
    assert sent.startswith(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxxx")
    assert end == End("close")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a": "b"}'])
def test_what_is_spoilt_cannot_be_read(body: bytes) -> None:
    def rewritten(**spec: Any) -> tuple[dict[str, str], bytes]:
        headers, spoilt = WirePlan(spec, (1,)).rewrite([("Content-Type", "application/json")], body)
        assert dict(headers)["Content-Length"] == str(len(spoilt))
        return dict(headers), spoilt

    for spec in ({"invalid_json": True}, {"garbage_bytes": 300}):
        with pytest.raises(ValueError):  # noqa: PT011 - JSON or its encoding
            json.loads(rewritten(**spec)[1])
    headers, plain = rewritten(gzip_mislabelled=True)
    assert (headers["Content-Encoding"], plain) == ("gzip", body)
    if body:
        with pytest.raises(gzip.BadGzipFile):
            gzip.decompress(plain)
    assert len(rewritten(garbage_bytes=1_048_576)[1]) == 1_048_576


@pytest.mark.parametrize(
    ("wire", "path", "words"),
    [
        ({"latency_ms": {"uniform": [5, 4]}}, ("wire", "latency_ms", "uniform"), "the lower number first"),
        ({"dribble": {"bytes": 1, "every_ms": 1}, "bandwidth_bytes_per_s": 1}, ("wire", "dribble"), "one of them"),
        ({"empty_reply": True, "garbage_bytes": 1}, ("wire", "empty_reply"), "garbage_bytes, of which nothing"),
    ],
)
def test_parts_that_leave_no_room_for_each_other_are_refused(wire: Any, path: tuple[str, ...], words: str) -> None:
    (found,) = breaches({"when": {"vendor": VENDOR}, "wire": wire}, all_vendors(), [VENDOR])
    assert found[0] == path
    assert words in found[1]


def test_what_is_refused_anyway_can_still_meet_a_wire_fault() -> None:
    refusal = {"when": {"vendor": VENDOR}, "refuse": "throttled"}
    assert shadowed({"when": {"vendor": VENDOR}, "wire": {"latency_ms": 1}}, [refusal]) is None
    assert shadowed({"when": {"vendor": VENDOR, "page": 3}, "refuse": "forbidden"}, [refusal]) == 0
