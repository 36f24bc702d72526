"""What a vendor's operations take and answer, in words for other tools: the source of its OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from localruns.engine.message import ErrorRow


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of a request. Shape: `schema` is the JSON Schema of the value as the vendor takes it."""

    name: str
    place: Literal["path", "query", "header"]
    about: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """One header of an answer. Shape: `statuses` are those it comes with, all when empty; `always` on each of them."""

    name: str
    about: str
    schema: Mapping[str, Any]
    statuses: Sequence[int] = ()
    always: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Shape: `answer` and `body` are schema references, `answer` empty for a 200 without a body, `body` empty for an
    operation that reads none; `status` is that of a good answer, `headers` come with that alone; `other_types` maps
    further content types that may be asked for to their schemas; `security` replaces the vendor's, None keeps it.
    """

    about: str
    answer: str = ""
    parameters: Sequence[Parameter] = ()
    body: str = ""
    body_type: str = "application/json"
    body_needed: bool = True
    answer_type: str = "application/json"
    status: int = 200
    other_types: Mapping[str, str] = field(default_factory=dict)
    headers: Sequence[Header] = ()
    security: Sequence[Mapping[str, Sequence[str]]] | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """All of a vendor.

    Shape: `operations` by endpoint name; `error_schema(row)` the schema reference of an error's body, "" for none;
    `headers` stand on errors and on every 200; `schemes` are OpenAPI security schemes, `security` which of them
    together let a request in, one alternative after the other.
    """

    operations: Mapping[str, Operation] = field(default_factory=dict)
    error_schema: Callable[[ErrorRow], str] = lambda row: ""
    headers: Sequence[Header] = ()
    schemes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    security: Sequence[Mapping[str, Sequence[str]]] = ()
