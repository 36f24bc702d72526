"""How to point each vendor's real SDK at a running server."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import flask

import localruns
from localruns.engine.emulator import Emulator
from localruns.engine.namespace import Namespace

_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?", re.ASCII)


def hints(emulator: Emulator, url: str, only: str | None = None) -> Iterator[str]:
    """A block of text per vendor: variables to export, a program, a curl line; for HTTPS one about trust before."""
    sites = emulator.space("default").scenario.sites
    if url.startswith("https:") and only in (None, "exports"):
        yield _trust(emulator.options.cache, url, only)
    for vendor in emulator.vendors.values():
        if vendor.id not in sites:
            continue
        keys, resources = vendor.client.keys(sites[vendor.id].credentials), sites[vendor.id].resources
        variables = vendor.client.environment(url, keys, resources).items()
        parts = {
            "exports": "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables),
            "curl": vendor.client.curl(url, keys, resources),
            "snippet": vendor.client.snippet(url, keys, resources).rstrip("\n"),
        }
        if only:
            yield parts[only]
            continue
        yield (
            f"# {vendor.title} ({vendor.id})\n{parts['exports']}\n\n# one page with curl\n{parts['curl']}\n\n"
            f"# a program for {vendor.client.sdk}: localruns env --vendor {vendor.id} --only snippet | python -\n"
            + "\n".join(f"#   {line}".rstrip() for line in parts["snippet"].splitlines())
        )


def _trust(cache: Path, url: str, only: str | None) -> str:
    """How clients come to trust the certificate of an HTTPS server."""
    from localruns.surfaces.tls import ca_file, trust_exports, trust_java

    certificate = ca_file(cache)
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in trust_exports(certificate).items())
    if only:
        return exports
    keytool, options = trust_java(certificate)
    return (
        f"# HTTPS: what makes requests, httpx (Python's ssl, curl) and Node trust the server\n{exports}\n\n"
        f"# Java: once a trust store, then its options for each program\n#   {keytool}\n#   java {options} ...\n\n"
        f"# the certificate itself, elsewhere: curl -sk {url}/__admin/ca.pem > ca.pem"
    )


def index(emulator: Emulator, space: Namespace) -> dict[str, Any]:
    """What is served in a namespace: of each vendor its title, its paths and a curl line."""
    prefix, url = prefix_of(space), url_of(space)
    listed = []
    for vendor in emulator.vendors.values():
        if vendor.id in space.states:
            site = space.scenario.sites[vendor.id]
            keys = vendor.client.keys(space.credentials(vendor.id))
            paths = [f"{endpoint.method} {prefix}{endpoint.path}" for endpoint in vendor.endpoints]
            line = vendor.client.curl(url, keys, site.resources).splitlines()[-1]
            listed.append({"vendor": vendor.id, "title": vendor.title, "paths": paths, "curl": line})
    return {"localruns": localruns.__version__, "scenario": space.scenario.name, "vendors": listed}


def prefix_of(space: Namespace) -> str:
    """What stands before the vendors' paths; nothing for the default namespace."""
    return "" if space.name == "default" else f"/ns/{quote(space.name, safe='')}"


def url_of(space: Namespace) -> str:
    """A namespace's base URL, by the host that the present request came to."""
    return server_url() + prefix_of(space)


def server_url() -> str:
    """Scheme and host that the present request came to."""
    return f"{flask.request.scheme}://{_host(flask.request.environ)}"


def _host(environ: Mapping[str, Any]) -> str:
    """The host that the client calls us by, if it is one that can stand in a command line."""
    given = environ.get("HTTP_HOST", "")
    return given if _HOST.fullmatch(given) else f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
