"""Recordings of our own emulator, made in process: walks, and every error of a vendor's table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from localruns.engine.journal import Entry
from localruns.engine.recorded.exchange import Exchange, reply_from
from localruns.recordings.drift.comparing import Placed, Report, drift
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.asking import BODIES, LISTS, in_process
from tests.clients.pagers import HEADERS, PAGERS

MakeApp = Callable[..., App]
VENDORS = tuple(all_vendors())


def recorded(app: App, use: Callable[[App], object]) -> list[Exchange]:
    """What the application is asked and answers while `use(app)` runs."""
    seen: list[Exchange] = []

    def note(_space: object, entry: Entry) -> None:
        assert entry.reply is not None
        kind = [("content-type", entry.reply.content_type)] if entry.reply.content is not None else []
        seen.append(
            Exchange(entry.request, reply_from(entry.reply.status, [*kind, *entry.reply.headers], entry.reply.body))
        )

    app.emulator.listeners.append(note)
    use(app)
    app.emulator.listeners.remove(note)
    return seen


def walks(vendor: str, sizes: Sequence[int] = (7, 1000), **more: Any) -> Callable[[App], None]:
    """Walks of a vendor in each of its styles, and a page for which no size is asked."""

    def use(app: App) -> None:
        client = app.test_client()
        for pager in PAGERS:
            if pager.vendor == vendor:
                for size in sizes:
                    list(pager.walk(client, size, **more))
        method, target = LISTS[vendor]
        in_process(app)(method, target, HEADERS[vendor], BODIES.get(vendor, b""))

    return use


def errors(vendor: str) -> Callable[[App], None]:
    """Each error of a vendor's table, asked for by `Prefer`."""

    def use(app: App) -> None:
        method, target = LISTS[vendor]
        for row in all_vendors()[vendor].errors.rows:
            wanted = {"Prefer": f"code={row.status}; error={row.code}"}
            in_process(app)(method, target, {**HEADERS[vendor], **wanted}, BODIES.get(vendor, b""))

    return use


def placed(exchanges: Sequence[Exchange]) -> Iterator[Placed]:
    """Exchanges with words that say where each stands."""
    return ((f"exchange {number}", exchange) for number, exchange in enumerate(exchanges))


def compared(exchanges: Sequence[Exchange], only: str = "") -> Report:
    """The drift of exchanges."""
    return drift(placed(exchanges), all_vendors(), only=only)
