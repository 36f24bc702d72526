"""A body held against a schema: which fields, types, forms and listed values differ, told as shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from localruns import placeholders, schemas
from localruns.recordings.drift.kinds import Deviation

_MEMBER = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,59}")
_TIME = re.compile(r"(9999-99-99)a(99:99)", re.IGNORECASE)
_LONGEST = 40
Path = Sequence[str | int]
Schema = Mapping[str, Any]


def deviations(reference: str, body: Any, place: str, skip: Sequence[str] = ()) -> Iterator[Deviation]:
    """How a body differs from a schema. `place` stands before each pointer, `skip` names keys that others look at."""
    seen = set()
    if not schemas.validator(reference).is_valid(body):
        for error in schemas.validator(reference).iter_errors(body):
            path = list(error.instance_path)
            if path and path[0] in skip:
                continue
            for deviation in _of(error, reference, body, path, place):
                mark = (deviation.kind, deviation.place, *path)
                if mark not in seen:
                    seen.add(mark)
                    yield deviation
    if _is_open(reference):
        yield from _unknown(schemas.bundled(reference), schemas.bundled(reference), body, place + " ")


def kind_of(value: Any) -> str:
    """The JSON type of a value in words."""
    if value is None:
        return "null"
    named = {bool: "true or false", int: "integer", float: "number", str: "text", list: "list", dict: "mapping"}
    return "empty text" if value == "" else named[type(value)]


def form_of(value: Any) -> str:
    """The form of a text: digits as 9, letters as a and A; of anything else its type."""
    if not isinstance(value, str) or not value:
        return kind_of(value)
    form = "".join("9" if c.isdigit() else ("A" if c.isupper() else "a") if c.isalpha() else c for c in value[:200])
    form = _TIME.sub(r"\1T\2", form)
    form = re.sub(r"(9{5,}|a{5,}|A{5,})", lambda found: found[0][0] * 3 + "...", form)
    return f"text like {form[:_LONGEST]}" + ("..." if len(form) > _LONGEST else "")


def member(value: Any) -> str:
    """A name out of a list of names; anything that is no such name as its form."""
    return value if isinstance(value, str) and _MEMBER.fullmatch(value) else form_of(value)


def pointer(reference: str, path: Path) -> str:
    """Where a value stands: places in lists and free keys are `*`."""
    node: Any = schemas.bundled(reference)
    root, steps = node, []
    for step in path:
        node = resolved(root, node)
        known = isinstance(step, str) and step in node.get("properties", {})
        steps.append(str(step) if known else "*")
        if known:
            node = node["properties"][step]
        else:
            node = node.get("items" if isinstance(step, int) else "additionalProperties", {})
            node = node if isinstance(node, dict) else {}
    return "/" + "/".join(steps) if steps else ""


def _of(error: Any, reference: str, body: Any, path: Path, place: str) -> Iterator[Deviation]:
    """One breach of the schema as deviations."""
    kind, value = error.kind.name, _at(body, path)
    where = f"{place} {pointer(reference, path)}"
    if kind == "additionalProperties":
        for name in error.kind.unexpected:
            yield Deviation("field-added", f"{where}/{name}", kind_of(value[name]), "no such field")
    elif kind == "required":
        yield Deviation("field-removed", f"{where}/{error.kind.property}", "no such field", "always there")
    elif isinstance(value, str) and placeholders.holds(value):
        return
    elif kind == "type":
        yield Deviation("type-changed", where, kind_of(value), " or ".join(map(_type, error.kind.types)))
    elif kind in ("enum", "const"):
        listed = error.kind.options if kind == "enum" else [error.kind.expected_value]
        changed = kind_of(value) not in {*map(kind_of, listed), "empty text"}
        found = kind_of(value) if changed else member(value)
        expected = "one of: " + ", ".join(str(each) for each in listed if each is not None)
        yield Deviation("type-changed" if changed else "enum-value", where, found, expected)
    elif kind in ("anyOf", "oneOf"):
        inner = [leaf for way in error.kind.context for leaf in way]
        types = all(leaf.kind.name == "type" for leaf in inner)
        expected = "another type" if types else "another form"
        yield Deviation("type-changed" if types else "format-changed", where, form_of(value), f"not {expected}")
    else:
        bound = getattr(error.kind, "pattern", getattr(error.kind, "format", getattr(error.kind, "limit", "")))
        words = {"pattern": "text of the form", "format": "the format"}.get(kind, kind)
        yield Deviation("format-changed", where, form_of(value), f"{words} {bound}".strip())


def _type(name: str) -> str:
    words = {"string": "text", "object": "mapping", "array": "list", "boolean": "true or false"}
    return words.get(str(name), str(name))


def _at(body: Any, path: Path) -> Any:
    for step in path:
        body = body[step]
    return body


@cache
def _is_open(reference: str) -> bool:
    """Whether the schema lets fields through that it does not know."""
    return any(_lets_through(node) for node in _nodes(schemas.bundled(reference)))


def _lets_through(node: Schema) -> bool:
    return bool(node.get("type") == "object" and node.get("properties")) and "additionalProperties" not in node


def _nodes(node: Any) -> Iterator[Schema]:
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from _nodes(inner)


def resolved(root: Schema, node: Schema) -> Schema:
    """What a node refers to."""
    while "$ref" in node:
        found: Any = root
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def _unknown(root: Schema, node: Schema, value: Any, place: str) -> Iterator[Deviation]:
    """Fields that are let through although nobody knows them."""
    node = resolved(root, node)
    if isinstance(value, dict):
        properties, rest = node.get("properties", {}), node.get("additionalProperties")
        for name, inner in value.items():
            if name in properties:
                yield from _unknown(root, properties[name], inner, f"{place}/{name}")
            elif isinstance(rest, dict):
                yield from _unknown(root, rest, inner, f"{place}/*")
            elif _lets_through(node):
                yield Deviation("field-added", f"{place}/{name}", kind_of(inner), "no such field")
    elif isinstance(value, list) and isinstance(node.get("items"), dict):
        for inner in value:
            yield from _unknown(root, node["items"], inner, f"{place}/*")
