"""Our own emulation, asked the recorded requests."""
