"""Brings files of other programs in: as a scenario that was understood, or as a recording of the exact exchanges."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localruns.engine.recorded.exchange import Exchange
from localruns.engine.recorded.recording import Head, Writer
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError
from localruns.recordings.holding import part_of
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.reading.ordering import Placed, in_time
from localruns.recordings.reading.recognising import Known, Recogniser
from localruns.recordings.reading.sources import exchanges, kind_of
from localruns.recordings.rebuilding.scenario import Figures, rebuild
from localruns.recordings.redaction.randomness import masked
from localruns.recordings.redaction.redactor import Redactor
from localruns.recordings.scanning.exchanges import scan_exchange, scan_file

FLAGGED = "exchanges in which something still looks like a secret"
_ODD = re.compile(r"[^a-z0-9._-]+")


@dataclass(slots=True)
class Outcome:
    """What has come of an import.

    Shape: `read` exchanges per file; `understood` a line per vendor; `left` a line per thing that was left out;
    `whole` False where something was lost: input that was damaged, rows or exchanges that could not be kept;
    `findings` what looks like a secret in what was to be written: nothing was written then.
    """

    read: dict[Path, int] = field(default_factory=dict)
    understood: list[str] = field(default_factory=list)
    left: Sequence[str] = ()
    whole: bool = True
    findings: Sequence[str] = ()


class NothingFound(ConfigError):
    """There is nothing to write; `left` says what was in the files, a line each."""

    def __init__(self, words: str, left: Sequence[str]) -> None:
        super().__init__(words)
        self.left = left


class Importing:
    """One import. `progress` is told of the bytes read; every file is read twice, so that a secret is known before
    anything is written."""

    def __init__(
        self,
        files: Sequence[Path],
        vendors: Mapping[str, Vendor],
        redactor: Redactor,
        only: str = "",
        progress: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._files = files
        self._vendors = vendors
        self._redactor = redactor
        self._only = only
        self._progress = progress
        self._left = Leftovers(self._shown)
        self._outcome = Outcome()
        self._mixed: set[Path] = set()

    def scenario(self, name: str, out: Path, delays: bool) -> Outcome:
        """Write a scenario. Raises ConfigError: nothing understood, too large, cannot be written."""
        self._learn()
        rebuilt = rebuild(
            (exchange for exchange, _, _ in self._clean()),
            name,
            self._vendors,
            only=self._only,
            delays=delays,
            left=self._left,
            source=self._source(),
        )
        if not rebuilt.text:
            raise self._nothing()
        self._outcome.understood = [described(figures) for figures in rebuilt.figures]
        self._outcome.left = rebuilt.notes
        self._outcome.whole = not rebuilt.lost and not self._left.damaged
        with part_of(out, folders=True) as part:
            part.write_text(rebuilt.text, "utf-8")
            found = [
                f"{item.line}: {item.where}: {item.what}"
                for item in scan_file(part, self._vendors, self._redactor.rules)
            ]
            if found:
                self._outcome.findings = found
            else:
                part.replace(out)
        return self._outcome

    def cassette(self, name: str, out: Path) -> Outcome:
        """Write a recording. Raises ConfigError: nothing understood, cannot be written."""
        self._learn()
        counts: dict[str, Counter[str]] = {}
        with part_of(out, folders=True) as part:
            writer = Writer(part, Head(name, f"Imported from {self._source()}."))
            try:
                for clean, vendor, endpoint in self._clean():
                    if not self._flagged(clean):
                        writer.add(clean)
                        counts.setdefault(vendor, Counter())[endpoint] += 1
            finally:
                writer.close()
            if not counts:
                raise self._nothing()
            part.replace(out)
        self._outcome.understood = [
            f"{vendor}: " + ", ".join(f"{name} {count}" for name, count in named.items())
            for vendor, named in counts.items()
        ]
        self._outcome.left = list(self._left.lines())
        self._outcome.whole = not self._left.damaged and not self._left.count(FLAGGED)
        return self._outcome

    def _source(self) -> str:
        """The names of the files; a name, too, may hold a secret."""
        listed = " and ".join(path.name for path in self._files[:3]) + (" and others" if len(self._files) > 3 else "")
        return self._redactor.text(listed.encode("utf-8", "replace").decode())  # a name may be no text at all

    def _shown(self, line: str) -> str:
        """A line as it may be shown, the name of a file in front of it as it is."""
        name = next((str(path) for path in self._files if line.startswith(f"{path}:")), "")
        return name + masked(self._redactor.text(line.removeprefix(name)))

    def _learn(self) -> None:
        """The first reading: remember the secrets of all exchanges, so that those before them are rid of them too."""
        recogniser = Recogniser(self._vendors, Leftovers(), self._only)
        for path in self._files:
            last, is_har = "", kind_of(path) == "har"
            for known in self._known(path, recogniser, Leftovers()):
                self._redactor.learn(known.exchange)
                if is_har and known.exchange.at:
                    if known.exchange.at < last:
                        self._mixed.add(path)
                    last = known.exchange.at

    def _clean(self) -> Iterator[Placed]:
        """The second reading: the exchanges of the vendors in all files, without secrets, in the order of their times.

        Recordings and cassettes stand in order; what a HAR file says of its own order is that it is to be looked at.
        """
        recogniser = Recogniser(self._vendors, self._left, self._only)
        for path in self._files:
            found = (
                (self._redactor.exchange(known.exchange), known.vendor.id, known.endpoint.name)
                for known in self._known(path, recogniser, self._left)
            )
            if path in self._mixed:
                self._left.remark(f"{path.name}: entries stand in another order than their times, which were followed")
                yield from in_time(found)
            else:
                yield from found
        for words in recogniser.remarks():
            self._left.remark(words)

    def _known(self, path: Path, recogniser: Recogniser, left: Leftovers) -> Iterator[Known]:
        """The exchanges of the vendors in a file."""
        self._outcome.read[path] = 0
        for exchange in exchanges(path, left, self._progress):
            self._outcome.read[path] += 1
            known = recogniser.known(exchange)
            if known is not None:
                yield known

    def _flagged(self, exchange: Exchange) -> bool:
        """Whether something in an exchange still looks like a secret; it then goes to what is left out."""
        findings = scan_exchange(exchange, self._vendors, self._redactor.rules)
        for finding in findings[:1]:
            self._left.add(FLAGGED, f"{finding.where}: {finding.what}")
        return bool(findings)

    def _nothing(self) -> NothingFound:
        listed = ", ".join(str(path) for path in self._files)
        words = f"{listed}: found no exchange with a list of runs of {self._only or 'any of the vendors'}"
        return NothingFound(words, list(self._left.lines()))


def name_of(path: Path) -> str:
    """A scenario's name from that of a file."""
    return _ODD.sub("-", path.name.split(".")[0].lower()).strip("-._") or "imported"


def described(figures: Figures) -> str:
    """`alibaba-pai: 2 walks, 14 pages, 131 rows, 1 error; page sizes 10, 50`."""
    counts = {"walk": figures.walks, "page": figures.pages, "row": figures.rows, "error": figures.errors}
    listed = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items())
    sizes = ", ".join("not named" if size is None else str(size) for size in figures.sizes)
    return f"{figures.vendor}: {listed}; page sizes {sizes}"
