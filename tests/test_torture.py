"""The torture catalogue: what is on the wire, and what it does to a naive and to a good client."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx
import pytest

from localruns import yamlio
from localruns.engine.faults.pages import CATALOGUE, why_not
from localruns.engine.library import Library
from localruns.errors import ConfigError
from localruns.surfaces.edge import Edge
from localruns.surfaces.http import App, refuser
from localruns.vendors import all_vendors
from tests.clients import torture
from tests.clients.good import DIALECTS, Good
from tests.clients.naive import NAIVE
from tests.clients.sending import Refused, over_httpx
from tests.clients.stories import ENTRIES
from tests.clients.torture import STYLES, Cell, reason, scenario

GOLDEN = json.loads(torture.GOLDEN.read_text("utf-8"))
EACH_CELL = pytest.mark.parametrize(
    ("entry", "vendor", "style"), [pytest.param(*cell, id="-".join(cell)) for cell in torture.cells()]
)
EACH_STYLE = pytest.mark.parametrize(("vendor", "style"), [pytest.param(*one, id="-".join(one)) for one in STYLES])

# DESIGN's third column in terms of the verdicts.
STOPS = {"repeat_token": "raises", "fresh_token_same_rows": "loses rows"}
CANNOT_KNOW = {"delete_at_cursor": (1, 0), "reorder_ties": (1, 1)}
# What a naive client may come to, where it is not left whole.
BREAKS = {
    "repeat_token": {"loops"},
    "fresh_token_same_rows": {"loops"},
    "always_next": {"loops"},
    "empty_page_with_token": {"loses rows"},
    "empty_first_page": {"loses rows"},
    "short_page": {"loses rows"},
    "exact_boundary_token": set(),
    "empty_string_token": {"loops"},
    "token_expired": {"raises"},
    "token_bound_to_filter": {"raises"},
    "token_truncated": {"raises"},
    "page_size_clamp": {"loses rows"},
    "page_size_drift": {"loses rows"},
    "insert_before_cursor": {"doubles rows", "loses and doubles rows"},
    "delete_at_cursor": {"loses rows", "loops"},
    "dup_across_pages": {"doubles rows", "loses and doubles rows"},
    "reorder_ties": {"loses and doubles rows"},
    "total_absent": {"raises"},
    "total_stale": {"loops"},
    "error_mid_walk": {"raises"},
    "auth_expiry_mid_walk": {"raises"},
}

application = cache(torture.application)


def run(entry: str, vendor: str, style: str, who: str) -> Cell:
    return torture.run(application(entry), entry, vendor, style, who)


def length(told: dict[str, Any], name: str) -> int:
    return int(told.get(f"{name}_count", len(told[name])))


def test_the_catalogue_is_the_designs() -> None:
    assert set(ENTRIES) == set(BREAKS) == {*CATALOGUE, "insert_before_cursor", "delete_at_cursor"}
    listed = {item.name for item in Library() if item.path.parent.name == "torture"}
    assert listed == {scenario(entry) for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_scenario_holds_all_vendors_that_can_express_its_entry(entry: str) -> None:
    content = yamlio.load(Library().find(scenario(entry)))
    able = {vendor for vendor, style in STYLES if not reason(entry, vendor, style)}
    assert set(content["vendors"]) == able
    assert {fault["page_fault"] for fault in content.get("faults", ())} <= {entry}
    assert {item["when"]["vendor"] for item in content.get("faults", ())} in (able, set())
    for part in content["vendors"].values():
        assert part["auth"] == "present"
        assert part["settings"]["max_page_size"] == 10
        assert sum(row.get("generate", 1) for row in part["runs"]) == 120


@EACH_CELL
def test_a_naive_client_breaks_as_the_catalogue_says(entry: str, vendor: str, style: str) -> None:
    cell = run(entry, vendor, style, "naive")
    assert cell.verdict == GOLDEN[entry][vendor][style]["naive"]
    assert cell.verdict in {*BREAKS[entry], "whole"}


@pytest.mark.parametrize("entry", [entry for entry, verdicts in BREAKS.items() if verdicts])
def test_every_entry_breaks_some_naive_client(entry: str) -> None:
    found = {verdicts["naive"] for styles in GOLDEN[entry].values() for verdicts in styles.values()}
    assert found - {"whole"}


@EACH_CELL
def test_a_good_client_does_as_the_design_says(entry: str, vendor: str, style: str) -> None:
    cell = run(entry, vendor, style, "good")
    assert cell.verdict == GOLDEN[entry][vendor][style]["good"]
    told = cell.ledger[-1]
    if entry in CANNOT_KNOW:
        assert cell.verdict == "loses rows"
        assert (length(told, "missed"), length(told, "duplicates")) == CANNOT_KNOW[entry]
        assert set(told["missed"]) == set(cell.expected) - set(cell.rows or ())
    elif entry in STOPS:
        assert cell.verdict == STOPS[entry]
        assert cell.doubt or cell.error.startswith("Stuck")
        assert (length(told, "missed"), told["complete"]) == (90, False)
    else:
        assert cell.verdict == "whole"
        assert told["complete"]
    assert cell.rows is None or len(cell.rows) == len(set(cell.rows))
    assert bool(cell.doubt) == (entry in ("fresh_token_same_rows", "always_next"))


@pytest.mark.parametrize("who", torture.CLIENTS)
@EACH_CELL
def test_the_ledger_says_what_the_client_really_saw(entry: str, vendor: str, style: str, who: str) -> None:
    cell = run(entry, vendor, style, who)
    assert len(cell.ledger) == len(cell.walks)
    # A token that nobody can read leads to no walk.
    unread = int((entry, who) == ("token_truncated", "naive"))
    assert sum(told["requests"] for told in cell.ledger) == cell.requests - unread
    for told, seen in zip(cell.ledger, cell.walks, strict=True):
        times = Counter(seen)
        missed = [key for key in cell.expected if key not in times]
        assert told["delivered"] == len(seen)
        assert length(told, "missed") == len(missed)
        assert told["missed"] == missed[:100]
        assert set(told["duplicates"]) == {key for key, count in times.items() if count > 1}
        assert told["expected"] == len(cell.expected)
        assert not told["ambiguous"]
        assert told["complete"] == (not missed and "refused" not in told["stop"])
    changed = {"insert_before_cursor": 1, "delete_at_cursor": 1}
    assert len(cell.ledger[-1]["unstable"]) == changed.get(entry, 0)


@EACH_STYLE
def test_both_clients_work_over_http_too(vendor: str, style: str) -> None:
    app = torture.application("error_mid_walk")
    key = DIALECTS[vendor, style].key
    with Edge(app, refuser(app.emulator)) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        waits: list[float] = []
        good = Good(DIALECTS[vendor, style], over_httpx(client), 10, "any", lambda: "other", waits.append)
        kept = good.rows()
        with pytest.raises(Refused, match="500"):
            NAIVE[vendor, style](over_httpx(client), 10, "another")
        client.put("/__admin/scenario", json={"name": "quickstart"})
        assert len(NAIVE[vendor, style](over_httpx(client), 10, "any")) == 25
    assert len({key(row) for row in kept}) == len(kept) == 120
    assert waits == [2.0]


@pytest.mark.parametrize("vendor", all_vendors())
@pytest.mark.parametrize("entry", CATALOGUE)
def test_what_cannot_be_expressed_is_refused_with_the_reason(
    make_app: Callable[..., App], entry: str, vendor: str
) -> None:
    content = {"scenario": "x", "vendors": {vendor: {"runs": []}}}
    content["faults"] = [{"when": {"vendor": vendor}, "page_fault": entry}]
    if reason := why_not(all_vendors()[vendor], entry):
        with pytest.raises(ConfigError) as raised:
            make_app(content)
        assert f"faults[0].page_fault: found '{entry}', which {vendor} cannot express: {reason}" in str(raised.value)
    else:
        make_app(content)


@pytest.mark.parametrize(
    ("entry", "page", "words"),
    [
        ("page_size_clamp", 2, "found 2 beside page_size_clamp, which has no page of choice, expected no page"),
        ("repeat_token", 1, "found 1 beside repeat_token, which needs a page before, expected 2 or more"),
    ],
)
def test_an_entry_that_cannot_be_put_at_a_page_is_refused(
    make_app: Callable[..., App], entry: str, page: int, words: str
) -> None:
    fault = {"when": {"vendor": "oracle-aidp", "page": page}, "page_fault": entry}
    with pytest.raises(ConfigError) as raised:
        make_app({"scenario": "x", "vendors": {"oracle-aidp": {"runs": []}}, "faults": [fault]})
    assert f"faults[0].when.page: {words}" in str(raised.value)
