"""Recorded traffic: brought in, freed of secrets, held against what we claim and against what we answer."""
