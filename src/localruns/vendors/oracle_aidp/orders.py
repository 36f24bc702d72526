"""The `order_by` parameter: a list of fields, each with an optional direction.

**Source**: Oracle REST reference, "(Preview) List experiment runs" (20260430): ascending by default, ties go
by start_time DESC, then run_id. Names as MLflow 3.17.2 takes them; the same field twice is an internal error
there and a refusal here.
"""

from __future__ import annotations

from collections.abc import Sequence

from localruns.engine.query import Field, Order
from localruns.vendors.oracle_aidp import filters
from localruns.vendors.oracle_aidp.lexer import Names, Reader, Token, read_field

_COLUMNS = {name: name for name in filters.COLUMNS}
_NAMES = {
    "oracle": Names(filters.BAG_PREFIXES | {"attributes": ""}, _COLUMNS, bare=True),
    "mlflow": Names(
        filters.BAG_PREFIXES | filters.COLUMN_PREFIXES | filters.BAG_ALIASES,
        _COLUMNS | filters.TIME_ALIASES,
        filters.MLFLOW_KEYS,
        bare=True,
        dotted=True,
    ),
}
_TIES = (Order(Field("start_time"), descending=True), Order(Field("run_id")))


def parse_order(items: Sequence[str], dialect: str = "mlflow") -> tuple[Order, ...]:
    """Return the total order: the items, then those tie-breaks whose field is not an item.

    **Raises** BadRequest with the position of what cannot be read, or for a field that is there twice.
    """
    orders: dict[Field, Order] = {}
    for item in items:
        reader = Reader("order_by", item)
        order = _read_order(reader, _NAMES[dialect])
        if order.field in orders:
            raise reader.refusal("a field that no earlier item has", Token("word", item, 0, True))
        orders[order.field] = order
    for tie in _TIES:
        orders.setdefault(tie.field, tie)
    return tuple(orders.values())


def _read_order(reader: Reader, names: Names) -> Order:
    """Take a whole item: a field, then perhaps a space and a direction."""
    _refuse_outer_space(reader)
    field = read_field(reader, names)
    word = reader.peek()
    if word.kind == "end":
        return Order(field)
    if word.glued or word.text.lower() not in ("asc", "desc"):
        raise reader.refusal("a space and ASC or DESC" if word.glued else "ASC or DESC")
    reader.take()
    if reader.peek().kind != "end":
        raise reader.refusal("the end")
    return Order(field, word.text.lower() == "desc")


def _refuse_outer_space(reader: Reader) -> None:
    """Refuse an item that begins or ends with a space, as MLflow does."""
    text = reader.text
    start = 0 if text[:1].isspace() else len(text.rstrip())
    if text != text.strip():
        raise reader.refusal("no space around the item", Token("space", text[start : start + 1], start, True))
