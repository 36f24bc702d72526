"""Secrets in other clothes: base64, hex, percent-encoding, JSON and form escapes."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote

from localruns.recordings.redaction import jsontext

_LEAST = 3  # characters: one that is percent-encoded
_RUN = re.compile(
    r"(?P<percent>(?<![A-Za-z0-9._~+$!*'():@,;/=-])[A-Za-z0-9._~+$!*'():@,;/=-]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._~+$!*'():@,;/=-]*)+)"
    r"|(?P<hex>(?<![A-Za-z0-9])(?:[0-9a-f]{16,}|[0-9A-F]{16,})(?![A-Za-z0-9]))"
    r"|(?P<base64>(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/]{12,}|[A-Za-z0-9_-]{12,})={0,2}(?![A-Za-z0-9+/_=-]))"
)
_PLAIN = re.compile(r"[\t\n\r\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def variants(secret: str) -> list[str]:
    """All texts in which a secret may stand in another text, itself first."""
    found = _variants(secret)
    try:
        # Bytes of UTF-8 in a header are read as one character each.
        meant = secret.encode("latin-1").decode()
    except UnicodeError:
        meant = secret
    found += [] if meant == secret else _variants(meant)
    return [text for text in dict.fromkeys(found) if len(text) >= 6]


def _variants(secret: str) -> list[str]:
    raw = secret.encode("utf-8", "replace")
    found = [secret, quote(secret), quote(secret, safe=""), quote_plus(secret), jsontext.quoted(secret)[1:-1]]
    found += [text.replace("/", "\\/") for text in found[:1]] + [re.sub("%..", lambda m: m[0].lower(), found[2])]
    found += [raw.hex(), raw.hex().upper(), "".join(f"%{byte:02X}" for byte in raw)]
    found += [json.dumps(secret)[1:-1], raw.decode("latin-1"), secret.replace("&", "&amp;").replace('"', "&quot;")]
    found += ["\0".join(secret)]  # UTF-16, both ways
    for text in map(
        _core, (raw, b"\0" + raw, b"\0\0" + raw), (0, 2, 3), ((len(raw) + shift) % 3 for shift in range(3))
    ):
        found += [text, text.replace("+", "-").replace("/", "_")]
    return found


def runs(text: str) -> Iterator[tuple[int, int, str, Callable[[str], str]]]:
    """The encoded texts in a text: from, to, what they mean, and how a changed meaning is written in the same way."""
    for found in _RUN.finditer(text) if len(text) >= _LEAST else ():
        decode = {"percent": _percent, "hex": _hex, "base64": _base64}[found.lastgroup or ""]
        meaning = decode(found[0])
        if meaning and meaning[0] != found[0] and _PLAIN.fullmatch(meaning[0]):
            yield *found.span(), *meaning


def _core(raw: bytes, skip: int, over: int) -> str:
    """The part of the base64 of `raw` that hangs on none of its neighbours."""
    text = base64.b64encode(raw).decode().rstrip("=")
    return text[skip : len(text) - (1 if over else 0)]


def _percent(run: str) -> tuple[str, Callable[[str], str]] | None:
    plus = " " not in run and "%20" not in run and "+" in run
    meaning = unquote(run.replace("+", " ") if plus else run)
    return meaning, quote_plus if plus else lambda text: quote(text, safe="")


def _hex(run: str) -> tuple[str, Callable[[str], str]] | None:
    if len(run) % 2:
        return None
    upper = run.upper() == run
    text = _text(bytes.fromhex(run))
    return None if text is None else (text, lambda new: new.encode().hex().upper() if upper else new.encode().hex())


def _base64(run: str) -> tuple[str, Callable[[str], str]] | None:
    urlsafe = "-" in run or "_" in run
    plain = run.rstrip("=")
    padded = plain != run or len(plain) % 4 == 0
    try:
        raw = base64.b64decode(plain + "=" * (-len(plain) % 4), b"-_" if urlsafe else b"+/", validate=True)
    except (binascii.Error, ValueError):
        return None
    text = _text(raw)

    def encode(new: str) -> str:
        written = (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(new.encode()).decode()
        return written if padded else written.rstrip("=")

    return None if text is None else (text, encode)


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
