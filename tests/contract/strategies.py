"""Requests that a client, a proxy or a fuzzer might send: mostly right, wrong in one or a few places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from localruns.engine.vendor import Vendor
from tests.clients.pagers import HEADERS, PLATFORM, STUDIO
from tests.contract.pieces import METHODS, NUMBERS, WORDS
from tests.contract.wire import Sent

Pairs = list[tuple[str, str]]
Parts = dict[str, Callable[[bool], st.SearchStrategy[Any]]]

# A byte per character, as on the wire; what a server's parser lets through.
TARGET_TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="#"), max_size=40)
HEADER_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40)

numbers = st.one_of(st.sampled_from(NUMBERS), st.integers().map(str), st.integers(1, 40).map(str))
words = st.one_of(st.sampled_from(WORDS), st.text(max_size=20))


@st.composite
def edited(draw: st.DrawFn, text: str) -> str:
    """A text that is cut, doubled, or has one character changed, put in or taken out."""
    at = draw(st.integers(0, len(text)))
    way = draw(st.sampled_from(["same", "cut", "tail", "change", "insert", "twice", "case"]))
    other = draw(st.characters(min_codepoint=0x21, max_codepoint=0x7E))
    return {
        "same": text,
        "cut": text[:at],
        "tail": text[at:],
        "change": text[:at] + other + text[at + 1 :],
        "insert": text[:at] + other + text[at:],
        "twice": text + text,
        "case": text.swapcase(),
    }[way]


@st.composite
def encoded(draw: st.DrawFn, text: str) -> str:
    """A query value on the wire: percent-encoded well, too much, too little or badly."""
    way = draw(st.sampled_from(["good"] * 12 + ["plus", "all", "raw", "broken", "bytes"]))
    good = quote(text, safe="", errors="replace")
    if way == "plus":
        return good.replace("%20", "+")
    if way == "all":
        return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "replace"))
    if way == "raw":
        return "".join(c if 0x20 < ord(c) < 0x100 and c not in "#&" else "?" for c in text)
    return (
        good + draw(st.sampled_from(["%", "%z", "%f", "%%", "%u0041"]))
        if way == "broken"
        else (good + "%ff%fe" if way == "bytes" else good)
    )


@st.composite
def query(
    draw: st.DrawFn, good: dict[str, st.SearchStrategy[str]], always: Pairs | None = None, odd: bool = True
) -> str:
    """A query string out of the vendor's own parameters; `odd`: doubled, misspelt, unknown, left out, badly encoded."""
    pairs = [pair for pair in always or [] if not odd or draw(st.booleans())]
    for name in draw(st.lists(st.sampled_from(sorted(good)), max_size=4, unique=not odd)):
        value = draw(st.one_of(good[name], words, numbers) if odd else good[name])
        pairs.append((draw(st.sampled_from([name, name, name.lower(), name + "[]", "", "x"])) if odd else name, value))
    if not odd:
        return "&".join(f"{name}={quote(value, safe='', errors='replace')}" for name, value in pairs)
    text = "&".join(f"{quote(name, safe='')}={draw(encoded(value))}" for name, value in pairs)
    return text + draw(st.sampled_from(["", "", "", "&", "&&", "&=", "&x", ";a=b", "?", "=", "\xff"]))


@st.composite
def headers(draw: st.DrawFn, vendor: str, more: dict[str, st.SearchStrategy[str]], odd: bool) -> Pairs:
    """Good credentials; `odd`: perhaps one left out, doubled or broken, and headers that change the answer."""
    pairs = list(HEADERS[vendor].items())
    if not odd:
        return pairs
    if draw(st.booleans()):
        at = draw(st.integers(0, len(pairs) - 1))
        name, value = pairs[at]
        broken = [[], [(name, "")], [(name, value)] * 2, [(name, value.swapcase())], [(name, draw(HEADER_TEXT))]]
        pairs[at : at + 1] = draw(st.sampled_from(broken))
    for name in draw(st.lists(st.sampled_from(sorted(more)), max_size=2)):
        pairs = [pair for pair in pairs if pair[0] != name or draw(st.integers(0, 9)) == 0]
        pairs.append((name, draw(more[name])))
    return pairs


@st.composite
def paths(draw: st.DrawFn, vendor: Vendor, names: dict[str, Sequence[str]], odd: bool) -> tuple[str, str]:
    """(method, path): an endpoint's own; `odd`: a neighbour's, an edited one, or anything below a prefix."""
    way = draw(st.sampled_from(["ids", "neighbour", "edited", "any"])) if odd else "own"
    lists = [vendor.endpoints[0]] * len(vendor.endpoints)
    place = draw(st.sampled_from(list(vendor.neighbours) if way == "neighbour" else [*lists, *vendor.endpoints]))
    path = place.path
    for name, values in names.items():
        path = path.replace(f"{{{name}}}", draw(st.sampled_from(values)) if way == "ids" else values[0])
    path = path.replace("{", "").replace("}", "")
    if way == "edited":
        path = "/" + draw(edited(path)).lstrip("/")
    if way == "any":
        path = draw(st.sampled_from(list(vendor.prefixes))) + draw(TARGET_TEXT).replace("?", "/")
    return place.method, path


@st.composite
def sent(draw: st.DrawFn, vendor: Vendor, names: dict[str, Sequence[str]], parts: Parts) -> Sent:
    """A whole request, odd in none, one or two of its parts. Shape: `parts` give a strategy for odd or not."""
    odd = draw(st.lists(st.sampled_from(["method", "path", "lead", "query", "headers", "body"]), max_size=2))
    method, target = draw(paths(vendor, names, "path" in odd))
    if "method" in odd:
        method = draw(st.sampled_from(METHODS))
    if text := draw(parts["query"]("query" in odd)):
        target += "?" + text
    if "lead" in odd:
        target = draw(st.sampled_from(["/", "/ns/default", "/ns/nowhere", "/ns/", "http://elsewhere"])) + target
    body = draw(parts["body"]("body" in odd)) if method == "POST" or "body" in odd else b""
    return Sent(method, target, draw(parts["headers"]("headers" in odd)), body)


RESOURCES: dict[str, dict[str, Sequence[str]]] = {
    "alibaba-pai": {},
    "naver-nsml": {},
    "oracle-aidp": {
        "aiDataPlatformId": [PLATFORM, "ocid1.other", "x", "%00", "%2F", "%ff", "a%20b", "é"],
        "workspaceKey": ["default", "Default", "other", "%2e%2e", "..", "%F0%9F%98%80"],
    },
    "palantir-foundry": {
        "modelStudioRid": [STUDIO, STUDIO[:-1], "ri.a.b.c.d", "ri.x", "x", "%ff", "ri.models..x.y%0A", "é"]
    },
}
COMMON: dict[str, st.SearchStrategy[str]] = {
    "Accept": st.sampled_from(
        ["*/*", "application/json", "text/html", "application/json;q=0", "", ",", "a/b;q=x", "\xff"]
    ),
    "Content-Type": st.sampled_from(
        ["application/json", "text/plain", "", ";", "application/x-www-form-urlencoded", "\xff"]
    ),
    "Prefer": st.sampled_from(
        ["code=429", "code=404", "code=999", "code=429; error=x", "code=", "wait=1", "code=1e3", "\xff"]
    ),
    "X-Localruns-Namespace": st.sampled_from(["default", "", "nowhere", "\xff", "a/b"]),
    "X-Odd": HEADER_TEXT,
}
