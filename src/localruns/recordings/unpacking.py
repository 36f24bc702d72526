"""Bodies as they are recorded: decompressed, and without the headers that only concern how they travelled."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import replace

from localruns.engine.recorded.exchange import Exchange

MAX_BYTES = 64 * 1024 * 1024
KNOWN = ("gzip", "x-gzip", "deflate", "identity")
HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade")
)  # fmt: skip
_WAYS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}

Headers = tuple[tuple[str, str], ...]


class Unreadable(Exception):
    """A body that cannot be recorded, in words."""


def end_to_end(headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers that are meant for the other end, not for the next station."""
    pairs = tuple(headers)
    named = {item.strip().lower() for name, value in pairs if name.lower() == "connection" for item in value.split(",")}
    return tuple((name, value) for name, value in pairs if name.lower() not in HOP_BY_HOP | named)


def unpacked(exchange: Exchange) -> Exchange:
    """The exchange with both bodies decompressed. Raises Unreadable."""
    request, reply = exchange.request, exchange.reply
    asked, answered = (
        _plain(request.headers, request.body, "request"),
        _plain(reply.headers, reply.raw, "answer", cut=bool(exchange.failed)),
    )
    headers = tuple((name, value) for name, value in answered[0] if name != "content-length")
    return replace(
        exchange,
        request=replace(request, headers=asked[0], body=asked[1]),
        reply=replace(reply, headers=headers, raw=answered[1]),
    )


def _plain(headers: Headers, body: bytes, what: str, *, cut: bool = False) -> tuple[Headers, bytes]:
    headers = end_to_end(headers)
    listed = ",".join(value for name, value in headers if name == "content-encoding")
    encodings = [part.strip().lower() for part in listed.split(",") if part.strip()]
    if not encodings or not body:
        return headers, body
    for encoding in reversed(encodings):
        if encoding not in KNOWN:
            raise Unreadable(f"the {what}'s body is encoded as {encoding[:40]!r}, expected gzip or deflate")
        body = _inflated(body, _WAYS[encoding], what, cut) if encoding in _WAYS else body
    return tuple((name, value) for name, value in headers if name != "content-encoding"), body


def _inflated(body: bytes, ways: tuple[int, ...], what: str, cut: bool) -> bytes:
    for bits in ways:
        unzip = zlib.decompressobj(bits)
        try:
            plain = unzip.decompress(body, MAX_BYTES + 1)
        except zlib.error:
            continue
        if len(plain) > MAX_BYTES:
            raise Unreadable(f"the {what}'s body holds over {MAX_BYTES // 1024**2} MB")
        if unzip.eof or cut:
            return plain
    raise Unreadable(f"the {what}'s body is not what its content-encoding says")
