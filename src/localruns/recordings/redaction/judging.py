"""What of one text is a secret: by the name it stands under, or by its own form."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import replace

from localruns.recordings.redaction import encodings, forms, parts
from localruns.recordings.redaction.forms import Hit
from localruns.recordings.redaction.parts import Place
from localruns.recordings.redaction.rules import Rules
from localruns.reports import secrets

DEPTH = 4
_CREDENTIAL = re.compile(r"\b(?P<name>Credential|Signature|keyId|signature)=\"?(?P<value>[^\",\s]+)")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9-]*) +(?P<rest>\S.*)", re.DOTALL)
_COOKIE = re.compile(r"(?P<name>[^=;,\s]+)=(?P<value>[^;]*)")


def judge(place: Place, rules: Rules) -> list[Hit]:
    """The secrets in one text, in order and without overlaps; what is encoded in it is not looked into."""
    if place.where == "whole" or rules.keeps(place):
        return []
    kind = rules.kind(place) or secrets.kind(place.name)
    if (kind or "cookies" in place.path) and (hits := _by_name(place, kind, rules)) is not None:
        return hits
    if not place.is_text:
        return []
    return _without_overlaps([*rules.hits(place.value), *forms.hits(place.value), *forms.named(place.value)])


def _by_name(place: Place, kind: str, rules: Rules) -> list[Hit] | None:
    """The secrets in a text as its name tells them, None where it tells nothing."""
    if forms.is_masked(place.value):
        return []
    name = place.name.lower()
    if place.where == "header" or "headers" in place.path[:-1]:
        if name.endswith("authorization"):
            return _authorization(place.value)
        if name in ("cookie", "set-cookie"):
            return _cookies(place.value, once=name == "set-cookie")
    if "cookies" in place.path[:-1] and place.path[-1] == "value":
        return [Hit(f"cookie {place.name}", 0, len(place.value), True)]
    if kind in ("secret", "signature", "key") and _is_value(place, kind):
        lasting = kind != "signature"
        return [Hit(f"{kind} under the name {place.name}", 0, len(place.value), lasting)]
    if kind == "account" and forms.is_id(place.value):
        return [Hit("account", 0, len(place.value))]
    if kind == "page token" and hides(place, rules):
        return [Hit("page token with a secret in it", 0, len(place.value), True)]
    return None


def hides(place: Place, rules: Rules, depth: int = 0) -> bool:
    """Whether there is a secret in a text, at any depth of encodings."""
    bare = replace(place, name="")
    if depth < DEPTH and place.is_text and place.where != "whole":
        for _, _, meaning, _ in encodings.runs(place.value):
            if _found(replace(bare, value=meaning), rules, depth + 1):
                return True
    return bool(judge(bare, rules))


def _found(place: Place, rules: Rules, depth: int) -> bool:
    found = []

    def look(inner: Place) -> str:
        found.append(bool(judge(inner, rules)) or hides(inner, rules, depth))
        return inner.value

    parts.nested(place, look)
    return any(found)


def _is_value(place: Place, kind: str) -> bool:
    """Whether a value under the name of a secret can be one: neither a small number nor a sentence or a structure."""
    value = place.value
    if not place.is_text or value.isdigit():
        return value.isdigit() and len(value) >= 6
    if place.where in ("header", "query", "form"):
        return True
    strict = kind == "signature" or place.name.lower().endswith(("token", "sig"))
    return not strict or (
        len(value) >= 6 and not any(char in value for char in " \t\r\n") and not re.fullmatch(r"<.*>", value)
    )


def _authorization(value: str) -> list[Hit]:
    if _CREDENTIAL.search(value):
        return list(_attributes(value))
    split = _SCHEME.fullmatch(value)
    if not split:
        return [Hit("authorization", 0, len(value), True)]
    start, rest = split.start("rest"), split["rest"]
    if split["scheme"].lower() == "basic":
        return [Hit("basic credentials", start, len(value))]
    if split["scheme"].lower() in ("acs", "oss") and ":" in rest:
        cut = value.rindex(":")
        return [Hit("access key", start, cut, True), Hit("signature", cut + 1, len(value))]
    return [] if forms.is_masked(rest) else [Hit("authorization", start, len(value), True)]


def _attributes(value: str) -> Iterator[Hit]:
    for found in _CREDENTIAL.finditer(value):
        start = found.start("value")
        if found["name"] in ("Signature", "signature"):
            if not forms.is_masked(found["value"]):
                yield Hit("signature", start, found.end("value"))
            continue
        whole = found["value"]
        if whole.startswith("ST$"):
            yield Hit("session token", start, start + len(whole), True)
        elif found["name"] == "Credential":
            end = start + len(whole.split("/")[0])
            if not forms.is_masked(value[start:end]):
                yield Hit("access key", start, end, True)
        else:
            yield from _key_id(whole, start)


def _key_id(whole: str, start: int) -> Iterator[Hit]:
    """Tenancy, user and fingerprint of a key."""
    at = start
    for part in whole.split("/"):
        if not forms.is_masked(part):
            yield Hit("account", at, at + len(part), True)
        at += len(part) + 1


def _cookies(value: str, *, once: bool) -> list[Hit]:
    found = list(_COOKIE.finditer(value))[: 1 if once else None]
    return [
        Hit(f"cookie {pair['name']}", *pair.span("value"), lasting=True)
        for pair in found
        if not forms.is_masked(pair["value"])
    ]


def passwords(value: str) -> tuple[str, str]:
    """User and password of Basic credentials, two empty texts when they are none."""
    try:
        text = base64.b64decode(value + "=" * (-len(value) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", ""
    user, sign, password = text.partition(":")
    return (user, password) if sign else ("", "")


def _without_overlaps(hits: list[Hit]) -> list[Hit]:
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept
