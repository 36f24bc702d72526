"""HTTPS with a certificate authority of our own: made once in the cache, trusted by whom it is shown to.

The folder `tls` of the cache holds `authority.pem` (certificate and key), `ca.pem` (the certificate alone, for
clients) and a server certificate per set of names. A start that finds them makes no key and needs no `trustme`.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import logging
import os
import re
import shlex
import shutil
import socket
import ssl
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from localruns.errors import ConfigError

if TYPE_CHECKING:
    import trustme

LOCAL = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE = ("", "0.0.0.0", "::")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_END = b"-----END CERTIFICATE-----\n"
_TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
_log = logging.getLogger("localruns.tls")


def tls_context(cache: Path, hosts: Iterable[str] = ()) -> tuple[ssl.SSLContext, bytes]:
    """What a server needs for HTTPS, and the certificate of the authority that its clients are to trust, as PEM.

    The server is good for `localhost`, 127.0.0.1, ::1 and `hosts`. Raises ConfigError for a host that no certificate
    can name. An unwritable cache costs one warning; the authority then lasts as long as the process.
    """
    folder = cache / "tls"
    authority = _authority(folder)
    certificate = authority[: authority.index(_END) + len(_END)]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    names = _names(hosts)
    digest = hashlib.sha256(b"\0".join([certificate, *(name.encode() for name in names)])).hexdigest()
    place = folder / f"server-{digest[:32]}.pem"
    try:
        context.load_cert_chain(place)
    except OSError:  # none yet, or none that can be used; ssl.SSLError is one of them
        _issue(authority, names, place, context)
    return context, certificate


def ca_file(cache: Path) -> Path:
    """The file that clients are to trust, made when it is missing; `ca.pem` in this folder where none can be kept."""
    place = cache / "tls" / "ca.pem"
    _authority(place.parent)
    return place if place.exists() else Path(place.name)


def file_of(ca_pem: bytes, cache: Path) -> Path:
    """A file with that certificate: the kept one, else a temporary one that goes with this process."""
    kept = cache / "tls" / "ca.pem"
    if kept.is_file() and kept.read_bytes() == ca_pem:
        return kept
    folder = tempfile.mkdtemp(prefix="localruns-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    place = Path(folder) / "ca.pem"
    place.write_bytes(ca_pem)
    return place


def trust_exports(certificate: Path) -> dict[str, str]:
    """Variables that make clients trust us: `requests`; `httpx`, Python's ssl and curl; Node."""
    return dict.fromkeys(_TRUST, str(certificate))


def trust_java(certificate: Path) -> tuple[str, str]:
    """(a command line that makes a trust store for Java, the options that make a program use it)."""
    store = certificate.with_name("truststore.p12")
    options = [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=localruns"]
    line = ["keytool", "-importcert", "-noprompt", "-alias", "localruns", "-file", str(certificate)]
    line += ["-keystore", str(store), "-storetype", "PKCS12", "-storepass", "localruns"]
    return shlex.join(line), shlex.join(options)


def _authority(folder: Path) -> bytes:
    """Certificate and key of the authority as PEM: the kept one, else a new one."""
    place = folder / "authority.pem"
    kept = _usable(place)
    if kept is None:
        made = _new_authority()
        try:
            kept = _keep_first(place, made)
        except OSError as error:
            words = "%s: no certificate authority can be kept there (%s), one is made in memory"
            _log.warning(words, folder, error.strerror or error)
            return made
    certificate = kept[: kept.index(_END) + len(_END)]
    public = folder / "ca.pem"
    if not public.exists() or public.read_bytes() != certificate:
        with contextlib.suppress(OSError):
            _keep(public, certificate, replace=True)
    return kept


def _keep_first(place: Path, made: bytes) -> bytes:
    """What stands in `place` from now on: `made`, or what another process has put there before us."""
    _keep(place, made, replace=False)
    if _usable(place) is None:  # it was there, and damaged
        _keep(place, made, replace=True)
    return _usable(place) or made


def _usable(place: Path) -> bytes | None:
    try:
        content = place.read_bytes()
    except OSError:
        return None
    return content if content.count(b"-----BEGIN ") == content.count(b"-----END ") == 2 and _END in content else None


def _new_authority() -> bytes:
    import trustme

    made = trustme.CA(organization_name="localruns", organization_unit_name="certificate authority for tests")
    return made.cert_pem.bytes() + made.private_key_pem.bytes()


def _issue(authority: bytes, names: Sequence[str], place: Path, context: ssl.SSLContext) -> None:
    """Make a certificate for a server, keep it if possible, and load it."""
    import trustme

    split = authority.index(_END) + len(_END)
    try:
        signer = trustme.CA.from_pem(authority[:split], authority[split:])
    except ValueError as error:
        where = place.with_name("authority.pem")
        words = f"{where}: found no certificate and key that can be read ({error}): remove it to have it made anew"
        raise ConfigError(words) from None
    issued = _leaf(signer, names)
    try:
        _keep(place, issued.private_key_and_cert_chain_pem.bytes(), replace=True)
        context.load_cert_chain(place)
    except OSError:
        issued.configure_cert(context)


def _leaf(authority: trustme.CA, names: Sequence[str]) -> trustme.LeafCert:
    try:
        return authority.issue_cert(*names, organization_name="localruns")
    except ValueError as error:  # of a name that is none
        listed = ", ".join(name for name in names if name not in LOCAL)
        raise ConfigError(f"--host {listed}: no certificate can be made for that name: {error}") from None


def _names(hosts: Iterable[str]) -> list[str]:
    """All names and addresses that the server is called by, each once."""
    names = [_machine() if host in _EVERYWHERE else host.partition("%")[0] for host in hosts]
    return list(dict.fromkeys([*LOCAL, *names]))


def _machine() -> str:
    """What other machines call this one, if that is a name."""
    name = socket.gethostname()
    return name if _NAME.fullmatch(name) else LOCAL[0]


def _keep(place: Path, content: bytes, *, replace: bool) -> None:
    """Put a file that only its owner may read in its place at once; without `replace`, unless one is there."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if replace:
            os.replace(name, place)
        else:
            _link(name, place)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _link(name: str, place: Path) -> None:
    try:
        os.link(name, place)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        os.replace(name, place)
