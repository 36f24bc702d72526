"""Reads a YAML mapping whose one long list is too large to be held at once, item by item."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import IO, Any, cast

import yaml

from localruns import yamlio
from localruns.errors import ConfigError
from localruns.yamlio import Loader, NodeBuilder, Schema

_BINARY = "tag:yaml.org,2002:binary"


class Stream:
    """The items of the list under `key`, one after the other, each built and let go.

    Shape: `head` holds the mapping's other keys, those behind the list too once it is at its end; `line` is where the
    present item starts, from 1; `schema` describes the mapping, so that texts stay texts where it wants them;
    `builder` makes values of nodes.
    """

    def __init__(
        self,
        file: IO[bytes] | IO[str],
        name: str,
        key: str,
        schema: Schema | None = None,
        builder: type[NodeBuilder] = NodeBuilder,
    ) -> None:
        self.head: dict[str, Any] = {}
        self.line = 0
        self._name = name
        self._key = key
        self._schema = schema or {}
        self._builder = builder
        self._file = file

    def __iter__(self) -> Iterator[Any]:
        loader: Any = Loader(self._file)
        try:
            yield from self._items(loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.line = max(self.line, mark.line + 1 if mark else 0)
            raise yamlio.invalid(self._name, error) from None
        except (yaml.YAMLError, UnicodeError) as error:
            raise yamlio.invalid(self._name, error) from None
        finally:
            loader.dispose()

    def _items(self, loader: Any) -> Iterator[Any]:
        nodes = _Nodes(loader)
        for kind in (yaml.StreamStartEvent, yaml.DocumentStartEvent):
            if not loader.check_event(kind):
                raise ConfigError(f"{self._name}:1: the file is empty, expected a mapping")
            loader.get_event()
        if not loader.check_event(yaml.MappingStartEvent):
            line = loader.peek_event().start_mark.line + 1
            raise ConfigError(f"{self._name}:{line}: found no mapping, expected one with the key {self._key!r}")
        loader.get_event()
        while not loader.check_event(yaml.MappingEndEvent):
            key = str(nodes.next().value)
            if key in self.head:
                raise ConfigError(f"{self._name}: {key}: found a duplicate key {key!r}, expected each key once")
            if key == self._key and loader.check_event(yaml.SequenceStartEvent):
                loader.get_event()
                index = 0
                while not loader.check_event(yaml.SequenceEndEvent):
                    self.line = loader.peek_event().start_mark.line + 1
                    yield self._built(nodes.next(), (key, index))
                    index += 1
                loader.get_event()
            else:
                self.head[key] = self._built(nodes.next(), (key,))
        for end in (yaml.MappingEndEvent, yaml.DocumentEndEvent, yaml.StreamEndEvent):
            if not loader.check_event(end):
                line = loader.peek_event().start_mark.line + 1
                raise ConfigError(f"{self._name}:{line}: found a second document, expected one")
            loader.get_event()

    def _built(self, node: yaml.Node, path: yamlio.Path_) -> Any:
        guide = self._schema.get("properties", {}).get(path[0], {})
        if len(path) > 1:
            guide = guide.get("items", {})
        return self._builder(self._name, self._schema).build(node, (guide,), path)


def scalars(file: IO[bytes] | IO[str], name: str) -> Iterator[tuple[yamlio.Path_, int, str, bool]]:
    """Key path, line (from 1) and text of each scalar of a YAML file, and whether it is a key; nothing of it is held.

    Raises ConfigError where it is not YAML. An alias counts for nothing: its text has been seen at the anchor.
    """
    loader: Any = Loader(file)
    places: list[_Place] = []
    try:
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                places.append(_Place(isinstance(event, yaml.SequenceStartEvent)))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                places.pop()
                _go_on(places)
            elif isinstance(event, yaml.ScalarEvent) and places and places[-1].wants_key:
                places[-1].step, places[-1].wants_key = event.value, False
                start: Any = event.start_mark
                yield tuple(place.step for place in places), start.line + 1, event.value, True
            elif isinstance(event, yaml.ScalarEvent):
                path = tuple(place.step for place in places)
                mark: Any = event.start_mark
                binary = (event.tag or "").endswith("binary")
                text = "".join(event.value.split()) if binary else event.value
                yield path, mark.line + 1 + (event.style in ("|", ">")), text, False
                _go_on(places)
            elif isinstance(event, yaml.AliasEvent):
                _go_on(places)
    except (yaml.YAMLError, UnicodeError) as error:
        raise yamlio.invalid(name, error) from None
    finally:
        loader.dispose()


def spans(file: IO[bytes] | IO[str], name: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where each scalar of a YAML file begins and ends, keys too; line and column, from 0.

    Raises ConfigError where it is not YAML.
    """
    loader: Any = Loader(file)
    try:
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.ScalarEvent):
                start, end = cast("tuple[yaml.Mark, yaml.Mark]", (event.start_mark, event.end_mark))
                block = event.style in ("|", ">")  # its first line may end in a comment
                yield (start.line + block, 0 if block else start.column), (end.line, end.column)
    except (yaml.YAMLError, UnicodeError) as error:
        raise yamlio.invalid(name, error) from None
    finally:
        loader.dispose()


class _Place:
    """How far a mapping or list has been read."""

    def __init__(self, is_list: bool) -> None:
        self.is_list = is_list
        self.wants_key = not is_list
        self.step: str | int = 0 if is_list else ""


def _go_on(places: list[_Place]) -> None:
    """The value at this place is at its end."""
    if places and isinstance(places[-1].step, int) and places[-1].is_list:
        places[-1].step += 1
    elif places:
        places[-1].wants_key = True


class Lenient(NodeBuilder):
    """For files of other programs: `!!binary` gives bytes; any other tag, and a number out of range, is passed over."""

    def build(self, node: yaml.Node, guides: tuple[Schema, ...], path: yamlio.Path_) -> Any:
        if isinstance(node, yaml.ScalarNode) and node.tag == _BINARY:
            try:
                return base64.b64decode(node.value)
            except binascii.Error:
                return node.value
        if isinstance(node, yaml.CollectionNode):
            node.tag = "!"
        try:
            return super().build(node, guides, path)
        except ConfigError:
            if isinstance(node, yaml.ScalarNode):
                return node.value
            raise


class _Nodes:
    """Puts the parser's events together to nodes; anchors hold for the whole file."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._anchors: dict[str, yaml.Node] = {}

    def next(self, depth: int = 0) -> yaml.Node:
        """The next node, whole."""
        event = self._loader.get_event()
        if depth > yamlio.MAX_DEPTH:
            words = f"found nesting too deep, expected at most {yamlio.MAX_DEPTH} levels"
            raise _marked(words, event)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                words = f"found undefined alias {event.anchor!r}"
                raise _marked(words, event)
            return self._anchors[event.anchor]
        node = self._started(event)
        if event.anchor:
            self._anchors[event.anchor] = node
        if isinstance(node, yaml.MappingNode):
            while not self._loader.check_event(yaml.MappingEndEvent):
                node.value.append((self.next(depth + 1), self.next(depth + 1)))
            self._loader.get_event()
        elif isinstance(node, yaml.SequenceNode):
            while not self._loader.check_event(yaml.SequenceEndEvent):
                node.value.append(self.next(depth + 1))
            self._loader.get_event()
        return node

    def _started(self, event: Any) -> yaml.Node:
        mark = (event.start_mark, event.end_mark)
        if isinstance(event, yaml.ScalarEvent):
            tag = event.tag
            if tag in (None, "!"):
                tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
            return yaml.ScalarNode(tag, event.value, *mark)
        kind = yaml.MappingNode if isinstance(event, yaml.MappingStartEvent) else yaml.SequenceNode
        tag = event.tag or self._loader.resolve(kind, None, event.implicit)
        return kind(tag, [], *mark)


def _marked(words: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=words, problem_mark=event.start_mark)
