"""Recorded traffic of any form, read exchange by exchange."""
