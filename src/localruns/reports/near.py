"""Near misses: the closest endpoint, and what to change in a request to reach it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from localruns.engine.described import Operation
from localruns.engine.kept import kept
from localruns.engine.message import Request, parse_query
from localruns.engine.routing import Router
from localruns.engine.vendor import Endpoint, Vendor
from localruns.schemas import bundled, near

_CLOSE = 0.6
_LISTED = 5
_LONGEST = 300  # of a path, so that no request takes long to compare
_GAP = re.compile(r"\{\w+\}")


def near_miss(router: Router, request: Request) -> str:
    """`close to ListRuns: method POST, expected GET; the path differs only in '/run', expected '/runs'`.

    An empty text when nothing is close, or nothing is to be changed.
    """
    best = _best(router, request.path, request.method)
    if best is None or _likeness(best, request.path) < _CLOSE:
        return ""
    changes = []
    if request.method != best.method:
        changes.append(f"method {request.method[:40]}, expected {best.method}")
    changes += _path_changes(best.path, request.path)
    return f"close to {best.name}: {'; '.join(changes)}" if changes else ""


def ignored(vendor: Vendor, endpoint: Endpoint, request: Request) -> str:
    """`pagesize is ignored, did you mean 'PageSize'?` for what the operation does not read, else ""."""
    key = (vendor.id, endpoint.name)
    known = _reads.get(key) or _reads.setdefault(key, _read(vendor, endpoint.name))
    unread = _unread_args(request.query, known)
    if request.body and known.body_names:
        unread += _unread_members(request.body, known)
    if not unread:
        return ""
    hints = [f"{name[:80]} is ignored{near(name[:80], known.names)}" for name in list(dict.fromkeys(unread))[:_LISTED]]
    return "; ".join(hints)


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    names: Sequence[str]
    body_names: bool


_reads: dict[tuple[str, str], _Read] = {}


def _read(vendor: Vendor, operation: str) -> _Read:
    """The names that an operation reads in its query and at the top of its JSON body."""
    described = vendor.contract.operations.get(operation, Operation(""))
    names = [parameter.name for parameter in described.parameters if parameter.place == "query"]
    in_body = described.body_type == "application/json" and bool(described.body)
    if in_body:
        names += bundled(described.body).get("properties", {})
    return _Read(names, in_body)


@kept
def _unread_args(query: str, known: _Read) -> tuple[str, ...]:
    return tuple(name for name, _ in parse_query(query)[0] if name not in known.names)


@kept
def _unread_members(body: bytes, known: _Read) -> tuple[str, ...]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ()
    return tuple(name for name in found if name not in known.names) if isinstance(found, dict) else ()


def nearest(router: Router, path: str) -> Endpoint | None:
    """The endpoint whose path is most like `path`."""
    return _best(router, path, "")


def _best(router: Router, path: str, method: str) -> Endpoint | None:
    """The likest path; of equal ones that of the same method."""
    endpoints = [endpoint for vendor in router.vendors for endpoint in vendor.endpoints]
    return max(endpoints, key=lambda each: (_likeness(each, path), each.method == method), default=None)


def _likeness(endpoint: Endpoint, path: str) -> float:
    """From 0 to 1; ids are no difference, whatever they are."""
    ours = _GAP.sub("*", endpoint.path)
    theirs = _filled(endpoint.path, path, "*")
    return difflib.SequenceMatcher(None, ours, theirs[:_LONGEST], autojunk=False).ratio()


def _filled(pattern: str, path: str, gap: str) -> str:
    """The path with `gap` wherever the pattern has a `{parameter}`."""
    parts = path.split("/", 40)
    for at, own in enumerate(pattern.split("/")[: len(parts)]):
        if _GAP.fullmatch(own) and parts[at]:
            parts[at] = gap
    return "/".join(parts)


def _path_changes(pattern: str, path: str) -> list[str]:
    ours, theirs = pattern.split("/"), path.split("/")
    if len(ours) != len(theirs):
        return [f"the path is {_short(path)}, expected {pattern!r}"]
    differing = [
        (own, given)
        for own, given in zip(ours, theirs, strict=True)
        if own != given and not (_GAP.fullmatch(own) and given)
    ]
    if len(differing) > 1:
        return [f"the path is {_short(path)}, expected {pattern!r}"]
    return [f"the path differs only in {_short('/' + given)}, expected {'/' + own!r}" for own, given in differing]


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")
