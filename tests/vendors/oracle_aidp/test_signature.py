"""OCI request signatures: the published vector, and what a change to each part is answered with."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from werkzeug.test import Client, TestResponse

from localruns.surfaces.http import App
from localruns.vendors.oracle_aidp import keys, signature
from localruns.vendors.oracle_aidp.access import WELL_KNOWN_USER

PLATFORM = "ocid1.aidataplatform.oc1.iad.exampleaidp"
USER = "ocid1.tenancy.oc1..exampletenancy/ocid1.user.oc1..exampleuser"
FINGERPRINT = "23:c2:4b:cd:53:8d:a3:b9:59:37:f5:eb:07:8f:ad:9c"
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAukufE34XvXllrsANFBPt
BmCAJ6Eo1WLAx/+c1UzAxoVimiX9Ou4gb0GhQ7AbPKvMaLMosAXBHyt71ZbAtSM5
B4l7dlBerL2hcU0Vtm9hsXeQjmSUXP8HuniJVlZTdkIjMmA/45sMsaXsBl60YBPp
XPywqDYx5lzIa7D4Fg5kuqW0i/uAN/ECxjN1HTBwF827rHCfTqxEkHVl6y+rSJpm
UjgXrkKp7y7hLy90Q5jEg4hYxUU9ADz4cd+IMUiTD8xQcduXCyXODLBs/k7lKX/u
6hfGZAf2MCdU/shGXIAP+divPpJTIwnoYOxl17Khgx3WX9mN72zyZ10aWXF48uPj
MQIDAQAB
-----END PUBLIC KEY-----
"""
SIGNATURE = (
    "iys6+mVS3QrRD5dokJLXUeNj8L4lY06YgYUwE+3n2wy3LpFCLGxqGkRWgqlw8MvelX8XqI22AnaPH2/ImRlWKjHl5mcqUwP4ssGy"
    "89qcnxXmg17F5XSzfrX/yLgVW7ee9jVY4ryna3NgG69z8YmSBTUv9DymDJGv5zYlj7bpWBVXKZz9D0DDmkVMAOllQOnyMGqzzaQJ"
    "QXJ+0CoFyqNd+Rvuat5JsckT1i7sc0QCXoi2NwsLgZDL06f48aKiZiCYaO5Y2TLuALq9YmfBqCq0y+KbssgmgePVwMGD1gGitp48"
    "mOMsVnTFEaFW2ruuuG1AV1xPus+QUzTRqE579rgZAQ=="
)
PATH = f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/ws-1/mlops/api/2.0/mlflow/runs/search"
BODY = '{"experiment_ids": ["1"], "run_view_type": "ACTIVE_ONLY", "filter": "metrics.rmse < 1", "max_results": 100}'
KIND = 'algorithm="rsa-sha256",version="1"'
SIGNED = "date (request-target) host content-length content-type x-content-sha256"


def headers(**changed: str) -> dict[str, str]:
    """The vector's headers; `key_id`, `signed`, `signature`, `kind` change the Authorization, others a header."""
    authorization = (
        f'Signature {changed.pop("kind", KIND)},headers="{changed.pop("signed", SIGNED)}",'
        f'keyId="{changed.pop("key_id", f"{USER}/{FINGERPRINT}")}",'
        f'signature="{changed.pop("signature", SIGNATURE)}"'
    )
    return {
        "date": "Tue, 05 May 2026 12:00:00 GMT",
        "host": "localhost:8080",
        "content-type": "application/json",
        "x-content-sha256": "LvCoDLUSKQ34x0cW6FXSI1rG7UNFZLuwcbJ4PGpYTgo=",
        "authorization": authorization,
        **changed,
    }


@pytest.fixture
def client(make_app: Callable[..., App]) -> Client:
    workspaces = {"ws-1": {"experiments": ["1"]}, "ws-2": {"experiments": ["1"]}}
    return make_app(
        vendor="oracle-aidp",
        auth="verify",
        settings={"signature_skew_s": 10**9},
        resources={"platforms": {PLATFORM: {"workspaces": workspaces}}},
        credentials=[{"id": USER, "public_key": PUBLIC_KEY}],
    ).test_client()


def ask(client: Client, path: str = PATH, body: str = BODY, **changed: str) -> tuple[TestResponse, str]:
    """(answer, what the journal says of it)."""
    answer = client.post(path, data=body, headers=headers(**changed))
    journal: list[dict[str, Any]] = client.get("/__admin/requests").json["requests"]
    return answer, journal[-1]["why"]


def test_the_published_vector_verifies(client: Client) -> None:
    answer, why = ask(client)
    assert answer.status_code == 200, why


def test_the_order_of_the_authorization_fields_does_not_matter(client: Client) -> None:
    fields = headers()["authorization"].removeprefix("Signature ").split(",")
    assert ask(client, authorization="Signature " + ",".join(reversed(fields)))[0].status_code == 200


def test_the_same_signature_may_come_again(client: Client) -> None:
    """MLflow retries below its signing, so a retry carries the date and the signature of the first request."""
    assert [ask(client)[0].status_code for _ in range(3)] == [200] * 3


def test_the_version_may_be_left_out(client: Client) -> None:
    assert ask(client, kind='algorithm="rsa-sha256"')[0].status_code == 200


