"""How a snapshot names its tables, for the side that writes and the side that reads.

Per vendor: `rows_V (n, key, scope, born, died, c_<column>...)`, `rows_V_body (n, s_<shape>...)` and
`rows_V_bag (bag, name, n, i, text, num, nan)`. A row lives in the versions from `born` up to, not including, `died`.
"""

from __future__ import annotations

FOREVER = 2**31 - 1


def table_name(vendor: str) -> str:
    """The SQL name of a vendor's rows."""
    return "rows_" + vendor.replace("-", "_")
