"""The socket the edge listens on, and plain words for why there is none."""

from __future__ import annotations

import errno
import os
import socket

from localruns.errors import ConfigError

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """One listening socket; of a name with several addresses the IPv4 one. Raises: ConfigError."""
    if not 0 <= port <= 65535:  # the resolver would take it modulo 65536
        raise ConfigError(f"port {port} was found, 0 to 65535 was expected: choose another with --port")
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    except (socket.gaierror, UnicodeError):
        raise ConfigError(f"{host} is not a known host name: choose another with --host") from None
    sock = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere this would let two servers share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise ConfigError(_cannot_listen(host, port, error)) from None
    return sock


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    number = error.errno
    if number == errno.EADDRINUSE:
        return f"{where} is in use already: choose another with --port, or --port 0 for a free one"
    if number in (errno.EACCES, errno.EPERM):
        return f"{where} may not be used, permission denied: choose a port above 1023 with --port"
    if number == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine: choose another with --host"
    return f"{where} cannot be listened on: {error}"
