"""What tests of namespaces share: making one, counting its requests, presenting its credentials."""

from __future__ import annotations

from typing import Any

from werkzeug.test import Client

from tests.clients.pagers import HEADERS


def make(client: Client, **asked: Any) -> Any:
    answer = client.post("/__admin/namespaces", json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json


def names(client: Client) -> list[str]:
    return [space["name"] for space in client.get("/__admin/namespaces").json["namespaces"]]


def count(client: Client, namespace: str) -> int:
    return int(client.get(f"/__admin/requests/count?namespace={namespace}").json["count"])


def presenting(vendor: str, keys: dict[str, str]) -> dict[str, str]:
    """The headers of a client that presents these credentials, unsigned."""
    own = {
        "alibaba-pai": lambda: {
            "Authorization": f"ACS3-HMAC-SHA256 Credential={keys['access_key_id']},SignedHeaders=host,Signature=00"
        },
        "oracle-aidp": lambda: {"Authorization": f"Bearer {keys['bearer_token']}"},
        "naver-nsml": lambda: {"x-ncp-iam-access-key": keys["access_key"], "x-ncp-apigw-api-key": keys["api_key"]},
        "palantir-foundry": lambda: {"Authorization": f"Bearer {keys['token']}"},
    }
    return {**HEADERS[vendor], **own[vendor]()}
