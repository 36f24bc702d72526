"""One walk of a client, judged against what the client says it got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Key = str | tuple[str, ...] | Callable[[Any], Any]

SHOWN = 10


class WalkStory:
    """A walk as the server saw it. Shape: each entry of `GET /__admin/walks/{id}` is an attribute too."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.told = told

    def __getattr__(self, name: str) -> Any:
        try:
            return self.told[name]
        except KeyError:
            raise AttributeError(f"a walk has no {name!r}, it has: {', '.join(self.told)}") from None

    def __repr__(self) -> str:
        return f"<walk {self.told['id']} of {self.told['vendor']}: {self.told['stop']}>"

    def assert_complete(self, rows: Iterable[Any], key: Key) -> None:
        """Raises AssertionError unless `rows` hold every row that lived through the whole walk.

        `key` picks a row's identifying value as the server writes it: a name (`info.run_id` goes inside), a tuple of
        names whose values are joined with `/`, or a callable. Rows are mappings or objects.
        """
        got = Counter(_identify(row, key) for row in rows)
        self._judge(got, self._gaps(got))

    def assert_exactly_once(self, rows: Iterable[Any], key: Key) -> None:
        """Raises AssertionError unless `rows` hold every such row once, and no row twice."""
        got = Counter(_identify(row, key) for row in rows)
        doubled = [name for name, times in got.items() if times > 1]
        problems = [f"the client kept {_named(doubled)} more than once"] if doubled else []
        self._judge(got, [*self._gaps(got), *problems])

    def _gaps(self, got: Counter[str]) -> list[str]:
        delivered = set(self.told["delivered_keys"])
        lacking = [name for name in self.told["expected_keys"] if name not in got]
        dropped = [name for name in lacking if name in delivered]
        never = [name for name in lacking if name not in delivered]
        problems = []
        if never:
            problems.append(f"{_named(never)} of {len(self.told['expected_keys'])} runs were never delivered")
        if dropped:
            problems.append(f"{_named(dropped)} were delivered and are not among the client's rows")
        return problems

    def _judge(self, got: Counter[str], problems: Sequence[str]) -> None:
        if self.told["ambiguous"]:
            problems = ["two walks were the same on the wire, so this one cannot be told from the other", *problems]
        if problems:
            counted = f"{self.told['requests']} requests, {self.told['pages']} pages, {len(got)} different rows"
            raise AssertionError(f"{self.told['vendor']}: {self.told['stop']} ({counted})\n" + "\n".join(problems))


def _identify(row: Any, key: Key) -> str:
    if callable(key):
        return str(key(row))
    if isinstance(key, tuple):
        return "/".join(str(_look(row, name)) for name in key)
    return str(_look(row, key))


def _look(row: Any, path: str) -> Any:
    found = row
    for name in path.split("."):
        found = found[name] if isinstance(found, Mapping) else getattr(found, name)
    return found


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{len(names)} ({', '.join(names[:SHOWN])}{more})"
