"""Near misses: the closest endpoint, and what to change in a request to reach it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from localruns.engine.message import Request
from localruns.engine.routing import Router
from localruns.engine.vendor import Endpoint

_CLOSE = 0.6


def near_miss(router: Router, request: Request) -> str:
    """`method POST, expected GET; the path differs in '/run', expected '/runs' (ListRuns)`, or "" when far off."""
    endpoints = [endpoint for vendor in router.vendors for endpoint in vendor.endpoints]
    best = max(endpoints, key=lambda endpoint: _likeness(endpoint, request.path), default=None)
    if best is None or _likeness(best, request.path) < _CLOSE:
        return ""
    changes = []
    if request.method != best.method:
        changes.append(f"method {request.method}, expected {best.method}")
    changes += _path_changes(best.path, request.path)
    return f"{'; '.join(changes)} ({best.name})" if changes else ""


def nearest(router: Router, path: str) -> Endpoint | None:
    """The endpoint whose path is most like `path`."""
    endpoints = [endpoint for vendor in router.vendors for endpoint in vendor.endpoints]
    return max(endpoints, key=lambda endpoint: _likeness(endpoint, path), default=None)


def _likeness(endpoint: Endpoint, path: str) -> float:
    return difflib.SequenceMatcher(None, _filled(endpoint.path, path), path[:500]).ratio()


def _filled(pattern: str, path: str) -> str:
    """The pattern with its gaps filled from the path, so that ids do not count as differences."""
    ours, theirs = pattern.split("/"), path.split("/")
    pairs = zip(ours, theirs + [""] * (len(ours) - len(theirs)), strict=False)
    return "/".join(given if re.fullmatch(r"\{\w+\}", own) and given else own for own, given in pairs)


def _path_changes(pattern: str, path: str) -> Iterable[str]:
    wanted = _filled(pattern, path)
    if wanted == path:
        return []
    ours, theirs = wanted.split("/"), path.split("/")
    same = [i for i in range(min(len(ours), len(theirs))) if ours[i] != theirs[i]]
    if len(ours) == len(theirs) and len(same) == 1:
        return [f"the path differs only in {'/' + theirs[same[0]]!r}, expected {'/' + ours[same[0]]!r}"]
    return [f"the path is {path[:200]!r}, expected {wanted!r}"]
