"""Our own HTTP/1.1 server: one event loop, the application inline, connections under full control."""

from localruns.surfaces.edge.server import Edge
from localruns.surfaces.edge.wsgi import Refuse

__all__ = ["Edge", "Refuse"]
