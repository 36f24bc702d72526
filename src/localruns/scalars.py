"""What a plain YAML scalar means: the YAML 1.2 core schema, and text wherever a JSON Schema wants text only."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

Schema = dict[str, Any]

MAX_DIGITS = 300
KINDS = {"int": "integer", "float": "number", "bool": "boolean", "null": "null"}
_NAMES = {str: "string", bool: "boolean", type(None): "null"}
INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_EXPECTED = {
    "int": f"an integer of at most {MAX_DIGITS} digits",
    "float": "a finite number that fits 64 bits; a metric's NaN or Infinity is written as text",
    "bool": "true or false",
    "null": "null",
}


def value(kind: str, text: str, guides: Sequence[Schema]) -> Any:
    """The value of a scalar of that kind where `guides` apply. Raises ValueError with what was expected."""
    wanted = {name for guide in guides for name in _types(guide)}
    accepted = {KINDS[kind]} | ({"number"} if kind == "int" else set())
    if "string" in wanted and not wanted & accepted:
        return text
    meant = _plain(kind, text)
    if kind == "float" and "integer" in wanted and meant.is_integer():
        meant = int(meant)  # `1e3` is an integer to JSON Schema, but would be a float to whoever counts with it
    if type(meant) is int and "integer" in wanted and "number" not in wanted and not -(2**63) <= meant < 2**64:
        raise ValueError("an integer of 64 bits")
    return meant


def short(text: str) -> str:
    """The text quoted, cut when it is long."""
    return repr(text) if len(text) <= 60 else repr(text[:57]) + "..."


def _types(guide: Schema) -> Iterator[str]:
    kinds = guide.get("type", ())
    yield from [kinds] if isinstance(kinds, str) else kinds
    for value in [*guide.get("enum", ()), *([guide["const"]] if "const" in guide else [])]:
        yield _NAMES.get(type(value), "number")


def _plain(kind: str, text: str) -> Any:
    """The value of a scalar. Raises ValueError with what was expected: a tag may stand before anything."""
    if kind == "null" and text in ("", "~", "null", "Null", "NULL"):
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "int" and len(text) <= MAX_DIGITS and INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if kind == "float" and FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    raise ValueError(_EXPECTED[kind])
