"""An offline emulator of the list-runs APIs of four machine-learning platforms."""

__version__ = "0.1.0"
