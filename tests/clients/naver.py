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
# Made by the SDK and by OpenSSL: the signature of a GET of each target at this time with these keys.
SIGNED_AT = "1735689600000"
SIGNED_WITH = ("EMUACCESSKEY00000001", "EMUSECRETKEY0000000000000000000000000001")
SIGNATURES = {
    RUNS: "mBX1n1Dlv5GlnbOLEipj76/b2w1Fd6x1mjrmQV5ounc=",
    RUNS + "?page=1&pageSize=2": "YjEFIDkHyquoIF2SQ6YadoHqDllRwUy2cP+I/l+ZbVA=",
    RUNS + "?pageSize=2&page=1": "NNqjmwQGHHJube2Ms4dDuQgnrSLOVKSoJfhfeizcul8=",
    RUNS + "?page=": "f0PkDH+GHgUIyjEpQ7/o4DpcnJhUsDDf9qhlE3mDAoo=",
}


def error(response: Any) -> tuple[int, str, str]:
    """(status, errorCode, details) of a refusal."""
    body = response.get_json()["error"]
    return response.status_code, body["errorCode"], body["details"]
