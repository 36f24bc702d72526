"""Signing anew: the same signature as the real SDK's, and where the key comes from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from localruns import clock
from localruns.engine.recorded.exchange import request_from
from localruns.errors import ConfigError
from localruns.vendors.oracle_aidp import keys
from localruns.vendors.oracle_aidp.resign import RESIGNING, sign

USER, TENANCY = "ocid1.user.oc1..someone", "ocid1.tenancy.oc1..home"
BODY = b'{"experiment_ids": ["1"]}'
STALE = {
    "host": "datalake.example",
    "date": "Mon, 01 Jan 2001 00:00:00 GMT",
    "content-type": "application/json",
    "content-length": str(len(BODY)),
    "x-content-sha256": "stale",
    "Authorization": 'Signature version="1",headers="date (request-target) host",keyId="a/b/c",signature="AA=="',
}


@pytest.fixture(scope="module")
def key() -> Any:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without a configuration of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def locked(key: Any) -> str:
    form = serialization.BestAvailableEncryption(b"open sesame")
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, form)
    return pem.decode()


def configure(place: Path, key: Any, **changed: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    pem = place.parent / "key.pem"
    pem.write_text(keys.private_pem(key), "utf-8")
    mark = keys.fingerprint(key.public_key())
    settings = {"user": USER, "tenancy": TENANCY, "fingerprint": mark, "key_file": str(pem), **changed}
    place.write_text("[DEFAULT]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()), "utf-8")
    return place


def key_id(environment: dict[str, str]) -> str:
    signer = RESIGNING.signer(environment)
    assert signer is not None
    text = signer.sign(request_from("POST", "/x", STALE.items(), BODY)).header("authorization") or ""
    return text.partition('keyId="')[2].partition('"')[0]


@pytest.mark.parametrize(("method", "body"), [("POST", BODY), ("POST", b""), ("GET", b"")])
def test_the_signature_is_the_one_that_the_real_sdk_makes(
    key: Any, method: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    oci = pytest.importorskip("oci")
    requests = pytest.importorskip("requests")
    now = datetime(2026, 5, 5, 12, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall_now", lambda: now)
    mark = keys.fingerprint(key.public_key())
    theirs = oci.signer.Signer(TENANCY, USER, mark, None, private_key_content=keys.private_pem(key))
    target = "/20260430/aiDataPlatforms/ocid1.x/runs?a=1&b="
    headers = {"date": "Tue, 05 May 2026 12:00:00 GMT", "content-type": "application/json"}
    prepared = requests.Request(method, "http://datalake.example" + target, headers, data=body).prepare()
    theirs(prepared)

    ours = sign(request_from(method, target, STALE.items(), body), f"{TENANCY}/{USER}/{mark}", key)
    assert ours.header("authorization") == prepared.headers["authorization"]
    for name in ("date", "x-content-sha256") if method == "POST" else ("date",):
        assert ours.header_values(name) == [prepared.headers[name]]


def test_the_key_comes_from_the_configuration_file_that_the_sdk_reads(key: Any, home: Path) -> None:
    mark = keys.fingerprint(key.public_key())
    other = configure(home / "elsewhere" / "config", key, user="ocid1.user.oc1..other")
    assert RESIGNING.signer({}) is None
    assert key_id({"OCI_CONFIG_FILE": str(other)}) == f"{TENANCY}/ocid1.user.oc1..other/{mark}"
    configure(home / ".oci" / "config", key)
    # As with the SDK, the file in its usual place wins over that variable.
    assert key_id({"OCI_CONFIG_FILE": str(other)}) == f"{TENANCY}/{USER}/{mark}"
    assert key_id({"OCI_CLI_CONFIG_FILE": str(other)}) == f"{TENANCY}/ocid1.user.oc1..other/{mark}"


def test_variables_win_over_the_file(key: Any, home: Path) -> None:
    configure(home / ".oci" / "config", key)
    fresh = rsa.generate_private_key(65537, 2048)
    environment = {
        "OCI_CLI_USER": "ocid1.user.oc1..new",
        "OCI_CLI_KEY_CONTENT": locked(fresh),
        "OCI_CLI_PASSPHRASE": "open sesame",
        "OCI_CLI_FINGERPRINT": keys.fingerprint(fresh.public_key()),
    }
    assert key_id(environment) == f"{TENANCY}/ocid1.user.oc1..new/{keys.fingerprint(fresh.public_key())}"


def test_a_session_signs_with_its_token(key: Any, home: Path) -> None:
    (home / "token").write_text("abc.def\n", "utf-8")
    configure(home / ".oci" / "config", key, security_token_file=str(home / "token"))
    assert key_id({}) == "ST$abc.def"
    signer = RESIGNING.signer({})
    assert signer is not None
    assert list(signer.secrets) == ["abc.def"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"key_file": "/nowhere/key.pem"}, "key_file of oci cannot be read"),
        ({"user": ""}, "lack user"),
        ({"key_file": ""}, "lack a key"),
    ],
)
def test_a_configuration_that_cannot_be_used_says_what_is_wrong(
    key: Any, home: Path, changed: dict[str, str], words: str
) -> None:
    configure(home / ".oci" / "config", key, **changed)
    with pytest.raises(ConfigError, match=words):
        RESIGNING.signer({})


def test_an_unreadable_configuration_and_an_unknown_profile_are_told(key: Any, home: Path) -> None:
    configure(home / ".oci" / "config", key)
    with pytest.raises(ConfigError, match="no profile 'other', expected one of: DEFAULT"):
        RESIGNING.signer({"OCI_CLI_PROFILE": "other"})
    (home / ".oci" / "config").write_text("user = x\n", "utf-8")
    with pytest.raises(ConfigError, match="no configuration file of oci"):
        RESIGNING.signer({})


def test_a_key_that_cannot_be_used_is_not_shown(key: Any) -> None:
    environment = {"OCI_CLI_USER": USER, "OCI_CLI_TENANCY": TENANCY}
    secret = locked(key)
    for pem in ("no key at all", secret, secret.replace("A", "B")):
        with pytest.raises(ConfigError, match="expected RSA in PEM") as raised:
            RESIGNING.signer({**environment, "OCI_CLI_KEY_CONTENT": pem})
        assert pem[:20] not in str(raised.value)


@pytest.mark.parametrize(("value", "needed"), [(STALE["Authorization"], True), ("Bearer x", False), ("Basic x", False)])
def test_only_signatures_are_made_anew(value: str, needed: bool) -> None:
    assert RESIGNING.needed(request_from("POST", "/x", [("Authorization", value)])) is needed
