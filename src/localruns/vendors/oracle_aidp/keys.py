"""The one RSA key pair that all well-known Oracle users share, made once in the cache directory."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from localruns.errors import ConfigError
from localruns.paths import cache_dir

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

_BITS = 2048


def shared_key() -> RSAPrivateKey:
    """The private key; without a writable cache it lasts as long as the process."""
    return _shared_key(cache_dir() / "oracle-aidp-key.pem")


def private_pem(key: RSAPrivateKey) -> str:
    """The key as unencrypted PKCS#8 PEM."""
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_key(pem: str) -> RSAPublicKey:
    """The RSA public key of a PEM text. Raises ConfigError."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError as error:
        raise ConfigError(f"oracle-aidp credentials: public_key is not a PEM public key: {error}") from None
    if not isinstance(key, RSAPublicKey):
        raise ConfigError("oracle-aidp credentials: public_key is not an RSA key")
    return key


def private_key(pem: str, pass_phrase: str = "") -> RSAPrivateKey:
    """The RSA private key of a PEM text; a pass phrase that is not needed is ignored. Raises ConfigError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    try:
        locked = "ENCRYPTED" in pem
        key = serialization.load_pem_private_key(pem.encode(), pass_phrase.encode() if locked else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # What the library says may quote the text, so its words are not passed on.
        words = (
            "the private key for oracle-aidp cannot be used: expected RSA in PEM, with its pass phrase if it has one"
        )
        raise ConfigError(words) from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("the private key for oracle-aidp is no RSA key")
    return key


def fingerprint(key: RSAPublicKey) -> str:
    """MD5 of the DER public key in colon-separated hex pairs. **Source**: Required Keys and OCIDs."""
    from cryptography.hazmat.primitives import serialization

    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.md5(der, usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, 32, 2))


@cache
def _shared_key(place: Path) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    kept = _load(place)
    if kept is not None:
        return kept
    key = rsa.generate_private_key(65537, _BITS)
    _keep(place, private_pem(key))
    # Another process may have won the race: whoever linked first is right for all.
    return _load(place) or key


def _load(place: Path) -> RSAPrivateKey | None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        key = serialization.load_pem_private_key(place.read_bytes(), None)
    except (OSError, ValueError):
        return None
    return key if isinstance(key, rsa.RSAPrivateKey) else None


def _keep(place: Path, pem: str) -> None:
    """Put the key in its place unless one is there; an unreadable one is replaced, an unwritable cache is left."""
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and _load(place) is None:
            place.unlink()
        handle, name = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(handle, "w") as file:
            file.write(pem)
        try:
            os.link(name, place)
        finally:
            os.unlink(name)
