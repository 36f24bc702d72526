"""Exchanges from a HAR 1.2 file, as browsers and proxies write it.

**Source**: HTTP Archive (HAR) 1.2 Spec; files of Chromium, Firefox and mitmproxy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import IO, Any

from localruns.clock import parse_time
from localruns.engine.recorded.exchange import Exchange
from localruns.recordings.reading import foreign
from localruns.recordings.reading.foreign import Unreadable, mapping, words
from localruns.recordings.reading.jsonstream import items
from localruns.recordings.reading.leftovers import Leftovers

PATH = ("log", "entries")
_ERROR = re.compile(r"(net::)?[A-Z_]{3,60}")
_ABORTED = ("ABORTED", "BLOCKED", "CORS")


def exchanges(file: IO[bytes], left: Leftovers) -> Iterator[Exchange | None]:
    """The exchanges, None for an entry that goes to `left`. Raises Damaged."""
    for entry in items(file, PATH):
        try:
            yield _exchange(mapping(entry))
        except Unreadable as error:
            left.add_host(f"entries {error}", foreign.host_of(mapping(mapping(entry).get("request")).get("url")))
            yield None


def _exchange(entry: Mapping[str, Any]) -> Exchange:
    asked, answered = mapping(entry.get("request")), mapping(entry.get("response"))
    status = foreign.status(answered.get("status"))
    failed = "" if status else _failure(answered, entry)
    sent = foreign.headers(_pairs(asked.get("headers")))
    received = foreign.headers(_pairs(answered.get("headers")))
    body = b"" if failed else _content(answered, status, str(asked.get("method")))
    return foreign.exchange(
        asked.get("method"),
        _url(asked),
        (sent, _posted(mapping(asked.get("postData")))),
        (status or 502, received, body),
        _at(words(entry.get("startedDateTime"))),
        foreign.number(entry.get("time")),
        failed,
    )


def _pairs(listed: Any) -> Iterator[tuple[str, str]]:
    """Headers; some programs list each twice, as it was meant and as it was sent."""
    pairs = [
        (mapping(each).get("name"), mapping(each).get("value")) for each in listed or () if isinstance(listed, list)
    ]
    return iter(dict.fromkeys((words(name), words(value)) for name, value in pairs))


def _url(asked: Mapping[str, Any]) -> str:
    """The URL; some programs leave the query to `queryString`."""
    url = words(asked.get("url"))
    listed = asked.get("queryString")
    if "?" not in url and isinstance(listed, list) and listed:
        url += "?" + foreign.form(listed).decode()
    return url


def _posted(data: Mapping[str, Any]) -> bytes:
    text, params = data.get("text"), data.get("params")
    if isinstance(text, str) and text:
        return _bytes(text, data.get("encoding", data.get("_encoding")))
    # A JSON body that a program took apart cannot be put together again: what was a list of one is not known.
    apart = "json" in words(data.get("mimeType"))
    return foreign.form(params) if isinstance(params, list) and params and not apart else b""


def _content(answered: Mapping[str, Any], status: int, method: str) -> bytes:
    content = mapping(answered.get("content"))
    text = content.get("text")
    if isinstance(text, str) and text:
        return _bytes(text, content.get("encoding"))
    if method == "OPTIONS" or status in (204, 304):
        return b""
    if foreign.number(content.get("size")) or (text is None and foreign.number(answered.get("bodySize"))):
        raise Unreadable("whose answer's content was not saved by the browser")
    return b""


def _bytes(text: str, encoding: Any) -> bytes:
    """A body as it was sent; the mark that some programs leave in front of a text is no part of it."""
    if words(encoding).lower() == "base64":
        return foreign.from_base64(text)
    return text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")


def _failure(answered: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """Why there is no answer. Raises Unreadable where it was the client's own doing, or nobody says."""
    for node, name in ((answered, "_error"), (entry, "_error"), (answered, "statusText"), (answered, "comment")):
        said = words(node.get(name))
        if not _ERROR.fullmatch(said):
            continue
        if any(mark in said for mark in _ABORTED):
            raise Unreadable("that the client broke off or blocked")
        return f"no answer came: {said}"
    raise Unreadable("without an answer")


def _at(text: str) -> str:
    """The time in UTC, "" when it is none."""
    try:
        return parse_time(text).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return ""
