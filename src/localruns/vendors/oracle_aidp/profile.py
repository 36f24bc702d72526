"""The API key, or the session, that Oracle's own tools would use on this machine.

**Source**: the public Python SDK's `config.from_file` (which file, which profile); CLI Environment Variables (the
names that begin with OCI_CLI).
"""

from __future__ import annotations

from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as UnreadableIni
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localruns.errors import ConfigError
from localruns.vendors.oracle_aidp import keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_VARIABLES = {
    "OCI_CLI_TENANCY": "tenancy",
    "OCI_CLI_USER": "user",
    "OCI_CLI_FINGERPRINT": "fingerprint",
    "OCI_CLI_KEY_FILE": "key_file",
    "OCI_CLI_KEY_CONTENT": "key_content",
    "OCI_CLI_PASSPHRASE": "pass_phrase",
    "OCI_CLI_SECURITY_TOKEN_FILE": "security_token_file",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """Who signs. Shape: `key_id` as it stands in a signature; `secrets` texts that nobody else may see."""

    key_id: str
    key: RSAPrivateKey
    secrets: tuple[str, ...]


def find(environment: Mapping[str, str]) -> Profile | None:
    """The profile of the variables and the configuration file, variables first; None where there is neither.

    Raises ConfigError for a profile that cannot be used.
    """
    settings = _settings(environment)
    if not settings:
        return None
    key = _key(settings)
    if path := settings.get("security_token_file", ""):
        token = _read(path, "security_token_file").strip()
        return Profile(f"ST${token}", key, (token,))
    absent = [name for name in ("tenancy", "user") if not settings.get(name)]
    if absent:
        raise ConfigError(f"the credentials for oracle-aidp lack {' and '.join(absent)}, expected an API key's user")
    mark = settings.get("fingerprint") or keys.fingerprint(key.public_key())
    return Profile(f"{settings['tenancy']}/{settings['user']}/{mark}", key, ())


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    """What the configuration file says, and above it what the variables say."""
    named = {key: environment[name] for name, key in _VARIABLES.items() if environment.get(name)}
    # A key is a text or a file: the one that a variable names counts, whatever the file says.
    hidden = {"key_file", "key_content"} if {"key_file", "key_content"} & set(named) else set()
    hidden |= {"security_token_file"} if "user" in named else set()
    listed = {name: value for name, value in _listed(environment).items() if name not in hidden}
    return {**listed, **named}


def _listed(environment: Mapping[str, str]) -> dict[str, str]:
    path, section = _file(environment), environment.get("OCI_CLI_PROFILE") or "DEFAULT"
    if not path.is_file():
        return {}
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(_read(str(path), "configuration file"), str(path))
    except UnreadableIni as error:
        raise ConfigError(f"{path}: no configuration file of oci: {error.message.splitlines()[0][:200]}") from None
    if section not in parser:
        raise ConfigError(f"{path}: found no profile {section!r}, expected one of: {', '.join(parser)}")
    return dict(parser[section])


def _file(environment: Mapping[str, str]) -> Path:
    """The configuration file, in the SDK's order; OCI_CLI_CONFIG_FILE, which only the command line knows, wins."""
    own, older = (Path(place).expanduser() for place in ("~/.oci/config", "~/.oraclebmc/config"))
    if named := environment.get("OCI_CLI_CONFIG_FILE"):
        return Path(named).expanduser()
    if own.is_file():
        return own
    if named := environment.get("OCI_CONFIG_FILE"):
        return Path(named).expanduser()
    return older


def _key(settings: Mapping[str, str]) -> RSAPrivateKey:
    text = settings.get("key_content") or ""
    if not text:
        if not settings.get("key_file"):
            raise ConfigError("the credentials for oracle-aidp lack a key, expected key_file or OCI_CLI_KEY_CONTENT")
        text = _read(settings["key_file"], "key_file")
    return keys.private_key(text, settings.get("pass_phrase") or "")


def _read(name: str, what: str) -> str:
    path = Path(name).expanduser()
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{path}: the {what} of oci cannot be read: {words}") from None
