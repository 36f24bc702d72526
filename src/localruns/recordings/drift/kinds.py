"""The kinds of drift, and how each is classed.

Breaking: a client written to what we claim can fail, lose rows, or go on for ever. Additive: there is something new
that such a client may leave alone. Cosmetic: neither, it is only good to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Class = Literal["breaking", "additive", "cosmetic"]
CLASSES: tuple[Class, ...] = ("breaking", "additive", "cosmetic")
ENOUGH_ROWS = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. Shape: `what` is compared; `rule` says why it is classed as it is."""

    name: str
    classed: Class
    what: str
    rule: str


_TABLE = (
    Kind("field-removed", "breaking", "a field that our schema requires is missing", "clients read it without asking"),
    Kind("type-changed", "breaking", "a value of another JSON type, null among them", "clients cannot read it"),
    Kind("format-changed", "breaking", "a text or number outside the form or bounds of our schema", "clients parse it"),
    Kind("enum-value", "breaking", "a value outside a closed list", "typed clients refuse it, others miss a branch"),
    Kind("answer-shape", "breaking", "a good answer that is no JSON object", "clients cannot read it"),
    Kind("content-type", "breaking", "another media type", "clients choose their parser by it"),
    Kind("status-unknown", "breaking", "a status outside the vendor's error table", "no client has a rule for it"),
    Kind("status-moved", "breaking", "a known error code with another status", "retry rules hang on the status"),
    Kind("error-shape", "breaking", "an error whose body has another form, or none", "the code cannot be read"),
    Kind("wait-form", "breaking", "a header that says how long to wait is no whole number", "clients compute with it"),
    Kind("end-of-list", "breaking", "the last page says so in another way", "clients stop too early or never"),
    Kind("token-form", "breaking", "a page token of another type or without its prefix", "clients check or convert it"),
    Kind("token-repeated", "breaking", "a page leads to itself", "clients go on for ever"),
    Kind("page-over-asked", "breaking", "more rows than the request asked for", "clients reserve what they asked for"),
    Kind("numbered-page-size", "breaking", "another page size than claimed, paging by number", "every page moves"),
    Kind("order", "breaking", "rows in another order than claimed", "clients that stop at a known row miss others"),
    Kind("total", "breaking", "a total that its own answers contradict", "clients that count miss rows"),
    Kind("field-added", "additive", "a field that our schema does not know", "clients leave unknown fields alone"),
    Kind("error-code", "additive", "an unknown error code with a known status", "clients look at the status first"),
    Kind("error-body", "additive", "a body where we claim none", "clients leave it alone"),
    Kind("page-cap", "additive", "more rows than the largest page we claim, as asked", "clients get what they asked"),
    Kind("page-size", "cosmetic", "another page size than claimed, paging by token", "the token says where to go on"),
    Kind("tie-order", "cosmetic", "rows that sort equal, in another order than we assume", "the vendor promises none"),
    Kind("total-absent", "cosmetic", "no total where it is optional", "the vendor's page says that it may be missing"),
    Kind("header-absent", "cosmetic", "a header that we always send is missing", "clients use it for their logs"),
    Kind("header-form", "cosmetic", "a header of another form", "clients use it for their logs"),
    Kind(
        "field-unseen",
        "cosmetic",
        f"an optional field that none of {ENOUGH_ROWS} rows or more has",
        "it may be missing, and it may be gone",
    ),
)  # fmt: skip
KINDS = {kind.name: kind for kind in _TABLE}


@dataclass(frozen=True, slots=True)
class Deviation:
    """One difference in one answer. Shape: `found` and `expected` are shapes in words, never values."""

    kind: str
    place: str
    found: str
    expected: str
