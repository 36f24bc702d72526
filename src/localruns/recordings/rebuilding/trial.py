"""Our own emulation without a row, asked the recorded requests: what it refuses by itself, what it reads in them."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from localruns import yamlio
from localruns.engine.emulator import Emulator, Options
from localruns.engine.message import Request
from localruns.engine.query import Query
from localruns.engine.recorded.exchange import Exchange, request_from
from localruns.engine.recorded.traffic import Traffic
from localruns.engine.rows.building import build
from localruns.engine.tables import table_name
from localruns.engine.vendor import Vendor

_LABEL = "the scenario that is being written"


class Trial:
    """Answers recorded requests as the scenario `parts` would that has no rows and no faults."""

    def __init__(self, vendors: Mapping[str, Vendor], parts: Mapping[str, Mapping[str, Any]]) -> None:
        text = yamlio.dump({"scenario": "trial", "vendors": dict(parts)})
        self._folder = tempfile.TemporaryDirectory(prefix="localruns-")
        self._modes = {
            auth: Emulator(vendors, (text, _LABEL), Options(Path(self._folder.name), auth=auth))
            for auth in ("off", "present")
        }
        self._codes: dict[tuple[str, str], dict[str, tuple[int, str, bool]]] = {}
        self._vendors = vendors

    def close(self) -> None:
        """Remove what it kept on disk."""
        self._folder.cleanup()

    def refusal(self, vendor: Vendor, request: Request, auth: str = "off") -> tuple[int, str]:
        """(status, error code) of our answer."""
        reply = self._answered(request, auth)[0]
        exchange = Exchange(request, replace(reply, headers=()))
        return reply.status, vendor.traffic.error_code(exchange)

    def query(self, request: Request) -> Query | None:
        """What the request asks, None where we would refuse to read it."""
        query: Query | None = self._answered(request, "off")[1]
        return query

    def counts(self, vendor: Vendor, request: Request) -> bool:
        """Whether faults count the request as a call."""
        state = self._modes["off"].space("default").states[vendor.id]
        before = state.calls
        self._answered(request, "off")
        return state.calls > before

    def codes(self, vendor: Vendor, request: Request) -> Mapping[str, tuple[int, str, bool]]:
        """For each code of the vendor's error table (status, code on the wire, whether it names a wait)."""
        alias = vendor.alias_at(request.path)
        key = (vendor.id, alias.prefix if alias else "")
        if key not in self._codes:
            found = self._codes[key] = {}
            for row in vendor.errors.rows:
                asked = replace(request, headers=(("prefer", f"error={row.code}"),))
                reply = self._answered(asked, "off")[0]
                waits = any(name.lower().endswith("retry-after") for name, _ in reply.headers)
                found[row.code] = reply.status, vendor.traffic.error_code(Exchange(request, reply)), waits
        return self._codes[key]

    def filling(self, vendor: Vendor) -> Mapping[str, Any]:
        """A row of the vendor with all that a scenario fills in where a literal row lacks it."""
        text = yamlio.dump({"scenario": "filling", "vendors": {vendor.id: {"runs": [{}]}}})
        connection = sqlite3.connect(":memory:")
        try:
            build(text, _LABEL, self._vendors, None, connection)
            shape = list(vendor.rows.shapes)[-1]
            (body,) = connection.execute(f"SELECT s_{shape} FROM {table_name(vendor.id)}_body").fetchone()
        finally:
            connection.close()
        row: dict[str, Any] = orjson.loads(body)
        return row

    def _answered(self, request: Request, auth: str) -> tuple[Any, Any]:
        emulator = self._modes[auth]
        route = emulator.router.find(request.method, request.path)
        if route is None:
            raise ValueError(f"{request.path} is no vendor's")
        reply, space, entry = emulator.answer(request, route)
        query = entry.query
        space.journal.clear()
        return reply, query


def first_page(method: str, target: str, headers: list[tuple[str, str]], body: bytes, traffic: Traffic) -> Request:
    """The request as it would ask for the first page, without the platform's own token."""
    request = request_from(method, target, headers, body)
    given = traffic.parameters(request)
    paging = {name for name in (*traffic.token, *traffic.number) if name in given}
    if not paging:
        return request
    if traffic.place == "body":
        rest = {name: value for name, value in given.items() if name not in paging}
        return replace(request, body=orjson.dumps(rest))
    query = urlencode([pair for pair in request.args if pair[0] not in paging])
    return request_from(method, f"{request.path}?{query}", headers, body)
