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
        self._remarks: dict[str, None] = {}
        self.damaged = False

    def add(self, group: str, example: str = "") -> None:
        """One more of a group."""
        self._groups.setdefault(group, Counter())[example] += 1

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

    def lines(self) -> Iterator[str]:
        """A line per group, as `left out: exchanges of other hosts: 214 (example.com 200, ...)`; then the remarks."""
        for group, examples in self._groups.items():
            named = [(name, count) for name, count in examples.most_common(MAX_EXAMPLES + 1) if name]
            shown = [f"{name} {count}" for name, count in named[:MAX_EXAMPLES]]
            if len(named) > MAX_EXAMPLES:
                shown.append("...")
            listed = f" ({', '.join(shown)})" if shown else ""
            yield self._clean(f"left out: {group}: {sum(examples.values())}{listed}")
        yield from map(self._clean, self._remarks)
