"""What an import does not use: counted in groups and told, so that nothing is dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

MAX_EXAMPLES = 5


class Leftovers:
    """Counts what is left out. A group is a reason in words; examples stand beside it with their own counts.

    Shape: `clean` takes what must not be shown out of a line.
    """

    def __init__(self, clean: Callable[[str], str] = lambda line: line) -> None:
        self._clean = clean
        self._groups: dict[str, Counter[str]] = {}
        self._hosts: set[str] = set()
        self._remarks: dict[str, None] = {}
        self.damaged = False

    def add(self, group: str, example: str = "") -> None:
        """One more of a group."""
        self._groups.setdefault(group, Counter())[example] += 1

    def add_host(self, group: str, host: str) -> None:
        """One more of a group whose examples are hosts: nobody else needs to know where else one has been."""
        self._hosts.add(group)
        self.add(group, host)

    def remark(self, words: str) -> None:
        """Something to say once."""
        self._remarks[words] = None

    def damage(self, words: str) -> None:
        """The input could not be read to its end."""
        self.damaged = True
        self.remark(words)

    def count(self, group: str) -> int:
        """How many of a group there are."""
        return sum(self._groups.get(group, Counter()).values())

    def lines(self, hosts: bool = True) -> Iterator[str]:
        """A line per group, as `left out: exchanges of other hosts: 214 (example.com 200, ...)`; then the remarks."""
        for group, examples in self._groups.items():
            known = examples.most_common(MAX_EXAMPLES + 1) if hosts or group not in self._hosts else []
            named = [(name, count) for name, count in known if name]
            shown = [f"{name} {count}" for name, count in named[:MAX_EXAMPLES]]
            if len(named) > MAX_EXAMPLES:
                shown.append("...")
            listed = f" ({', '.join(shown)})" if shown else ""
            yield self._clean(f"left out: {group}: {sum(examples.values())}{listed}")
        yield from map(self._clean, self._remarks)
