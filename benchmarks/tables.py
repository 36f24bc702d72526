"""The tables of a run, for the terminal and for documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.figures import Figure, figure, written

Results = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the names of columns, and rows of text. All columns but the first are figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table as Markdown, its title above."""
        lines = ["| " + " | ".join(each) + " |" for each in (self.columns, *self.rows)]
        lines.insert(1, "|---" + "|--:" * (len(self.columns) - 1) + "|")
        return f"**{self.title}**\n\n" + "\n".join(lines) + "\n"

    def show(self) -> None:
        """Print it on the terminal."""
        from rich.console import Console
        from rich.table import Table as Drawn

        drawn = Drawn(title=self.title, title_justify="left")
        for number, column in enumerate(self.columns):
            drawn.add_column(column, justify="right" if number else "left", overflow="fold")
        for row in self.rows:
            drawn.add_row(*(_coloured(cell) for cell in row))
        console = Console()
        console.print(drawn) if console.is_terminal else Console(width=160).print(drawn)


def _coloured(cell: str) -> str:
    colour = {"pass": "green", "miss": "red", "not measured": "yellow"}.get(cell)
    return f"[{colour}]{cell}[/{colour}]" if colour else cell


def tables(results: Results) -> list[Table]:
    """All tables of a run; parts that were not measured are left out, servers never."""
    servers, made = results["servers"], []
    if servers:
        made += [_pages(servers, "page-50", "A page of 50 rows"), _pages(servers, "page-10", "A page of 10 rows")]
        made += [_search(servers), _whole(servers)]
    if results["ratios"]:
        made.append(_figures("Ratios to the limits", results["ratios"]))
    made += [_figures(name, results[key]) for key, name in _PARTS.items() if results[key]]
    return made


_PARTS = {"fixture": "The pytest plugin", "size": "Size: snapshots and deep pages", "million": "A million rows"}


def _pages(servers: Results, ask: str, title: str) -> Table:
    asked = [server for server in servers.values() if ask in server["asks"]]
    ours = _median(servers.get("localruns", {}).get("asks", {}).get(ask, {}).get("requests_per_s"))
    columns = ["server", "body", "requests/s", "localruns is", "p50 alone", "p99 alone", "client busy"]
    return Table(title, columns, [[server["name"], *_asked(server, ask, ours)] for server in asked])


def _asked(server: Results, ask: str, ours: float | None) -> list[str]:
    if server["state"] != "measured":
        return [server["state"], *["-"] * 5]
    told = server["asks"][ask]
    per_s, busy = _median(told["requests_per_s"]), _median(told["client_busy"])
    return [
        f"{told['bytes']:,} B",
        written(per_s, "/s"),
        written(ours / per_s if ours and per_s else None, "times"),
        written(_median(told["p50_us"]), "us"),
        written(_median(told["p99_us"]), "us"),
        "-" if busy is None else f"{busy:.0%}",
    ]


def _search(servers: Results) -> Table:
    columns = ["server", "body", "requests/s", "localruns is", "p50 alone", "p99 alone", "client busy", "asked first"]
    found = _pages(servers, "search", "A search over 1,000 runs, filtered and sorted, 50 rows")
    rows = [[*row, written(_median(servers[row[0]]["distinct_s"]), "s")] for row in found.rows]
    return Table(found.title, columns, rows)


def _whole(servers: Results) -> Table:
    columns = ["server", "version", "first answer", "resident", "answers checked", "state"]
    return Table("Start and memory", columns, [_server(server) for server in servers.values()])


def _server(server: Results) -> list[str]:
    checked = sum(told["checked"] for told in server["asks"].values())
    state = server["state"] + (f": {server['why']}" if server["why"] else "")
    first = written(_median(server["first_answer_s"]), "s")
    return [server["name"], server["version"], first, written(server["resident_mb"], "MB"), f"{checked:,}", state]


def table(title: str, figures: Sequence[Figure]) -> Table:
    """Figures beside their limits."""
    return Table(title, ["figure", "measured", "limit", "verdict"], [each.row() for each in figures])


def _figures(title: str, told: Sequence[Results]) -> Table:
    return table(title, [figure(each) for each in told])


def _median(values: Sequence[float] | None) -> float | None:
    return median(values) if values else None
