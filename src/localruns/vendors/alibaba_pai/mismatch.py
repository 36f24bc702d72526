"""Why a signature does not match: each alternative reading of the request is tried, the one that fits is named.

For the journal only. A secret, a security token and a right signature never stand in it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from urllib.parse import quote, quote_plus, unquote_to_bytes

from localruns.engine.call import Call
from localruns.vendors.alibaba_pai.canonical import (
    Authorization,
    Canonical,
    canonical_query,
    encoded,
    parse,
)

_MAX_TRIES = 300
_MAX_SEARCHED = 10_000
_MAX_SHOWN = 4_000
_SECRET = re.compile(r"token|secret|authorization|cookie")
Tries = Iterator[tuple[str, Canonical]]


def explain(call: Call, presented: Authorization, secret: str, forms: Sequence[Canonical]) -> str:
    """What differs, as far as it can be found, then what we computed."""
    ours = forms[0]
    return (
        f"{_verdict(call, presented, secret, forms)}; canonical request computed here: {_visible(ours)!r}, "
        f"its SHA-256: {ours.digest}"
    )


def _verdict(call: Call, presented: Authorization, secret: str, forms: Sequence[Canonical]) -> str:
    ours = forms[0]
    claimed = (call.request.header("x-acs-content-sha256") or "").strip()
    if claimed != ours.payload:
        return (
            f"the body differs: x-acs-content-sha256 is {claimed[:80]!r}, the SHA-256 of the {len(call.request.body)} "
            f"bytes received is {ours.payload!r}"
        )
    if not secret:
        return f"the scenario gives {presented.credential} no secret"
    if len(ours.text) > _MAX_SEARCHED:
        return f"the signed text has {len(ours.text)} characters, too many to search for what differs"
    for form in forms:
        for words, other in islice(_alternatives(form, call), _MAX_TRIES):
            if other.signature(secret) == presented.signature:
                return words
    for words, signature in _other_keys(call, presented, secret, ours):
        if signature == presented.signature:
            return words
    parts = ["method", "path", "query", *(f"header {name}" for name, _ in ours.headers), "body"]
    return (
        "no other reading of the request fits: either the client's secret differs from the scenario's, or one of the "
        f"signed parts was changed after signing ({', '.join(parts)})"
    )


def _alternatives(ours: Canonical, call: Call) -> Tries:
    """(what differs, the canonical request in that case), the likely ones first."""
    for tries in (_paths, _hosts, _left_out, _queries, _methods, _headers):
        yield from tries(ours, call)


def _paths(ours: Canonical, _call: Call) -> Tries:
    decoded = unquote_to_bytes(ours.path)
    for how, path in (
        ("decoded", decoded.decode("latin-1")),
        ("decoded and encoded again", quote(decoded, safe="/~")),
        ("encoded once more", quote(ours.path, safe="/~")),
        ("with single slashes", re.sub("/{2,}", "/", ours.path)),
        ("with a slash at its end", f"{ours.path}/"),
        ("without the slash at its end", ours.path.rstrip("/")),
    ):
        yield f"the path differs: the client signed it {how}, {path!r}", replace(ours, path=path)


def _hosts(ours: Canonical, call: Call) -> Tries:
    """Proxies and port forwards rewrite Host; the SDKs put an endpoint's scheme and prefix into it."""
    received = dict(ours.headers).get("host", "")
    plain = received.partition("://")[2] or received
    name, _, port = plain.partition("/")[0].partition(":")
    names = dict.fromkeys((name, "localhost", "127.0.0.1", "[::1]", "0.0.0.0", call.settings["host_id"]))
    bare = [f"{host}{suffix}" for host in names for suffix in dict.fromkeys((f":{port}", "", ":80", ":443"))]
    for host in (*bare, *(f"{host}{call.request.prefix}" for host in bare), *(f"http://{host}" for host in bare), ""):
        words = f"the header host differs: the client signed {host!r}, the request carries {received[:200]!r}"
        yield words, _with_header(ours, "host", host)


