"""A query as SQL: one statement that gives the numbers of all rows that match, in order."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import Any

from localruns.engine.query import Condition, Field, Order, Query
from localruns.engine.tables import NAME_SHIFT, ROW_SHIFT, table_name


def select(query: Query, version: int) -> tuple[str, list[Any]]:
    """The SQL of a query, and its values.

    Shape: one row with one text, eight hex digits for each row number, or NULL for none. A text made inside SQLite
    costs one step, during which other Python threads run; a million rows read one by one would hold them up each time.
    """
    table = table_name(query.vendor)
    joins, joined, sorts = _sorting(table, query.order)
    wheres = ["r.born <= ?", "r.died > ?"]
    values: list[Any] = [*joined, version, version]
    if query.scope:
        wheres.append("r.scope = ?")
        values.append(query.scope)
    for condition in query.conditions:
        text, more = _condition(table, condition)
        wheres.append(text)
        values += more
    where, by = " AND ".join(wheres), ", ".join([*sorts, "r.n"])
    ordered = f"SELECT r.n AS n FROM {table} r{joins} WHERE {where} ORDER BY {by}"
    return f"SELECT group_concat(printf('%08x', n), '') FROM ({ordered})", values


def read_numbers(text: str) -> array[int]:
    """The row numbers in the answer to `select`."""
    numbers = array("I", bytes.fromhex(text))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def sort_values(vendor: str, order: Sequence[Order], numbers: Sequence[int]) -> tuple[str, list[Any]]:
    """SQL for what different values rows are sorted by, and its values."""
    table = table_name(vendor)
    joins, values, terms = _sorting(table, order)
    columns = ", ".join(term.removesuffix(_LAST).removesuffix(" DESC") for term in terms)
    marks = ",".join("?" * len(numbers))
    return f"SELECT DISTINCT {columns} FROM {table} r{joins} WHERE r.n IN ({marks})", [*values, *numbers]


def _sorting(table: str, order: Sequence[Order]) -> tuple[str, list[str], list[str]]:
    """(joins, their values, sort terms); what is missing comes last, NaN just before it."""
    joins, values, sorts = "", [], []
    for index, item in enumerate(order):
        direction = " DESC" if item.descending else ""
        if not item.field.bag:
            # Half the work of sorting by `IS NULL` and then by the value.
            sorts.append(f"r.c_{item.field.name}{direction}{_LAST}")
            continue
        bag = f"o{index}"
        joins += f" LEFT JOIN {table}_bag {bag} ON {bag}.k = {_NAMED.format(table)} + (r.n << {ROW_SHIFT})"
        values += [item.field.bag, item.field.name]
        sorts += [f"({bag}.k IS NULL) + ({bag}.value IS NULL)", f"{bag}.value{direction}"]
    return joins, values, sorts


_LAST = " NULLS LAST"
_NAMED = f"((SELECT id FROM {{}}_bag_name WHERE bag = ? AND name = ?) << {NAME_SHIFT})"


def _condition(table: str, condition: Condition) -> tuple[str, list[Any]]:
    field = condition.field
    if not field.bag:
        return _comparison(f"r.c_{field.name}", condition)
    operator = condition.operator
    if operator in ("present", "absent"):
        return _having(table, field, "", "NOT " if operator == "absent" else "")
    number = isinstance(condition.value, (int, float))
    text, values = _comparison("b.value", condition)
    text = f" AND typeof(b.value) = '{'real' if number else 'text'}' AND {text}"
    if number and operator == "!=":
        text = f" AND (b.value IS NULL OR ({text[5:]}))"
    sql, named = _having(table, field, text)
    return sql, [*named, *values]


def _having(table: str, field: Field, where: str, negation: str = "") -> tuple[str, list[Any]]:
    """Whether a row has a value under a name that ..."""
    named, span = _NAMED.format(table), (1 << NAME_SHIFT) - 1
    rows = f"SELECT b.k >> {ROW_SHIFT} & {span >> ROW_SHIFT} FROM {table}_bag b"
    within = f"b.k BETWEEN {named} AND {named} + {span}"
    return f"r.n {negation}IN ({rows} WHERE {within}{where})", [field.bag, field.name] * 2


def _comparison(column: str, condition: Condition) -> tuple[str, list[Any]]:
    operator, value = condition.operator, condition.value
    if operator in ("present", "absent"):
        return f"{column} IS {'NOT ' if operator == 'present' else ''}NULL", []
    if isinstance(value, tuple):
        marks = ", ".join("?" * len(value))
        # SQLite finds a missing value, too, to be in no empty list.
        return f"({column} IS NOT NULL AND {column} {operator.upper()} ({marks}))", list(value)
    if operator == "like":
        return f"{column} GLOB ?", [_glob(str(value))]
    if operator == "ilike":
        return f"{column} LIKE ?", [value]
    if operator == "contains":
        return f"instr({column}, ?) > 0", [value]
    return f"{column} {operator} ?", [_bindable(value)]


def _bindable(value: Any) -> Any:
    """An integer beyond 64 bits as the nearest number that SQLite takes; no stored integer lies between the two."""
    if not isinstance(value, int) or -(2**63) <= value < 2**63:
        return value
    try:
        return float(value)
    except OverflowError:
        # Not infinity: a row may have just that.
        return sys.float_info.max if value > 0 else -sys.float_info.max


def _glob(pattern: str) -> str:
    """The case-sensitive twin of a LIKE pattern."""
    quoted = "".join(f"[{char}]" if char in "*?[" else char for char in pattern)
    return quoted.replace("%", "*").replace("_", "?")
