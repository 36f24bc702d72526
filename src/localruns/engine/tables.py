"""How a snapshot names its tables, for the side that writes and the side that reads.

Per vendor: `rows_V (n, died, key, scope, born, c_<column>...)`, `rows_V_body (n, s_<shape>...)`, and the named values
of its rows: `rows_V_bag_name (id, bag, name)` and `rows_V_bag (k, value)`, where k is the name's id, the row's number
and which of several values it is, one behind the other. A value is text, a number, or NULL for NaN. A row lives in the
versions from `born` up to, not including, `died`.
"""

from __future__ import annotations

FOREVER = 2**31 - 1
NAME_SHIFT = 39
ROW_SHIFT = 12
MAX_ALIKE = 1 << ROW_SHIFT


def table_name(vendor: str) -> str:
    """The SQL name of a vendor's rows."""
    return "rows_" + vendor.replace("-", "_")