def test_a_mount_prefix_may_be_signed_or_not(client: Client) -> None:
    answer, why = ask(client, path="/ns/default" + PATH)
    assert answer.status_code == 200
    assert "without /ns/default" in why


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"body": BODY.replace("100", "101")}, "the body differs"),
        ({"path": PATH.replace("ws-1", "ws-2")}, "(request-target)"),
        ({"date": "Tue, 05 May 2026 12:00:01 GMT"}, "date"),
        ({"date": "yesterday"}, "RFC 7231"),
        ({"host": "127.0.0.1:8080"}, "host was signed as 'localhost:8080' and came as '127.0.0.1:8080'"),
        ({"key_id": f"{USER}/{FINGERPRINT[:-1]}d"}, "fingerprint"),
        ({"key_id": f"{USER}x/{FINGERPRINT}"}, "no public key"),
        ({"key_id": "ST$eyJhbGciOi"}, "a security token"),
        ({"key_id": "resource-principal"}, "a resource principal"),
        ({"signed": "date (request-target) host"}, "not signed: content-length, content-type, x-content-sha256"),
        ({"signed": SIGNED + " x-nope"}, "signed but not sent: x-nope"),
        ({"signature": "AAAA"}, "signature mismatch"),
        ({"signature": "***"}, "not base64"),
        ({"signature": ""}, "no signature"),
        ({"key_id": ""}, "no keyId"),
        ({"kind": 'algorithm="rsa-sha512",version="1"'}, 'algorithm="rsa-sha256"'),
        ({"kind": 'version="1"'}, 'algorithm="rsa-sha256"'),
        ({"kind": 'algorithm="rsa-sha256",version="2"'}, 'version="1"'),
        ({"signed": SIGNED.replace("date ", "")}, "not signed: date"),
        ({"signed": SIGNED.replace("date ", "x-date "), "x-date": "Tue, 05 May 2026 12:00:00 GMT"}, "mismatch"),
    ],
)
def test_any_other_request_is_refused_and_the_journal_names_the_part(
    client: Client, change: dict[str, str], named: str
) -> None:
    answer, why = ask(client, **change)
    assert (answer.status_code, answer.json["code"]) == (401, "NotAuthenticated")
    assert named in why
    assert named not in answer.text


def test_a_mismatch_shows_the_text_we_computed_and_its_hash(client: Client) -> None:
    _, why = ask(client, signature="AAAA")
    assert "(SHA-256 e6d4354443a07f69bdb9531d52aa1efdc113c1fdfd33331aaa8cbcb9a53090d2)" in why
    assert r"host: localhost:8080\ncontent-length: 107\n" in why


@pytest.mark.parametrize(("away_s", "status"), [(-301, 401), (-300, 200), (300, 200), (301, 401)])
def test_a_date_may_lie_five_minutes_from_now(
    make_app: Callable[..., App], monkeypatch: pytest.MonkeyPatch, away_s: int, status: int
) -> None:
    moment = datetime(2026, 5, 5, 12, tzinfo=UTC)
    monkeypatch.setattr(signature, "wall_now", lambda: moment - timedelta(seconds=away_s))
    resources = {"platforms": {PLATFORM: {"workspaces": {"ws-1": {"experiments": ["1"]}}}}}
    credentials = [{"id": USER, "public_key": PUBLIC_KEY}]
    app = make_app(vendor="oracle-aidp", auth="verify", resources=resources, credentials=credentials)
    assert ask(app.test_client())[0].status_code == status


@pytest.mark.parametrize("name", ["date", "x-date"])
@pytest.mark.parametrize(
    ("method", "more"), [("GET", []), ("POST", ["content-length", "content-type", "x-content-sha256"])]
)
def test_what_a_method_signs_is_enough_with_either_date(
    make_app: Callable[..., App], name: str, method: str, more: list[str]
) -> None:
    """Signed here by hand, with the cryptography library alone, as the published description says."""
    key = keys.shared_key()
    path = PATH.replace(PLATFORM, "ocid1.aidataplatform.oc1.iad.localruns").replace("ws-1", "default")
    path = path if method == "POST" else path.replace("runs/search", "experiments/get?experiment_id=1")
    body = BODY if method == "POST" else ""
    sent = {name: format_datetime(datetime.now(UTC), usegmt=True), "host": "localhost"}
    if more:
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        sent |= dict(zip(more, (str(len(body)), "application/json", digest), strict=True))
    lines = [f"{name}: {sent[name]}", f"(request-target): {method.lower()} {path}", "host: localhost"]
    text = "\n".join(lines + [f"{each}: {sent[each]}" for each in more])
    raw = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    user = f"{WELL_KNOWN_USER}/{keys.fingerprint(key.public_key())}"
    signed = " ".join([name, "(request-target)", "host", *more])
    sent["authorization"] = f'Signature {KIND},headers="{signed}",keyId="{user}",signature="{raw}"'
    answer = make_app("quickstart", auth="verify").test_client().open(path, method=method, headers=sent, data=body)
    assert answer.status_code == 200


def test_a_stale_date_is_refused(make_app: Callable[..., App]) -> None:
    client = make_app(vendor="oracle-aidp", auth="verify", credentials=[{"id": USER, "public_key": PUBLIC_KEY}])
    answer, why = ask(client.test_client(), path=PATH)
    assert answer.status_code == 401
    assert "s from now, expected at most 300 s" in why


def test_bearer_and_basic_are_looked_up(make_app: Callable[..., App]) -> None:
    client = make_app("quickstart", auth="verify").test_client()
    path = PATH.replace(PLATFORM, "ocid1.aidataplatform.oc1.iad.localruns").replace("ws-1", "default")

    def status(**more: Any) -> int:
        return client.post(path, data=json.dumps({}), content_type="application/json", **more).status_code

    assert status(headers={"Authorization": "Bearer localruns-token"}) == 200
    assert status(headers={"Authorization": "Bearer other"}) == 401
    assert status(headers={"Authorization": "Bearer "}) == 401
    assert status(auth=("localruns", "localruns-token")) == 200
    assert status(auth=("localruns", "other")) == 401
    assert status(auth=("other", "localruns-token")) == 401
    assert status(headers={"Authorization": "Basic !!!"}) == 401
    assert status() == 401
