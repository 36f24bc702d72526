"""Names of the gateway's request headers, and what every answer carries.

**Source**: CLOVA NSML overview (common headers), API Gateway troubleshooting; `x-ncp-trace-id` from notes of public
clients.
"""

from __future__ import annotations

from localruns.engine.call import Call
from localruns.engine.draw import LOWER

TIMESTAMP = "x-ncp-apigw-timestamp"
ACCESS_KEY = "x-ncp-iam-access-key"
API_KEY = "x-ncp-apigw-api-key"
SIGNATURE_V1 = "x-ncp-apigw-signature-v1"
SIGNATURE_V2 = "x-ncp-apigw-signature-v2"

JSON_UTF8 = "application/json;charset=UTF-8"


def reply_headers(call: Call) -> tuple[tuple[str, str], ...]:
    """The gateway's trace id: 26 lower-case letters and digits."""
    return (("x-ncp-trace-id", call.text("trace", LOWER, 26)),)
