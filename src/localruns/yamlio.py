"""Reads YAML without its traps, and remembers on which line each key stands.

Scalars follow the YAML 1.2 core schema (`no` and `12:30:00` are text), and stay text wherever the JSON Schema
at that place allows text but not what the scalar would be (`WorkspaceId: 145883`). Duplicate keys, aliases
that explode and files over the size limit are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml

from localruns import scalars
from localruns.errors import ConfigError

Path_ = tuple[str | int, ...]
Schema = dict[str, Any]

MAX_BYTES = 64 * 1024 * 1024
MAX_ALIASED_NODES = 100_000
MAX_DEPTH = 100
_GUIDES = ("oneOf", "anyOf", "allOf")
_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!")


class Document:
    """One YAML file: `value(schema)` builds it, `line(path)` finds a key again."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.text = text
        self._root = _compose(text, name)

    def value(self, schema: Schema) -> Any:
        """The content as plain Python values, texts kept where `schema` wants text."""
        return NodeBuilder(self.name, schema).build(self._root, (schema,), ())

    def line(self, path: Sequence[str | int]) -> int:
        """The line (from 1) of the deepest node on `path` that exists."""
        node, line = self._root, self._root.start_mark.line
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return int(line) + 1


def read_text(path: Path) -> str:
    """The file's text. Raises ConfigError: missing, unreadable, too large, not UTF-8."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ConfigError(f"{path}: found a file of over {MAX_BYTES:,} bytes, expected at most that")
        return raw.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}") from None


def load(path: Path) -> Any:
    """The content of a YAML file of ours, no schema asked."""
    return Document(read_text(path), str(path)).value({})


def dump(value: Any) -> str:
    """`value` as YAML that a person likes to read, keys in their own order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class Loader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]
    """Reads scalars as YAML 1.2 does."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}
    _depth = 0

    def descend_resolver(self, parent: yaml.Node | None, _index: Any) -> None:
        """Called for each node; left to itself the C composer recurses until the process dies."""
        self._depth += 1
        if self._depth > MAX_DEPTH and parent is not None:
            words = f"found nesting too deep, expected at most {MAX_DEPTH} levels"
            raise yaml.MarkedYAMLError(problem=words, problem_mark=parent.start_mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", scalars.INT.pattern, list("-+0123456789")),
    ("float", scalars.FLOAT.pattern + r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.0123456789")),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


class Block(str):
    """A text that is written on lines of its own where YAML can do so without changing it."""


class _Dumper(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper):  # type: ignore[misc]
    """Writes text so that every YAML reader, old or new, reads text again."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    # Between single quotes a reader would take this one for a line break.
    style = '"' if "\x85" in text else None
    node: yaml.Node = dumper.represent_scalar("tag:yaml.org,2002:str", text, style)
    return node


def _block(dumper: _Dumper, text: Block) -> yaml.Node:
    # Two line breaks at the end would close the document; a space at the start asks for a mark.
    plain = text.strip("\n ") and not text.endswith("\n\n") and text[0] not in "\n "
    odd = any(char in text for char in "\r\x85\u2028\u2029\ufeff")
    node: yaml.Node = dumper.represent_scalar("tag:yaml.org,2002:str", str(text), "|" if plain and not odd else '"')
    return node


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Block, _block)
for _tag, _pattern in (("int", scalars.INT.pattern), ("float", scalars.FLOAT.pattern)):
    # The writer's own rules are YAML 1.1, to which `1e5` and `0o17` are text.
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list("-+.0123456789"))


