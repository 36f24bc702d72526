"""A request as it came over the wire, and the reply to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson

from localruns.engine.kept import kept
from localruns.values import value

_PRINTABLE = "".join(map(chr, range(33, 127)))
_ROW_BYTES = 200


@value
class Request:
    """One HTTP request.

    Shape: `target` is the raw request target as received, mount prefix and percent-encoding included; `path`
    the part of it that is routed on, still encoded, without prefix and query; `args` the decoded query pairs in
    order, blank values kept; `headers` (lower-case name, value) in order, duplicates kept. `undecodable`: the
    query holds bytes that are not UTF-8. `wired`: our own server answers, which can carry out any wire fault.
    Headers are asked for many times, so the first value of each is at hand. Units: `size_bytes` is the length of the
    target, the headers and the body.
    """

    method: str
    target: str
    path: str
    prefix: str = ""
    query: str = ""
    args: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    undecodable: bool = False
    wired: bool = False
    size_bytes: int = field(init=False, repr=False, compare=False)
    _first: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = sum(len(name) + len(value) for name, value in self.headers)
        object.__setattr__(self, "size_bytes", len(self.target) + named + len(self.body))
        object.__setattr__(self, "_first", dict(reversed(self.headers)))

    def header(self, name: str) -> str | None:
        """The first value of a header, or None; `name` in lower case."""
        return self._first.get(name)

    def header_values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key == name] if name in self._first else []

    def arg(self, name: str) -> str | None:
        """The first value of a query parameter, or None."""
        return next((value for key, value in self.args if key == name), None)

    def arg_values(self, name: str) -> list[str]:
        """All values of a query parameter."""
        return [value for key, value in self.args if key == name]


@kept
def parse_query(query: str) -> tuple[tuple[tuple[str, str], ...], bool]:
    """The decoded pairs of a raw query string, and whether it holds bytes that are not UTF-8."""
    if not query:
        return (), False
    # Raw bytes arrive as Latin-1 text; percent-encoded they are read as what they mean.
    ascii_query = query if query.isascii() else quote(query.encode("latin-1", "replace"), safe=_PRINTABLE)
    try:
        return tuple(parse_qsl(ascii_query, keep_blank_values=True, errors="strict")), False
    except UnicodeDecodeError:
        return tuple(parse_qsl(ascii_query, keep_blank_values=True, errors="replace")), True


class Rows(tuple[bytes, ...]):
    """Finished rows, one behind the other. A page is sent many times: what all answers need of it is made once."""

    @cached_property
    def joined(self) -> bytes:
        """The rows with commas between them."""
        return b",".join(self)

    @cached_property
    def weight_bytes(self) -> int:
        """The length of all rows together, and what Python needs for their keys and numbers."""
        return sum(map(len, self)) + _ROW_BYTES * len(self)


NO_ROWS = Rows()


@value
class Reply:
    """What goes back.

    Shape: `content` is the JSON body with its rows left out, None for an empty body; `rows` are finished row
    bytes that stand in the list under the top-level key `rows_at`. `schema` names the promise the body keeps.
    `raw` is a body that came from elsewhere, in place of all that; its content type then is one of the `headers`.
    """

    status: int
    content: Any = None
    schema: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    rows_at: str = ""
    rows: Rows = NO_ROWS
    content_type: str = "application/json"
    raw: bytes = b""

    @property
    def parts(self) -> list[bytes]:
        """The bytes of the body, in pieces: pages are large, and copied once only."""
        if self.content is None:
            return [self.raw]
        body = orjson.dumps(self.content)
        if not self.rows:
            return [body]
        hole = b'"%s":[]' % self.rows_at.encode()
        # A quote inside a JSON text is always escaped, so the hole cannot be found in a value.
        at = body.index(hole) + len(hole) - 1
        return [body[:at], self.rows.joined, body[at:]]

    @property
    def body(self) -> bytes:
        """The bytes of the body."""
        return b"".join(self.parts)

    @property
    def outline(self) -> Reply:
        """The reply without its rows."""
        rest = (self.content_type, self.raw)
        return Reply(self.status, self.content, self.schema, self.headers, self.rows_at, NO_ROWS, *rest)


SAME = -1


@value
class Page:
    """One slice of the ordered rows of one version.

    Shape: `rows` finished bytes, beside them `keys` the row keys and `numbers` the store's own numbers. The fields
    from `total_shown` on are for page faults: what the answer says in place of the truth. `more`: it leads on to
    another page, which starts at `next_offset`, 0 when none follows. Units: `offset`, `size` and `total` are rows.
    """

    rows: Rows
    keys: Sequence[str]
    offset: int
    size: int
    total: int
    numbers: Sequence[int] = ()
    total_shown: int | None = SAME
    leads_to: int = SAME
    again: bool = False
    mark: int = 0
    token: str | None = None
    token_characters: int = 0
    more: bool = field(init=False)
    next_offset: int = field(init=False)

    def __post_init__(self) -> None:
        end = self.offset + len(self.rows)
        more = self.leads_to != SAME or (bool(self.rows) and end < self.total)
        object.__setattr__(self, "more", more)
        object.__setattr__(self, "next_offset", self.leads_to if self.leads_to != SAME else end if more else 0)

    @property
    def outline(self) -> Page:
        """The page without its rows."""
        following = (self.total_shown, self.leads_to, self.again, self.mark, self.token, self.token_characters)
        return Page(NO_ROWS, (), self.offset, self.size, self.total, (), *following)

    @property
    def told(self) -> tuple[object, ...]:
        """All that a client can tell of the page, but for the rows' bytes."""
        following = (self.more, self.next_offset, self.mark, self.token, self.token_characters)
        return (*self.numbers, self.shown, *following)

    @property
    def shown(self) -> int | None:
        """The total that the answer states; None when it states none."""
        return self.total if self.total_shown == SAME else self.total_shown


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One line of a vendor's error table.

    Shape: `message` may hold `{gaps}` filled from the refusal's parameters. `when` says in words when the
    platform sends it; `injected` marks rows that only a fault or `Prefer` brings forth.
    """

    status: int
    code: str
    message: str = ""
    when: str = ""
    injected: bool = False


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """All errors of a vendor; `page_token` is the code for a token that is refused.

    Shape: `kinds` maps a neutral kind to a code, `transport` an HTTP status of the edge (400, 413, 414, 431) or
    of routing (404, 405) to a code.
    """

    rows: Sequence[ErrorRow]
    kinds: Mapping[str, str]
    transport: Mapping[int, str]
    page_token: str = ""
    by_code: Mapping[str, ErrorRow] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_code", {row.code: row for row in self.rows})

    def row(self, kind: str, code: str = "") -> ErrorRow:
        """The row of a code, else of the neutral kind."""
        return self.by_code[code or self.kinds[kind]]

    def of_status(self, status: int) -> ErrorRow | None:
        """The row that `Prefer: code=STATUS` means: that of a neutral kind first, else the first in the table."""
        named = [self.by_code[code] for code in self.kinds.values()]
        return next((row for row in (*named, *self.rows) if row.status == status), None)
