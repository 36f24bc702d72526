"""The settings of a vendor as its recorded answers show them; what they do not show keeps its default."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from localruns import schemas
from localruns.engine.recorded.exchange import json_of
from localruns.engine.scenario import default_settings
from localruns.recordings.reading.recognising import Known
from localruns.recordings.rebuilding.seen import Seen


class Habits:
    """Collects what answers show of a vendor's open rules; `settings()` are those that differ from their default."""

    def __init__(self, vendor: str) -> None:
        self._vendor = vendor
        self._shown: dict[str, Any] = {}
        self._totals: dict[bool, set[bool]] = {True: set(), False: set()}
        self._page_totals: set[bool] = set()
        self._defaults = default_settings(vendor)
        self._known = schemas.bundled(f"{vendor}/scenario.json")["properties"]["settings"]["properties"]

    def note(self, known: Known, seen: Seen) -> None:
        """Learn from one exchange."""
        for look in _LOOKS.get(self._vendor, ()):
            self._shown.update(look(known, seen))
        if seen.good:
            self._totals[seen.by_number].add(seen.total is not None)
            if seen.by_number and seen.total is not None and seen.page > 1:
                self._page_totals.add(seen.total == seen.rows)

    def settings(self, calls: Sequence[Seen]) -> dict[str, Any]:
        """The settings that differ from their defaults, in the order of the schema."""
        found = {**self._shown, **_sizes(calls, self._defaults), **self._total_count()}
        return {name: found[name] for name in self._known if name in found and found[name] != self._defaults[name]}

    def _total_count(self) -> dict[str, Any]:
        choices = self._known.get("total_count", {}).get("enum", ())
        if "page" in choices and self._page_totals == {True}:
            return {"total_count": "page"}
        if "never" in choices and any(self._totals.values()):
            by_number, by_token = self._totals[True], self._totals[False]
            if True not in by_number | by_token:
                return {"total_count": "never"}
            if by_token == {False}:
                return {"total_count": "page_mode"}
        return {}


def _sizes(calls: Sequence[Seen], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Default and largest page size: what came where none, or more, was asked."""
    found: dict[str, Any] = {}
    unasked = [seen for seen in calls if seen.good and seen.asked.size is None]
    asked = [seen for seen in calls if seen.good and seen.asked.size is not None]
    whole = [seen.rows for seen in unasked if seen.more or _goes_on(seen)]
    if whole:
        found["default_page_size"] = max(whole)
    elif (most := max((seen.rows for seen in unasked), default=0)) > defaults["default_page_size"]:
        found["default_page_size"] = most
    cut = [seen for seen in asked if 0 < seen.rows < (seen.asked.size or 0) and (seen.more or _goes_on(seen))]
    largest = max((seen.rows for seen in calls), default=0)
    if cut and max(seen.rows for seen in cut) == largest:
        found["max_page_size"] = largest
        if "too_large" in defaults:
            found["too_large"] = "clamp"
    elif largest > defaults["max_page_size"]:
        found["max_page_size"] = largest
    return found


def _goes_on(seen: Seen) -> bool:
    """Whether a numbered page is followed by more rows, by what the answer says."""
    size = seen.rows
    return seen.by_number and seen.total is not None and seen.rows > 0 and seen.page * size < seen.total


def _alibaba(known: Known, seen: Seen) -> Iterator[tuple[str, Any]]:
    content = json_of(known.exchange.reply.body)
    if not seen.good and isinstance(content, dict):
        if isinstance(content.get("HostId"), str) and content["HostId"]:
            yield "host_id", content["HostId"]
        if seen.code.startswith("Throttling") and seen.status == 400:
            yield "throttled_status", 400
    given, rows = seen.asked.rest, content.get("Runs") if isinstance(content, dict) else None
    for row in rows if isinstance(rows, list) else ():
        name = row.get("Name") if isinstance(row, dict) else None
        if given.get("Name") and isinstance(name, str) and name != given["Name"] and given["Name"] in name:
            yield "name_match", "contains"
        created = row.get("GmtCreateTime") if isinstance(row, dict) else None
        if given.get("GmtCreateTime") and isinstance(created, str) and created > given["GmtCreateTime"]:
            yield "gmt_create_time_match", "from"


def _oracle(known: Known, seen: Seen) -> Iterator[tuple[str, Any]]:
    content = json_of(known.exchange.reply.body)
    if not seen.good and isinstance(content, dict) and "error_code" in content and "code" in content:
        yield "error_code", True


def _foundry(known: Known, seen: Seen) -> Iterator[tuple[str, Any]]:
    content = json_of(known.exchange.reply.body)
    if seen.good and str(seen.asked.rest.get("preview", "")).lower() != "true":
        yield "require_preview", False
    if not seen.good and isinstance(content, dict) and "errorDescription" in content:
        yield "error_description", True
    if known.endpoint.name == "GetToken" and isinstance(content, dict):
        lives = content.get("expires_in")
        if isinstance(lives, int) and lives > 0:
            yield "access_token_ttl_s", lives


_LOOKS: Mapping[str, Sequence[Callable[[Known, Seen], Iterator[tuple[str, Any]]]]] = {
    "alibaba-pai": (_alibaba,),
    "oracle-aidp": (_oracle,),
    "palantir-foundry": (_foundry,),
}
