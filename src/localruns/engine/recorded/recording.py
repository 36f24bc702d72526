"""A recording in its file: read exchange by exchange, written by adding to the end.

Each exchange is one item of the list that ends the file, and is added by one write, so that a process that dies loses
at most the exchange in flight. An item that is cut at the end of a file is left out with a warning.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from localruns import schemas, yamlio
from localruns.engine.message import Reply, Request
from localruns.engine.recorded.exchange import Exchange, reply_from, request_from
from localruns.errors import ConfigError
from localruns.yamlstream import Stream

SCHEMA = "recording.schema.json"
MAX_START_BYTES = 65_536
MATCH_ON = ("method", "path", "query", "body")
_EDITORS = "# yaml-language-server: $schema=../../schemas/recording.schema.json\n"
_END = re.compile(rb"\n  took_ms: [0-9][0-9.e+-]*\s*\Z")
_log = logging.getLogger("localruns.recording")


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the exchanges. Shape: as in `schemas/recording.schema.json`."""

    name: str
    about: str = ""
    match_on: Sequence[str] = MATCH_ON
    replay: str = "by_content"


def is_recording(path: Path) -> bool:
    """Whether the file's first key says that it is a recording; a file that cannot be read is none."""
    try:
        with path.open("rb") as file:
            start = file.read(MAX_START_BYTES)
    except OSError:
        return False
    return begins_recording(start)


def begins_recording(text: bytes) -> bool:
    """Whether the first key of a text, or of the start of one, says that it is a recording."""
    lines = text.removeprefix(BOM_UTF8).splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith((b"#", b"%", b"---"))), b"")
    return first.startswith((b"recording:", b'"recording":', b'{"recording"'))


class Reader:
    """The exchanges of a recording, one after the other; `head` is known from the first on.

    A recording that is in no file is read from `content`; `path` then stands for it in messages.
    Raises ConfigError, with file, line and key path, when iterated.
    """

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        self._path = path
        self._content = content
        self._stream: Stream | None = None
        self._file: IO[bytes] | None = None

    @property
    def head(self) -> Head:
        """What stands above the exchanges."""
        found = self._stream.head if self._stream else {}
        about, match_on = found.get("about", ""), found.get("match_on", MATCH_ON)
        return Head(found.get("recording", self._path.stem), about, match_on, found.get("replay", "by_content"))

    @property
    def line(self) -> int:
        """Where the present exchange starts, from 1."""
        return self._stream.line if self._stream else 1

    @property
    def position(self) -> int:
        """How far the file has been read, while it is. Units: bytes."""
        return self._file.tell() if self._file else 0

    def __iter__(self) -> Iterator[Exchange]:
        guide = schemas.bundled(SCHEMA)
        try:
            with self._open() as file:
                self._file = file
                stream = self._stream = Stream(file, str(self._path), "exchanges", guide)
                try:
                    for index, item in enumerate(stream):
                        self._check({"exchanges": [item]}, ("exchanges", index))
                        yield _exchange(item, f"{self._path}:{stream.line}: exchanges[{index}]")
                except ConfigError:
                    with self._open() as again:
                        if not _cut_short(again, stream.line):
                            raise
                    _log.warning("%s:%d: the last exchange is incomplete, left out", self._path, stream.line)
                    return
        except OSError as error:
            raise ConfigError(f"{self._path}: cannot be read: {error.strerror or error}") from None
        head = {name: value for name, value in stream.head.items() if name != "exchanges" or value is not None}
        self._check({"exchanges": [], **head}, ())  # a list without items yet reads as nothing

    def _open(self) -> IO[bytes]:
        return self._path.open("rb") if self._content is None else BytesIO(self._content)

    def _check(self, value: Mapping[str, Any], path: tuple[str | int, ...]) -> None:
        value = {"recording": "any", **value} if path else value  # an exchange alone has no name that could be wrong
        if schemas.validator(SCHEMA).is_valid(value):
            return
        line = self._stream.line if self._stream and path else 1
        lines = []
        for inner, words in schemas.explain(SCHEMA, value):
            where = yamlio.key_path((*path, *inner[2:]) if path else inner)
            lines.append(f"{self._path}:{line}: {where}: {words}")
        raise ConfigError(*lines)


