"""Answers computed from what came in: near misses, and the journal in words."""