def invalid(name: str, error: Exception) -> ConfigError:
    """What to say of a file that is no YAML."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return ConfigError(f"{name}: not valid YAML: {' '.join(str(error).split())}")
    mark = error.problem_mark or error.context_mark
    where = f"{name}:{mark.line + 1}" if mark else name
    words = ", ".join(part for part in (error.context, error.problem) if part)
    return ConfigError(f"{where}: not valid YAML: {words}")


def _compose(text: str, name: str) -> yaml.Node:
    try:
        node = yaml.compose(text, Loader=Loader)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise invalid(name, error) from None
    if node is None:
        raise ConfigError(f"{name}:1: the file is empty, expected a mapping")
    return node


def _child(node: yaml.Node, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k.start_mark.line, v) for k, v in node.value if k.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
        return node.value[step].start_mark.line, node.value[step]
    return None


class NodeBuilder:
    """Turns nodes into values, one schema's definitions at hand."""

    def __init__(self, name: str, root: Schema) -> None:
        self._name = name
        self._root = root
        self._seen: set[int] = set()
        self._open: set[int] = set()
        self._aliased = 0
        self._flattened: dict[tuple[int, ...], tuple[Schema, ...]] = {}

    def build(self, node: yaml.Node, guides: tuple[Schema, ...], path: Path_) -> Any:
        if id(node) in self._open:
            raise self._problem(node, path, "an alias that contains itself, expected plain values")
        self._count(node, path)
        flat = self._candidates(guides)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, flat, path)
        if node.tag not in _PLAIN_TAGS:
            raise self._problem(node, path, f"the tag {node.tag!r}, expected plain values")
        if len(path) >= MAX_DEPTH:
            raise self._problem(node, path[:4], f"nesting too deep, expected at most {MAX_DEPTH} levels")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, flat, path)
            items = tuple(guide["items"] for guide in flat if isinstance(guide.get("items"), dict))
            return [self.build(item, items, (*path, i)) for i, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, guides: tuple[Schema, ...], path: Path_) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._problem(key, path, "a key that is a list or a mapping, expected text")
            if key.value in result:
                words = f"duplicate key {key.value!r}, expected each key once"
                raise self._problem(key, (*path, key.value), words)
            result[key.value] = self.build(value, tuple(_of_key(guides, key.value)), (*path, key.value))
        return result

    def _scalar(self, node: yaml.ScalarNode, guides: tuple[Schema, ...], path: Path_) -> Any:
        if node.tag in ("tag:yaml.org,2002:str", "!"):
            return node.value
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind not in scalars.KINDS:
            raise self._problem(node, path, f"the tag {node.tag!r}, expected plain values")
        try:
            return scalars.value(kind, node.value, guides)
        except ValueError as error:
            raise self._problem(node, path, f"{scalars.short(node.value)}, expected {error}") from None

    def _count(self, node: yaml.Node, path: Path_) -> None:
        if id(node) in self._seen:
            self._aliased += 1
            if self._aliased > MAX_ALIASED_NODES:
                words = f"aliases that expand to over {MAX_ALIASED_NODES:,} nodes, expected fewer"
                raise self._problem(node, path, words)
        self._seen.add(id(node))

    def _candidates(self, guides: tuple[Schema, ...]) -> tuple[Schema, ...]:
        key = tuple(map(id, guides))
        if key not in self._flattened:
            self._flattened[key] = tuple(self._flat(guides))
        return self._flattened[key]

    def _flat(self, guides: Sequence[Schema]) -> Iterator[Schema]:
        """The schemas that may speak about one place, references and alternatives resolved."""
        for guide in guides:
            if "$ref" in guide:
                yield from self._flat((self._resolve(guide["$ref"]),))
            for word in _GUIDES:
                yield from self._flat(guide.get(word, ()))
            for word in ("then", "else", "x-guide"):
                if isinstance(guide.get(word), dict):
                    yield from self._flat((guide[word],))
            yield guide

    def _resolve(self, ref: str) -> Schema:
        found: Any = self._root
        for step in ref.removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        return found  # type: ignore[no-any-return]

    def _problem(self, node: yaml.Node, path: Path_, what: str) -> ConfigError:
        return ConfigError(f"{self._name}:{node.start_mark.line + 1}: {key_path(path)}: found {what}")


def key_path(path: Sequence[str | int]) -> str:
    """`vendors.alibaba-pai.runs[2].Name` for the messages."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "(top level)"


def _of_key(guides: Sequence[Schema], key: str) -> Iterator[Schema]:
    for guide in guides:
        named = guide.get("properties", {}).get(key)
        other = guide.get("additionalProperties")
        if isinstance(named, dict):
            yield named
        elif isinstance(other, dict):
            yield other