class Writer:
    """Adds exchanges to a recording; a file that is not there yet is begun with `head`.

    Raises ConfigError when the file cannot be written.
    """

    def __init__(self, path: Path, head: Head) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise self._unwritable(error) from None
        if not os.fstat(self._file).st_size:
            self._write(_EDITORS + yamlio.dump(_head(head)) + "exchanges:\n")
        else:
            _mend(path)

    def add(self, exchange: Exchange) -> None:
        """Put one more exchange at the end, whole or not at all."""
        self._write(as_text(exchange))

    def close(self) -> None:
        """Nothing is added any more."""
        os.close(self._file)

    def _write(self, text: str) -> None:
        rest = memoryview(text.encode())
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> ConfigError:
        return ConfigError(f"{self._path}: cannot be written: {error.strerror or error}")


def as_text(exchange: Exchange) -> str:
    """One item of the list of exchanges."""
    request, reply = exchange.request, exchange.reply
    asked = {"method": request.method, "target": request.target, **_parts(request.headers, request.body)}
    answered: dict[str, Any] = {"status": reply.status, **_parts(reply.headers, reply.body)}
    if exchange.failed:
        answered["failed"] = exchange.failed
    at = {"at": exchange.at} if exchange.at else {}
    return yamlio.dump([{"request": asked, "answer": answered, **at, "took_ms": round(exchange.took_ms, 3)}])


def _head(head: Head) -> dict[str, Any]:
    content: dict[str, Any] = {"recording": head.name}
    if head.about:
        content["about"] = head.about
    if tuple(head.match_on) != MATCH_ON:
        content["match_on"] = list(head.match_on)
    if head.replay != "by_content":
        content["replay"] = head.replay
    return content


def _parts(headers: Sequence[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """Headers and body as they stand in the file."""
    named: dict[str, Any] = {}
    for name, value in headers:
        named.setdefault(name, []).append(value)
    parts: dict[str, Any] = {}
    if named:
        parts["headers"] = {name: values[0] if len(values) == 1 else values for name, values in named.items()}
    if body:
        try:
            parts["body"] = yamlio.Block(body.decode())
        except UnicodeDecodeError:
            parts["body_base64"] = base64.b64encode(body).decode()
    return parts


def _exchange(item: Mapping[str, Any], where: str) -> Exchange:
    asked, answered = item["request"], item["answer"]
    request: Request = request_from(asked["method"], asked["target"], _headers(asked), _body(asked, f"{where}.request"))
    reply: Reply = reply_from(answered["status"], _headers(answered), _body(answered, f"{where}.answer"))
    return Exchange(request, reply, item.get("at", ""), item["took_ms"], answered.get("failed", ""))


def _headers(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in part.get("headers", {}).items():
        yield from ((name, each) for each in ([value] if isinstance(value, str) else value))


def _body(part: Mapping[str, Any], where: str) -> bytes:
    if "body_base64" not in part:
        return str(part.get("body", "")).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(part["body_base64"], validate=True)
    except binascii.Error as error:
        raise ConfigError(f"{where}.body_base64: found no base64: {error}") from None


def _last_item(file: IO[bytes]) -> tuple[int, bytes, int]:
    """(line from 1, bytes, their offset) of the last exchange of a file, which may be cut; line 0 for none."""
    last = offset = start = 0
    for line, text in enumerate(file, 1):
        if text.startswith(b"-"):
            last, start = line, offset
        offset += len(text)
    file.seek(start)
    return last, file.read(), start


def _cut_short(file: IO[bytes], line: int) -> bool:
    """Whether a problem on that line is one of a last exchange that was not written to its end."""
    last, tail, _ = _last_item(file)
    return bool(last) and line >= last and not _ends_whole(tail)


def _ends_whole(tail: bytes) -> bool:
    return _END.search(tail) is not None


def _mend(path: Path) -> None:
    """Cut off a last exchange that was not written to its end, before more is added."""
    with path.open("rb+") as file:
        last, tail, start = _last_item(file)
        if last and not _ends_whole(tail):
            file.truncate(start)
        elif not tail.endswith(b"\n"):
            file.write(b"\n")
