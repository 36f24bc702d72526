"""What we claim of one vendor's answers, gathered for comparison: schemas, errors, headers, page sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localruns.engine.described import Header, Operation
from localruns.engine.recorded.exchange import Exchange, json_of
from localruns.engine.recorded.traffic import at
from localruns.engine.scenario import default_settings
from localruns.engine.vendor import Alias, Endpoint, Vendor


@dataclass(frozen=True, slots=True)
class ErrorClaim:
    """One line of the error table as it is sent. Shape: `schema` is "" for an error without a body."""

    status: int
    code: str
    schema: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a vendor's answers keep, at its own paths or at those of an alias.

    Units: `default_size` and `most` are rows.
    """

    vendor: Vendor
    alias: Alias | None
    errors: Sequence[ErrorClaim]
    default_size: int
    most: int

    def answer(self, endpoint: Endpoint) -> str:
        """The schema of a good answer's body, "" where it has none."""
        own = self.operation(endpoint).answer
        return self.alias.answers.get(endpoint.name, own) if self.alias else own

    def operation(self, endpoint: Endpoint) -> Operation:
        """The operation as other tools are told of it."""
        return self.vendor.contract.operations[endpoint.name]

    def headers(self, endpoint: Endpoint | None, status: int) -> Sequence[Header]:
        """The headers that an answer of that status may have; other servers have their own."""
        if self.alias:
            return ()
        operation = self.operation(endpoint) if endpoint else None
        more = operation.headers if operation and operation.status == status else ()
        return [each for each in (*self.vendor.contract.headers, *more) if not each.statuses or status in each.statuses]

    def code(self, exchange: Exchange) -> str:
        """The code that an error states, "" where there is none."""
        if not self.alias:
            return self.vendor.traffic.error_code(exchange)
        found = at(json_of(exchange.reply.body), self.alias.code_at)
        return "" if found is None else str(found)


def claims_of(vendor: Vendor, alias: Alias | None) -> Claims:
    """What holds at the vendor's own paths, or at those of an alias."""
    settings: Mapping[str, Any] = default_settings(vendor.id)
    errors = [
        ErrorClaim(row.status, alias.code(row), alias.error)
        if alias
        else ErrorClaim(row.status, vendor.traffic.written_code(row), vendor.contract.error_schema(row))
        for row in vendor.errors.rows
    ]
    # An error without a body has a name on paper only.
    errors = [each if each.schema else ErrorClaim(each.status, "", "") for each in errors]
    return Claims(vendor, alias, errors, settings["default_page_size"], settings["max_page_size"])
