"""The `filter` parameter: comparisons joined by AND.

**Source**: dialect `oracle` is what the Oracle REST reference, "(Preview) List experiment runs" (20260430),
documents; dialect `mlflow` is what MLflow 3.17.2 accepts beyond it, less its accidents. What `oracle` accepts
means the same in `mlflow`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from localruns.engine.query import Condition, Field, Operator, Value
from localruns.vendors.oracle_aidp.lexer import Names, Reader, read_field

COLUMNS = ("run_id", "run_name", "user_id", "status", "artifact_uri", "start_time", "end_time")
TIME_ALIASES = {"created": "start_time", "Created": "start_time"}
BAG_PREFIXES = {"metrics": "metrics", "params": "params", "tags": "tags"}
BAG_ALIASES = {
    "metric": "metrics",
    "param": "params",
    "parameter": "params",
    "parameters": "params",
    "tag": "tags",
}
COLUMN_PREFIXES = {"attributes": "", "attribute": "", "attr": "", "run": ""}
MLFLOW_KEYS = ("word", "double", "tick", "single")

_SPELLINGS: Mapping[tuple[str, ...], Operator] = {
    ("=",): "=",
    ("!=",): "!=",
    ("<",): "<",
    ("<=",): "<=",
    (">",): ">",
    (">=",): ">=",
    ("like",): "like",
    ("ilike",): "ilike",
    ("in",): "in",
    ("not", "in"): "not in",
    ("is", "null"): "absent",
    ("is", "not null"): "present",
}
_WRITTEN = {operator: " ".join(words).upper() for words, operator in _SPELLINGS.items()}
_NUMERIC: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=")
_EQUAL: tuple[Operator, ...] = ("=", "!=")
_LIKE: tuple[Operator, ...] = (*_EQUAL, "like", "ilike")
_IN: tuple[Operator, ...] = (*_LIKE, "in", "not in")
_NULL: tuple[Operator, ...] = (*_LIKE, "present", "absent")
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class _Grammar:
    """What one dialect allows.

    **Shape**: `text` are the operators for text values; `text_of` those of single bags and columns, by name.
    """

    names: Names
    text: tuple[Operator, ...]
    text_of: Mapping[str, tuple[Operator, ...]]


_DATASETS = {"datasets": "datasets", "dataset": "datasets"}
_RUN_NAMES = {"run name": "run_name", "Run name": "run_name", "Run Name": "run_name"}
_GRAMMARS = {
    "oracle": _Grammar(Names(BAG_PREFIXES), _EQUAL, {}),
    "mlflow": _Grammar(
        Names(
            BAG_PREFIXES | COLUMN_PREFIXES | _DATASETS | BAG_ALIASES,
            {name: name for name in COLUMNS} | TIME_ALIASES | _RUN_NAMES,
            MLFLOW_KEYS,
            bare=True,
            dotted=True,
        ),
        _LIKE,
        {"run_id": _IN, "datasets": _IN, "params": _NULL, "tags": _NULL},
    ),
}


def parse_filter(text: str, dialect: str = "mlflow") -> tuple[Condition, ...]:
    """Return the conditions of a filter, none for empty text.

    **Raises** BadRequest with the position of what cannot be read.
    """
    grammar = _GRAMMARS[dialect]
    reader = Reader("filter", text)
    if not text:
        return ()
    conditions = [_read_condition(reader, grammar)]
    while reader.peek().kind != "end":
        if reader.peek().text.lower() != "and":
            raise reader.refusal("AND")
        reader.begin_clause()
        reader.take()
        conditions.append(_read_condition(reader, grammar))
    return tuple(conditions)


def _read_condition(reader: Reader, grammar: _Grammar) -> Condition:
    """Take one comparison."""
    field = read_field(reader, grammar.names)
    if _is_number(field):
        operator = _read_operator(reader, _NUMERIC)
        return Condition(field, operator, _read_number(reader, field))
    operator = _read_operator(reader, grammar.text_of.get(field.bag or field.name, grammar.text))
    return Condition(field, operator, _read_text_value(reader, operator))


def _is_number(field: Field) -> bool:
    """Say whether the field is compared as a number."""
    return field.bag == "metrics" or field in (Field("start_time"), Field("end_time"))


def _read_operator(reader: Reader, allowed: Iterable[Operator]) -> Operator:
    """Take an operator of one or two words."""
    first, second = reader.peek().text.lower(), reader.peek(1).text.lower()
    for words in ((first, second), (first,)):
        operator = _SPELLINGS.get(words)
        if operator and operator in allowed:
            for _ in words:
                reader.take()
            return operator
    hint = " (or double quotes around the name)" if reader.peek().kind == "other" else ""
    raise reader.refusal("one of " + ", ".join(_WRITTEN[each] for each in allowed) + hint)


def _read_text_value(reader: Reader, operator: Operator) -> Value:
    """Take what stands behind an operator for texts."""
    if operator in ("present", "absent"):
        return None
    return _read_list(reader) if operator in ("in", "not in") else _read_text(reader)


def _read_text(reader: Reader) -> str:
    """Take a text in single or double quotes."""
    if reader.peek().kind not in ("single", "double"):
        raise reader.refusal("a quoted text")
    return reader.take().content


def _read_list(reader: Reader) -> tuple[str, ...]:
    """Take one or more texts in parentheses, with commas between them."""
    _take_mark(reader, "(")
    texts = [_read_text(reader)]
    while reader.peek().text == ",":
        reader.take()
        texts.append(_read_text(reader))
    _take_mark(reader, ")")
    return tuple(texts)


def _take_mark(reader: Reader, mark: str) -> None:
    """Take this very mark."""
    if reader.peek().text != mark:
        raise reader.refusal(repr(mark))
    reader.take()


def _read_number(reader: Reader, field: Field) -> int | float:
    """Take a number: a float for metrics, as they are doubles, else an integer if 64 bits can hold it."""
    if reader.peek().kind != "number":
        raise reader.refusal("a number")
    digits = reader.take().text
    if field.bag or not digits.lstrip("-").isdigit() or len(digits) > 20:
        return float(digits)
    return int(digits) if int(digits) in _INT64 else float(digits)
