"""Values, steps, store and pipeline: knows no vendor, no Flask, no socket."""
