"""Drift: recorded traffic held against what we claim of each vendor."""
