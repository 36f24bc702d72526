"""The torture catalogue put to the reference clients: what each of them makes of each entry.

`python -m tests.clients.torture` measures all of it and writes tests/golden/torture.json.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from localruns.engine.emulator import Emulator, Options
from localruns.engine.faults.pages import CATALOGUE, why_not
from localruns.engine.vendor import Paging
from localruns.paths import cache_dir
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.clients.good import DIALECTS, Good, Stuck
from tests.clients.naive import NAIVE
from tests.clients.sending import Answer, Refused, Request, Send, over_werkzeug
from tests.clients.stories import ENTRIES

GOLDEN = Path(__file__).parents[1] / "golden" / "torture.json"
BUDGET = 200
STYLES: Mapping[tuple[str, str], Sequence[Paging]] = {
    ("alibaba-pai", "token"): ("integer",),
    ("alibaba-pai", "page"): ("number",),
    ("oracle-aidp", "token"): ("text",),
    ("naver-nsml", "page"): ("number",),
    ("palantir-foundry", "token"): ("text",),
}
SIZES = {"page_size_clamp": 50, "token_bound_to_filter": 7}
CLIENTS = ("naive", "good")


class Loops(Exception):
    """More requests than any walk of 120 rows needs."""


@dataclass
class Witness:
    """Hands requests on and remembers what came of them. Shape: `walks` the row keys delivered, a list per walk."""

    send: Send
    vendor: str
    style: str
    walks: list[list[str]] = field(default_factory=list)
    requests: int = 0

    def __call__(self, request: Request) -> Answer:
        if self.requests == BUDGET:
            raise Loops
        self.requests += 1
        answer = self.send(request)
        if self._first(request.asked) and request.asked != self._refused:
            self.walks.append([])
        self._refused = request.asked if answer.status != 200 else None
        if answer.status == 200:
            dialect = DIALECTS[self.vendor, self.style]
            self.walks[-1] += [dialect.key(row) for row in answer.body[dialect.rows_at]]
        return answer

    _refused: Mapping[str, Any] | None = field(default=None, init=False)

    def _first(self, asked: Mapping[str, Any]) -> bool:
        token = next((asked[name] for name in ("PageToken", "page_token", "pageToken") if name in asked), None)
        return not token and asked.get("PageNumber", 1) == 1 and asked.get("page", 1) == 1


@dataclass(frozen=True)
class Cell:
    """One client against one entry.

    Shape: `rows` the keys of the rows that the client returned, None when it raised or looped; `expected` those that
    lived all the while; `walks` what the wire delivered, walk by walk; `ledger` the walks as the server saw them.
    """

    verdict: str
    requests: int
    rows: Sequence[str] | None
    expected: Sequence[str]
    walks: Sequence[Sequence[str]]
    ledger: Sequence[Mapping[str, Any]]
    doubt: str = ""
    error: str = ""


def reason(entry: str, vendor: str, style: str) -> str:
    """Why this way of paging cannot express the entry; "" when it can."""
    return why_not(all_vendors()[vendor], entry, STYLES[vendor, style]) if entry in CATALOGUE else ""


def scenario(entry: str) -> str:
    """The name of the entry's scenario."""
    return entry.replace("_", "-")


def cells() -> Iterator[tuple[str, str, str]]:
    """(entry, vendor, style) of all that can be expressed."""
    for entry in ENTRIES:
        for vendor, style in STYLES:
            if not reason(entry, vendor, style):
                yield entry, vendor, style


def application(entry: str) -> App:
    """The emulator with the entry's scenario."""
    return App(Emulator(all_vendors(), scenario(entry), Options(cache=cache_dir())))


def run(app: App, entry: str, vendor: str, style: str, who: str) -> Cell:
    """One client against one entry, in a namespace that nothing has touched yet."""
    client = Client(app)
    client.post("/__admin/reset")
    witness = Witness(over_werkzeug(client), vendor, style)
    size, credential = SIZES.get(entry, 10), f"{who}-key-1"
    good = Good(DIALECTS[vendor, style], witness, size, credential, lambda: f"{who}-key-2", lambda seconds: None)
    rows, error = None, ""
    try:
        rows = good.rows() if who == "good" else NAIVE[vendor, style](witness, size, credential)
    except Loops:
        error = "loops"
    except (Refused, Stuck, LookupError) as raised:
        error = f"{type(raised).__name__}: {raised}"
    keys = None if rows is None else [DIALECTS[vendor, style].key(row) for row in rows]
    expected = lived(app, vendor)
    listed = client.get("/__admin/walks", query_string={"vendor": vendor}).get_json()["walks"]
    told = judge(keys, expected, error)
    return Cell(told, witness.requests, keys, expected, witness.walks, listed, good.doubt, error)


def lived(app: App, vendor: str) -> list[str]:
    """The keys of the rows that lived from the first version of the data to the present one."""
    space = app.emulator.space("default")
    query = next(walk.query for walk in space.walks if walk.vendor == vendor)
    first, last = (space.store.order(query, version) for version in (0, space.states[vendor].version))
    keys = space.store.keys(vendor, [*first, *last])
    still = {keys[number] for number in last}
    return [keys[number] for number in first if keys[number] in still]


def judge(rows: Sequence[str] | None, expected: Sequence[str], error: str) -> str:
    """What became of the client, in a word or two."""
    if rows is None:
        return "loops" if error == "loops" else "raises"
    lost, doubled = set(expected) - set(rows), [key for key, times in Counter(rows).items() if times > 1]
    if lost and doubled:
        return "loses and doubles rows"
    return "loses rows" if lost else "doubles rows" if doubled else "whole"


def measure() -> dict[str, Any]:
    """Shape: `{entry: {vendor: {style: {naive, good}}}}`."""
    found: dict[str, Any] = {}
    for entry, vendor, style in cells():
        app = application(entry)
        verdicts = {who: run(app, entry, vendor, style, who).verdict for who in CLIENTS}
        found.setdefault(entry, {}).setdefault(vendor, {})[style] = verdicts
    return found


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(measure(), indent=2) + "\n", "utf-8")
