"""The JSON Schemas, and what is wrong with a value in words a person can act on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import orjson

from localruns.paths import schemas_dir

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

Schema = dict[str, Any]


@cache
def names() -> list[str]:
    """All schema files, such as `problem.json` and `alibaba-pai/list-runs.json`."""
    folder = schemas_dir()
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.json"))


@cache
def raw(file: str) -> Schema:
    """A schema file as it stands."""
    schema: Schema = orjson.loads((schemas_dir() / file).read_bytes())
    return schema


@cache
def bundled(reference: str) -> Schema:
    """The schema `file.json` or `file.json#/$defs/Name` as one document without outside references."""
    file, _, pointer = reference.partition("#")
    files: dict[str, Schema] = {}
    _collect(file, files)
    root: Schema = _absolute(files[file], file)
    root["$defs"] = {name: _absolute(schema, name) for name, schema in files.items()}
    if pointer:
        root = {"$ref": _pointer(file, pointer), "$defs": root["$defs"]}
    return root


@cache
def validator(reference: str) -> jsonschema_rs.Draft202012Validator:
    """The fast checker of that schema, formats asserted."""
    return jsonschema_rs.Draft202012Validator(bundled(reference), validate_formats=True)


def pointers(reference: str, value: Any) -> tuple[str, ...]:
    """Where and how `value` breaks the schema, one short text per breach; empty when it holds."""
    found = []
    for error in validator(reference).iter_errors(value):
        where = "/" + "/".join(str(step) for step in error.instance_path)
        found.append(f"{where}: {error.message}"[:300])
    return tuple(found)


@cache
def explainer(reference: str) -> Validator:
    """The slow checker of that schema, which says more; its verdict is that of the fast one."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    kind = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
    checker: Validator = kind(bundled(reference), format_checker=Draft202012Validator.FORMAT_CHECKER)
    return checker


def explain(reference: str, value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each breach as (key path, `found ..., expected ...`), in the order of the file."""
    # Keys of one mapping are texts and places in one list numbers, so two paths never compare a text with a number.
    for error in sorted(explainer(reference).iter_errors(value), key=lambda error: list(error.absolute_path)):
        leaf = _leaf(error)
        for more, words in _words(leaf):
            yield (*leaf.absolute_path, *more), words


def near(word: str, known: Sequence[str]) -> str:
    """`, did you mean 'x'?` when something close is known, else nothing."""
    folded = {name.lower(): name for name in reversed(known)}
    close = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return f", did you mean {folded[close[0]]!r}?" if close else ""


def _leaf(error: ValidationError) -> ValidationError:
    """The breach inside an alternative that comes closest to being meant."""
    while error.context and error.validator in ("oneOf", "anyOf"):
        error = max(error.context, key=lambda inner: (len(inner.absolute_path), inner.validator != "type"))
    return error


def _pattern(_checker: Validator, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    """Patterns as JSON Schema means them: in Python alone a `$` also stands before a line feed at the end."""
    from jsonschema.exceptions import ValidationError

    meant = re.sub(r"\\.|\$", lambda found: r"\Z" if found[0] == "$" else found[0], pattern)
    if isinstance(value, str) and not re.search(meant, value, re.ASCII):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _words(error: ValidationError) -> Iterator[tuple[tuple[str, ...], str]]:
    value: Any = error.instance
    wanted: Any = error.validator_value
    schema: Any = error.schema
    schema = schema if isinstance(schema, Mapping) else {}
    found = f"found {_shown(value)}"
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        for key in [key for key in value if key not in known]:
            listed = f", expected one of: {', '.join(known)}" if known else ""
            yield (key,), f"found unknown key {key!r}{near(key, known)}{listed}"
    elif error.validator == "required":
        # One breach per missing key, told apart by its message only.
        missing = next(key for key in wanted if error.message.startswith(repr(key)))
        yield (), f"found no {missing!r}, expected it beside {', '.join(value) or 'nothing else'}"
    elif error.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        yield (), f"{found}, expected {' or '.join(_KINDS.get(kind, kind) for kind in kinds)}"
    elif error.validator in ("enum", "const"):
        choices = wanted if error.validator == "enum" else [wanted]
        hint = near(str(value), [str(choice) for choice in choices])
        yield (), f"{found}{hint}, expected {'one of: ' if len(choices) > 1 else ''}{', '.join(map(str, choices))}"
    elif error.validator in _BOUNDS:
        yield (), f"{found}, expected {_BOUNDS[error.validator].format(wanted)}"
    else:
        yield (), f"{found}: {error.message}"


_KINDS = {"string": "text", "object": "a mapping", "array": "a list", "integer": "an integer", "number": "a number"}
_BOUNDS = {
    "pattern": "text of the form {}",
    "minimum": "{} or more",
    "maximum": "{} or less",
    "exclusiveMinimum": "more than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "format": "the format {}",
}


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"a mapping of {', '.join(list(value)[:6]) or 'nothing'}"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _collect(file: str, files: dict[str, Schema]) -> None:
    if file in files:
        return
    files[file] = orjson.loads((schemas_dir() / file).read_bytes())
    for ref in _refs(files[file]):
        other = ref.partition("#")[0]
        if other:
            _collect(_beside(file, other), files)


def _refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _refs(value)


def _absolute(node: Any, file: str) -> Any:
    """`node` with each reference made to point into the bundle."""
    if isinstance(node, list):
        return [_absolute(value, file) for value in node]
    if not isinstance(node, dict):
        return node
    result = {key: _absolute(value, file) for key, value in node.items() if key != "$id"}
    if isinstance(node.get("$ref"), str):
        other, _, pointer = node["$ref"].partition("#")
        result["$ref"] = _pointer(_beside(file, other) if other else file, pointer)
    return result


def _beside(file: str, other: str) -> str:
    parts = [*file.split("/")[:-1], *other.split("/")]
    folded: list[str] = []
    for part in parts:
        folded = folded[:-1] if part == ".." else [*folded, part]
    return "/".join(folded)


def _pointer(file: str, pointer: str) -> str:
    return "#/$defs/" + file.replace("~", "~0").replace("/", "~1") + pointer
