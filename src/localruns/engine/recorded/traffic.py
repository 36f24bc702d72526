"""How a vendor's real exchanges are read: where rows, page size, page token and error code stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from localruns.engine.message import ErrorRow, Request
from localruns.engine.query import Order
from localruns.engine.recorded.exchange import Exchange, json_of

End = Literal["absent", "null", "empty text", "0"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a recorded list request asks.

    Shape: `size`, `token` and `number` None where the request does not say; a first page has neither a token nor a
    number above 1. `rest` is everything else that it asks, by name: two requests with the same rest list the same rows.
    """

    size: int | None
    token: str | None
    number: int | None
    rest: Mapping[str, Any]

    @property
    def first(self) -> bool:
        """Whether it asks for the first page."""
        return self.token is None and self.number in (None, 1)


@dataclass(frozen=True, slots=True)
class Told:
    """What a good answer to a list request tells. Shape: `token` None on the last page; `total` None where not told."""

    rows: Sequence[Mapping[str, Any]]
    token: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """Where things stand in the exchanges of a vendor's list endpoint.

    Shape: `endpoint` is the name of the vendor's list endpoint; `place` where its parameters are: in the query or in a
    JSON body; `size`, `token` and `number` the names of the parameters, the first that is there counts; `rows_at`,
    `total_at` and `next_at` keys of a good answer's body, "" for none; `code_at` the way through an error's body to
    its code, `code_else_at` another way, `written_code(row)` the code of the error table as it is sent; `no_token` what
    stands in the place of a token where none is meant.

    What we claim of its paging: `ends` how the last page says that it is the last; `token_form` the pattern of a token;
    `order(rest)` how the rows of a request are sorted, the last `ties` of it being assumed. `of_caller` are the
    beginnings of error codes that tell of the caller's credentials, whatever their status.
    """

    endpoint: str
    place: Literal["query", "body"]
    rows_at: str
    code_at: Sequence[str]
    size: Sequence[str]
    token: Sequence[str] = ()
    number: Sequence[str] = ()
    next_at: str = ""
    total_at: str = ""
    no_token: Sequence[str] = ("",)
    code_else_at: Sequence[str] = ()
    written_code: Callable[[ErrorRow], str] = lambda row: row.code
    ends: Sequence[End] = ()
    token_form: str = ""
    order: Callable[[Mapping[str, Any]], Sequence[Order]] = lambda rest: ()
    ties: int = 0
    of_caller: Sequence[str] = ()

    def parameters(self, request: Request) -> dict[str, Any]:
        """The parameters of a list request by name, the first of each."""
        if self.place == "body":
            body = json_of(request.body)
            return body if isinstance(body, dict) else {}
        found: dict[str, Any] = {}
        for name, value in request.args:
            found.setdefault(name, value)
        return found

    def asked(self, request: Request) -> Asked:
        """What a list request asks."""
        given = self.parameters(request)
        paging = {*self.size, *self.token, *self.number}
        token = _first(given, self.token)
        return Asked(
            size=_whole(_first(given, self.size)),
            token=None if token is None or str(token) in self.no_token else str(token),
            number=_whole(_first(given, self.number)),
            rest={name: value for name, value in given.items() if name not in paging},
        )

    def by_number(self, request: Request) -> bool:
        """Whether a list request pages by number; of two names for the size, the second belongs to that."""
        if not self.token:
            return True
        given = self.parameters(request)
        named = any(given.get(name) for name in self.number)
        if not self.number or any(given.get(name) for name in (*self.token, self.size[0])):
            return named
        return named or any(given.get(name) for name in self.size[1:])

    def told(self, exchange: Exchange) -> Told | None:
        """What a good answer tells; None for an answer that is no list of rows."""
        content = json_of(exchange.reply.body)
        if exchange.failed or exchange.reply.status != 200 or not isinstance(content, dict):
            return None
        rows = content.get(self.rows_at, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return None
        token = content.get(self.next_at)
        token = None if token is None or str(token) in self.no_token else str(token)
        return Told(rows, token, _whole(content.get(self.total_at)))

    def error_code(self, exchange: Exchange) -> str:
        """The code that an error's body states, "" where there is none."""
        content = json_of(exchange.reply.body)
        found = at(content, self.code_at)
        if found is None and self.code_else_at:
            found = at(content, self.code_else_at)
        return "" if found is None else str(found)


def at(content: Any, way: Sequence[str]) -> Any:
    """The value at the end of a way through mappings, None where it ends before."""
    for step in way:
        content = content.get(step) if isinstance(content, dict) else None
    return content


def _first(given: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((given[name] for name in names if given.get(name) not in (None, "")), None)


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
