"""A scenario's rows: drawn, changed, checked and written."""
