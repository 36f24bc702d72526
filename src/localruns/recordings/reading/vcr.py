"""Exchanges from a cassette of VCR.py, in YAML or JSON, those of pytest-recording included.

**Source**: VCR.py 1 to 9, `serialize.py`, `serializers/compat.py` and the stubs of requests and httpx.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

from localruns.engine.recorded.exchange import Exchange
from localruns.recordings.reading import foreign
from localruns.recordings.reading.foreign import Unreadable, mapping
from localruns.recordings.reading.jsonstream import items
from localruns.recordings.reading.leftovers import Leftovers
from localruns.yamlstream import Lenient, Stream

KEY = "interactions"


def from_yaml(file: IO[bytes], name: str, left: Leftovers) -> Iterator[Exchange | None]:
    """The exchanges, None for an interaction that goes to `left`. Raises ConfigError."""
    stream = Stream(file, name, KEY, builder=Lenient)
    yield from _all(stream, left)
    if "version" not in stream.head:
        left.damage(f"{name}: the cassette lacks its last line, `version`: it may have been cut")


def from_json(file: IO[bytes], left: Leftovers) -> Iterator[Exchange | None]:
    """The exchanges, None for an interaction that goes to `left`. Raises Damaged."""
    yield from _all(items(file, (KEY,)), left)


def _all(interactions: Any, left: Leftovers) -> Iterator[Exchange | None]:
    for interaction in interactions:
        try:
            yield _exchange(mapping(interaction))
        except Unreadable as error:
            url = mapping(mapping(interaction).get("request")).get("uri")
            left.add_host(f"interactions {error}", foreign.host_of(url))
            yield None


def _exchange(interaction: Mapping[str, Any]) -> Exchange:
    asked, answered = mapping(interaction.get("request")), mapping(interaction.get("response"))
    status = answered.get("status", answered.get("status_code"))
    code = mapping(status).get("code") if isinstance(status, Mapping) else status
    return foreign.exchange(
        asked.get("method"),
        asked.get("uri"),
        (foreign.headers(foreign.flat(asked.get("headers"))), _body(asked.get("body"))),
        (
            foreign.status(code),
            foreign.headers(foreign.flat(answered.get("headers"))),
            _body(answered.get("body", answered.get("content"))),
        ),
    )


def _body(body: Any) -> bytes:
    """A body in any of the forms that there have been. Raises Unreadable."""
    if isinstance(body, Mapping):
        if isinstance(body.get("base64_string"), str):
            return foreign.from_base64(body["base64_string"])
        body = body.get("string")
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    if body is None:
        return b""
    raise Unreadable("with a body that is no text")
