"""localruns for tests, without pytest: a server in a thread, one elsewhere, or an application without a socket.

The pytest fixtures of `localruns.surfaces.pytest_plugin` are made of the same parts.
"""

from localruns.testing.clock import Clock
from localruns.testing.handle import Handle
from localruns.testing.server import LocalRuns, RemoteRuns, Server, wsgi_app

__all__ = ["Clock", "Handle", "LocalRuns", "RemoteRuns", "Server", "wsgi_app"]
