"""Parts of exchanges as other programs write them, read without trust in a single one."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from localruns.engine.recorded.exchange import Exchange, reply_from, request_from

MAX_BODY_BYTES = 256 * 1024 * 1024
_METHOD = re.compile(r"[A-Za-z]{1,20}")
_FOR_URLS = str.maketrans("-_", "+/")
_GONE = ("content-encoding", "content-length", "transfer-encoding")
_WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}

Pairs = list[tuple[str, str]]


class Unreadable(ValueError):
    """What a foreign exchange lacks, in words that quote nothing of it."""


def mapping(value: Any) -> Mapping[str, Any]:
    """The value as a mapping, empty when it is none."""
    return value if isinstance(value, Mapping) else {}


def words(value: Any) -> str:
    """The value as text, empty when it is none."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> float:
    """The value as a number of at least 0; 0 when it is none."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
    return float(value) if good else 0.0


def status(value: Any) -> int:
    """An HTTP status, 0 when it is none."""
    text = str(value)
    return int(text) if re.fullmatch(r"[1-9][0-9]{2}", text) else 0


def headers(pairs: Iterable[tuple[Any, Any]]) -> Pairs:
    """Headers of any version of HTTP as those of version 1.1: what `:authority` says is the host."""
    found: Pairs = []
    authority = ""
    for name, value in pairs:
        if not isinstance(name, str) or not isinstance(value, str):
            continue
        if name.startswith(":"):
            authority = value if name == ":authority" else authority
        elif name:
            found.append((name.lower(), value))
    if authority and not any(name == "host" for name, _ in found):
        found.insert(0, ("host", authority))
    return found


def target_of(url: Any) -> tuple[str, str]:
    """(path and query as they were sent, host) of a URL. Raises Unreadable."""
    text = words(url).strip()
    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        raise Unreadable("without a URL that can be read") from None
    if parts.scheme not in ("http", "https", "") or not (host or text.startswith("/")):
        raise Unreadable("of another scheme than HTTP")
    rest = text.partition("#")[0]
    if host:
        rest = rest.partition("://")[2] or rest.removeprefix("//")
        rest = rest[min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest)) :]
    return (rest if rest.startswith("/") else f"/{rest}"), host


def form(params: Any) -> bytes:
    """A form's parameters, `name` and `value` each, as a body."""
    pairs = [(words(mapping(each).get("name")), words(mapping(each).get("value"))) for each in params]
    return urlencode(pairs).encode("utf-8", "replace")


def from_base64(text: str) -> bytes:
    """The bytes, from the alphabet for URLs and without padding too. Raises Unreadable."""
    plain = "".join(text.split()).translate(_FOR_URLS).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("with a body that is no base64") from None


def exchange(
    method: Any,
    url: Any,
    asked: tuple[Pairs, bytes],
    answered: tuple[int, Pairs, bytes],
    at: str = "",
    took_ms: float = 0.0,
    failed: str = "",
) -> Exchange:
    """The exchange of these parts, its body decompressed. Raises Unreadable."""
    if not _METHOD.fullmatch(words(method)):
        raise Unreadable("without an HTTP method")
    target, host = target_of(url)
    sent, body = asked
    if host and not any(name == "host" for name, _ in sent):
        sent = [("host", host), *sent]
    code, received, content = answered
    content = plain(content, received)
    received = [pair for pair in received if pair[0] not in _GONE]
    if not 100 <= code <= 999:
        raise Unreadable("without an answer")
    return Exchange(request_from(method, target, sent, body), reply_from(code, received, content), at, took_ms, failed)


def plain(body: bytes, named: Pairs) -> bytes:
    """The body decompressed, where it is compressed at all: most programs write it as it reads. Raises Unreadable."""
    encodings = [value for name, value in named if name == "content-encoding"]
    steps = [step.strip().lower() for value in encodings for step in value.split(",")]
    for step in reversed(steps):
        if step in _WBITS:
            body = _inflated(body, step)
        elif step not in ("", "identity") and not _reads(body):
            raise Unreadable(f"compressed with {step if len(step) < 10 else 'something'}, which cannot be read here")
    return body


def _inflated(body: bytes, step: str) -> bytes:
    if _reads(body) or (step != "deflate" and not body.startswith(b"\x1f\x8b")):
        return body
    for wbits in (_WBITS[step], -15) if step == "deflate" else (_WBITS[step],):
        packer = zlib.decompressobj(wbits)
        try:
            result = packer.decompress(body, MAX_BODY_BYTES)
        except zlib.error:
            continue
        if packer.unconsumed_tail:
            raise Unreadable(f"with a body of over {MAX_BODY_BYTES:,} bytes")
        if not packer.eof:
            raise Unreadable("with a compressed body that is cut")
        return result
    raise Unreadable("with a compressed body that is damaged")


def _reads(body: bytes) -> bool:
    """Whether a body is JSON or empty by its first character, so that nothing is left to decompress."""
    return body.lstrip()[:1] in (b"", b"{", b"[")


def flat(named: Any) -> Iterator[tuple[Any, Any]]:
    """Headers written as a mapping, each value a text or a list of texts."""
    for name, value in mapping(named).items():
        for each in value if isinstance(value, list) else (value,):
            yield name, each.decode("latin-1") if isinstance(each, bytes) else each


def host_of(url: Any) -> str:
    """The host of a URL, for lists of what is left out; "" where there is none."""
    try:
        return target_of(url)[1]
    except Unreadable:
        return ""
