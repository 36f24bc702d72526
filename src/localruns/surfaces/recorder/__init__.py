"""A reverse proxy that records: in front of a real platform, it keeps what is asked and answered, without secrets."""

from localruns.surfaces.recorder.recorder import Recorder

__all__ = ["Recorder"]