def _queries(ours: Canonical, call: Call) -> Tries:
    raw, pairs = call.request.query, parse(call.request.query)
    if not raw:
        return
    plus = parse(raw.replace("+", "%2B"))
    filled = [(name, value) for name, value in pairs if value]
    for how, query in (
        ("without any parameter", ""),
        ("as it was sent, not decoded and encoded again", raw),
        ("in the order of the request, not sorted by name", _joined(pairs, encoded)),
        ("with repeated parameters sorted by their values", canonical_query(sorted(pairs))),
        ("with a plus where a space is", _joined(sorted(pairs), _form_encoded)),
        ("not percent-encoded", _joined(sorted(pairs), _unencoded)),
        ("without the parameters that are empty", canonical_query(filled)),
        ("with its plus signs as %2B; in a query a bare plus is a space", canonical_query(plus)),
        ("with true and false in lower case", canonical_query(_cased(pairs, str.lower))),
        ("with True and False capitalised", canonical_query(_cased(pairs, str.capitalize))),
    ):
        yield f"the query differs: the client signed it {how}", replace(ours, query=query)


def _left_out(ours: Canonical, call: Call) -> Tries:
    """Each query parameter may have been added after signing."""
    pairs = parse(call.request.query)
    for index, (name, _) in enumerate(pairs[:100]):
        rest = [*pairs[:index], *pairs[index + 1 :]]
        words = f"the query differs: the client signed it without the parameter {name[:80]!r}"
        yield words, replace(ours, query=canonical_query(rest))


def _methods(ours: Canonical, _call: Call) -> Tries:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", ours.method.lower()):
        yield f"the method differs: the client signed {method!r}", replace(ours, method=method)


def _headers(ours: Canonical, _call: Call) -> Tries:
    """A client may leave a listed header out of its text, or list the headers in another order than it signs."""
    order = tuple(sorted(ours.headers))
    names = ";".join(name for name, _ in order)
    yield "the headers differ: the client signed them sorted", replace(ours, headers=order)
    yield (
        "SignedHeaders differs: the client signed it sorted and in lower case",
        replace(ours, headers=order, signed_headers=names),
    )
    for name, value in ours.headers:
        rest = tuple(header for header in ours.headers if header[0] != name)
        yield f"the header {name} differs: the client signed without it", replace(ours, headers=rest)
        for how, other in (("empty", ""), ("in lower case", value.lower())):
            yield f"the header {name} differs: the client signed it {how}", _with_header(ours, name, other)


def _other_keys(call: Call, presented: Authorization, secret: str, ours: Canonical) -> Iterable[tuple[str, str]]:
    """(what differs, the signature in that case) for slips around the secret and the last step."""
    right = ours.signature(secret)
    yield "the signature is upper-case hex, expected lower case", right.upper()
    yield "the signature is base64, expected lower-case hex", base64.b64encode(bytes.fromhex(right)).decode()
    yield "the secret was used with '&' behind it, as for RPC signatures", ours.signature(f"{secret}&")
    for how, other in (("blanks", f"{secret} "), ("a line break", f"{secret}\n"), ("a line break", f"{secret}\r\n")):
        yield f"the client's secret has {how} behind it", ours.signature(other)
    for name, known in call.state.credentials.items():
        if name != presented.credential and known.get("secret"):
            yield f"the request is signed with the secret of {name}", ours.signature(known["secret"])


def _with_header(ours: Canonical, name: str, value: str) -> Canonical:
    return replace(ours, headers=tuple((key, value if key == name else old) for key, old in ours.headers))


def _joined(pairs: Iterable[tuple[str, str]], write: Callable[[str], str]) -> str:
    return "&".join(f"{write(name)}={write(value)}" for name, value in pairs)


def _form_encoded(text: str) -> str:
    return quote_plus(text, safe="~", errors="surrogateescape")


def _unencoded(text: str) -> str:
    """The text's UTF-8 bytes, a character each, as all text from the wire is."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _cased(pairs: Iterable[tuple[str, str]], write: Callable[[str], str]) -> list[tuple[str, str]]:
    return [(name, write(value) if value.lower() in ("true", "false") else value) for name, value in pairs]


def _visible(ours: Canonical) -> str:
    """The canonical request without what must stay out of the journal; its `repr` shows the line breaks."""
    kept = tuple((name, "(not kept)" if _SECRET.search(name) else value) for name, value in ours.headers)
    text = replace(ours, headers=kept).text
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}... ({len(text)} characters)"
