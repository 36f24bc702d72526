"""What a vendor is made of: data, and a few plain functions. The engine never asks which one it is serving."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from localruns.engine.described import Contract
from localruns.engine.message import ErrorRow, ErrorTable, Page, Reply, Request
from localruns.engine.recorded.resigning import Resigning
from localruns.engine.recorded.traffic import Traffic

if TYPE_CHECKING:
    from localruns.engine.call import Call
    from localruns.errors import ApiError

Row = Mapping[str, Any]
Paging = Literal["text", "integer", "number"]
Check = Callable[["Call"], "Call"]
Answer = Callable[["Call"], Reply]
Render = Callable[[Page, "Call"], Reply]
Bag = tuple[str, str, str | int | float]


@dataclass(frozen=True, slots=True)
class RowModel:
    """How the vendor's rows are checked, stored and found.

    Shape: `schema` is the reference of one row's schema; `key(row)` its identifying value; `shapes` the
    renderings by name, the first being the default; `columns` name to SQLite type, in the order in which
    `values(row)` gives them; `bags(row)` yields (bag, key, value); `fill(row, drawn)` adds to a literal row what
    the vendor requires, from a row drawn from the template.
    """

    schema: str
    key: Callable[[Row], str]
    shapes: Mapping[str, Callable[[Row], Row]]
    columns: Mapping[str, Literal["TEXT", "INTEGER", "REAL"]]
    values: Callable[[Row], Sequence[str | int | float | None]]
    bags: Callable[[Row], Iterable[Bag]]
    fill: Callable[[Row, Row], Row]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of a vendor.

    Shape: `path` holds `{parameters}`; `checks` run in the vendor's order and may refuse; `answer` renders what
    they left. A list endpoint is answered through `listing`.
    """

    name: str
    method: str
    path: str
    checks: Sequence[Check]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A real operation of the vendor that is known and not served."""

    name: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Alias:
    """Paths at which another server speaks the vendor's protocol.

    Shape: what lies under `prefix` there lies under `path` here; `answers` maps endpoint names to the schemas that its
    answers keep, `error` is that of its errors, whose code stands at the end of `code_at` and is `code(row)`.
    """

    prefix: str
    path: str
    answers: Mapping[str, str]
    error: str
    code_at: Sequence[str]
    code: Callable[[ErrorRow], str]


@dataclass(frozen=True, slots=True)
class ClientHelp:
    """What a person needs to point a client at this vendor here.

    Shape: `keys(credentials)` what `credentials(vendor)` shows, empty texts for what is not there; `base(url)` what the
    vendor's client wants as its base. `environment`, `snippet` and `curl` take (url, keys, the site's resources):
    variables to export; a complete program for the real SDK; one command line, behind comment lines where it needs
    any. `sdk` is the SDK's package name.
    """

    sdk: str
    keys: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, str]]
    base: Callable[[str], str]
    environment: Callable[[str, Mapping[str, str], Mapping[str, Any]], Mapping[str, str]]
    snippet: Callable[[str, Mapping[str, str], Mapping[str, Any]], str]
    curl: Callable[[str, Mapping[str, str], Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Vendor:
    """One emulated platform.

    Shape: `prefixes` are the paths under which it answers for unknown operations too; `resources` and
    `credentials()` the well-known ones, `own_credentials(name)` what stands in the place of each in a namespace of that
    name; `scopes(resources)` the resource names that rows may belong to, the first
    being the default; `identify(request)` the credential id a request presents, or ""; `refuse(refusal, call)`
    renders an error; `unknown(request, methods)` is the refusal of a path it does not have, or has with these methods
    only; `presented(request)` the very credential, which changes when a client renews it; `authenticate` those of the
    checks that look at credentials and need nothing else; `paging` the ways in which
    lists are paged; `traffic` how its real exchanges are read; `contract` describes all of it to other tools; `cannot`
    page faults that the contract rules out, with the reason; `quota` the published rate limit, `calls` and `per_s`,
    empty where none is published; `resigning` how a proxy signs anew, None where signatures leave the host out.
    """

    id: str
    title: str
    prefixes: Sequence[str]
    endpoints: Sequence[Endpoint]
    neighbours: Sequence[Neighbour]
    errors: ErrorTable
    rows: RowModel
    resources: Mapping[str, Any]
    credentials: Callable[[], Sequence[Mapping[str, Any]]]
    scopes: Callable[[Mapping[str, Any]], Sequence[str]]
    identify: Callable[[Request], str]
    refuse: Callable[[ApiError, Call], Reply]
    unknown: Callable[[Request, Sequence[str]], ApiError]
    own_credentials: Callable[[str], Sequence[Mapping[str, Any]]]
    presented: Callable[[Request], str]
    authenticate: Sequence[Check]
    paging: Sequence[Paging]
    client: ClientHelp
    traffic: Traffic
    contract: Contract = field(default_factory=Contract)
    cannot: Mapping[str, str] = field(default_factory=dict)
    quota: Mapping[str, float] = field(default_factory=dict)
    resigning: Resigning | None = None
    aliases: Sequence[Alias] = ()

    def alias_at(self, path: str) -> Alias | None:
        """The other server's paths that this one is among, None for the vendor's own."""
        return next((alias for alias in self.aliases if path.startswith(alias.prefix)), None)
