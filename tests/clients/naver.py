"""What the NAVER gateway asks for and says about credentials."""

from __future__ import annotations

from typing import Any

RUNS = "/nsml/v1/projects/runs"
HEADERS = (
    "x-ncp-apigw-timestamp",
    "x-ncp-iam-access-key",
    "x-ncp-apigw-signature-v2",
    "x-ncp-apigw-api-key",
)
MISSING = (401, "200", "Authentication information are missing.")
INVALID = (401, "200", "Invalid authentication information.")
UNSUBSCRIBED = (401, "210", "A subscription to the API is required.")
FORBIDDEN = (403, "403", "The account has no permission for CLOVA NSML.")
KEY = {"id": "LOCALRUNSACCESSKEY01", "secret": "localruns-naver-secret", "api_key": "LOCALRUNSAPIKEY0001"}
PAST = "2020-01-01T00:00:00Z"


def error(response: Any) -> tuple[int, str, str]:
    """(status, errorCode, details) of a refusal."""
    body = response.get_json()["error"]
    return response.status_code, body["errorCode"], body["details"]
