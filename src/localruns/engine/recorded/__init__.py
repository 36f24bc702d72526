"""Recorded traffic, matched and served again."""
