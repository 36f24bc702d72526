"""When two requests ask the same: what of a request is compared, part by part, and how two differ."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from localruns.engine.message import Request

Part = tuple[str | int, ...]
Parts = dict[Part, Any]
MAX_LISTED = 5
MAX_SHOWN = 80
_ORDER = ("method", "path", "query", "body", "header")
_KINDS = {"query": "query parameter", "body": "body field"}

# Names as `_plain` writes them. They change with every client or every call, so they never decide which answer fits.
_CREDENTIALS = {"accesskeyid", "accesstoken", "apikey", "clientid", "clientsecret", "clientassertion", "idtoken"}
_CREDENTIALS |= {"password", "refreshtoken", "securitytoken", "signature", "signaturenonce", "signaturemethod"}
_CREDENTIALS |= {"signatureversion", "signaturetype"}
_WHERE_SIGNED = {"timestamp", "expires", "nonce"}
_SIGNED = ("xamz", "xgoog", "xoss")


def parts(request: Request, match_on: Sequence[str]) -> Parts:
    """What of a request takes part in matching.

    Shape: by part, such as ("query", "PageSize") or ("body", "filter", 0), a value that can be hashed. Host, headers
    and what is a credential or belongs to a signature take no part unless `match_on` names them.
    """
    found: Parts = {}
    for wanted in match_on:
        kind, _, name = wanted.partition(".")
        if kind == "method":
            found["method",] = request.method
        elif kind == "path":
            # Segment by segment, so that an encoded slash is no slash.
            found["path",] = tuple(unquote(step, errors="surrogateescape") for step in request.path.split("/"))
        elif kind == "query":
            found.update(_named(_query(request), name) if name else _open(_query(request)))
        elif kind == "body":
            found.update(_within(_body(request), name) if name else _open(_body(request)))
        elif values := request.header_values(name.lower()):
            found["header", name.lower()] = tuple(values)
    return found


def differences(found: Mapping[Part, Any], expected: Mapping[Part, Any]) -> list[str]:
    """What to change in a request so that it asks the same, a few words each: `query parameter PageSize: ...`."""
    both = [part for part in {**expected, **found} if found.get(part) != expected.get(part)]
    both.sort(key=lambda part: (_ORDER.index(str(part[0])), label(part)))
    words = [f"{label(part)}: found {_shown(part, found)}, expected {_shown(part, expected)}" for part in both]
    more = [f"and {len(words) - MAX_LISTED} more"] if len(words) > MAX_LISTED else []
    return [*words[:MAX_LISTED], *more]


def label(part: Part) -> str:
    """A part in words: `query parameter PageSize`, `body field filter[0]`."""
    kind, *names = part
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in names)
    name = "".join(steps).removeprefix(".")
    if not name:
        return str(kind)
    return f"{_KINDS.get(str(kind), kind)} {name}"


def is_open(names: Iterable[str]) -> set[str]:
    """Those of the parameters of a request that are neither a credential nor part of a signature."""
    plain = {name: _plain(name) for name in names}
    closed = _CREDENTIALS | _WHERE_SIGNED if any("signature" in each for each in plain.values()) else _CREDENTIALS
    return {name for name, each in plain.items() if each not in closed and not each.startswith(_SIGNED)}


def _shown(part: Part, of: Mapping[Part, Any]) -> str:
    if part not in of:
        return "none"
    value = of[part]
    if part == ("path",):
        text = "/".join(step.replace("/", "%2F") for step in value)
    elif isinstance(value, tuple):
        text = repr(value[0]) if len(value) == 1 else repr(list(value))
    else:
        text = str(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def _query(request: Request) -> Parts:
    if request.undecodable:
        return {("query",): request.query}
    return _pairs("query", request.args)


def _pairs(kind: str, pairs: Sequence[tuple[str, str]]) -> Parts:
    """The values of each name; in which order pairs stand makes no difference."""
    found: dict[Part, list[str]] = {}
    for name, value in pairs:
        found.setdefault((kind, name), []).append(value)
    return {part: tuple(sorted(values)) for part, values in found.items()}


def _body(request: Request) -> Parts:
    """A JSON object or list field by field, a form pair by pair, anything else as bytes."""
    if not request.body:
        return {}
    try:
        if "x-www-form-urlencoded" in (request.header("content-type") or ""):
            pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, errors="strict")
            return _pairs("body", pairs) if pairs else {("body",): request.body}
        if request.body.lstrip()[:1] in (b"{", b"["):
            return dict(_fields(_loads(request.body)))
    except (ValueError, RecursionError):
        pass
    return {("body",): request.body}


class _Number(str):
    """A number as it was written: none is too large or too exact."""

    __slots__ = ()


def _loads(body: bytes) -> Any:
    return json.loads(body.decode(), parse_int=_Number, parse_float=_Number, parse_constant=_Number)


def _fields(content: Any) -> Iterator[tuple[Part, str]]:
    """Each value inside a JSON text as JSON, with the way to it."""
    rest: list[tuple[Part, Any]] = [(("body",), content)]
    while rest:
        part, value = rest.pop()
        if value and isinstance(value, dict):
            rest += [((*part, name), inner) for name, inner in reversed(value.items())]
        elif value and isinstance(value, list):
            rest += [((*part, index), inner) for index, inner in reversed([*enumerate(value)])]
        else:
            yield part, str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


def _named(found: Parts, name: str) -> Parts:
    return {part: value for part, value in found.items() if part[1:] == (name,)}


def _within(found: Parts, name: str) -> Parts:
    """The field of that name, a dotted way through the JSON, with all that is in it."""
    dotted = {part: ".".join(map(str, part[1:])) for part in found}
    return {part: found[part] for part, way in dotted.items() if way == name or way.startswith(f"{name}.")}


def _open(found: Parts) -> Parts:
    named = {str(part[1]) for part in found if len(part) == 2}
    closed = named - is_open(named)
    return {part: value for part, value in found.items() if len(part) != 2 or part[1] not in closed}


@lru_cache(1_000)
def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
