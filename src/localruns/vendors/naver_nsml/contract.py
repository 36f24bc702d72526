"""The run list in words for other tools: parameters, credentials, headers of its answers.

**Source**: Get run list; CLOVA NSML overview (common headers).
"""

from __future__ import annotations

from localruns.engine.described import Contract, Header, Operation, Parameter
from localruns.engine.params import INT32
from localruns.vendors.naver_nsml.headers import ACCESS_KEY, API_KEY, SIGNATURE_V1, SIGNATURE_V2, TIMESTAMP

_SCHEMES = {
    "timestamp": (TIMESTAMP, "Milliseconds since 1970, in digits."),
    "accessKey": (ACCESS_KEY, "The access key."),
    "apiKey": (API_KEY, "The key of the API Gateway."),
    "signatureV2": (SIGNATURE_V2, "HMAC-SHA256 over method, target, timestamp and access key, in Base64."),
    "signatureV1": (
        SIGNATURE_V1,
        "The same text and HMAC under the name that most SDKs use; in the mode verify with accept_signature_v1 only.",
    ),
}
_COMMON = dict[str, tuple[str, ...]].fromkeys(("timestamp", "accessKey", "apiKey"), ())

CONTRACT = Contract(
    operations={
        "GetRunList": Operation(
            about="Lists the runs of all projects of the caller, newest first, page by page. An empty value counts as "
            "absent, the first of several counts, an unknown parameter is ignored.",
            answer="naver-nsml/list-runs.json",
            parameters=(
                Parameter(
                    "page",
                    "query",
                    "The page, from 1; 0 is the first page too, unless the setting page_zero rejects it.",
                    {"type": "integer", "format": "int32", "minimum": 0, "maximum": INT32, "default": 1},
                ),
                Parameter(
                    "pageSize",
                    "query",
                    "Page size; without one the setting default_page_size, 10. The setting max_page_size cuts it.",
                    {"type": "integer", "format": "int32", "minimum": 1, "maximum": INT32},
                ),
            ),
        )
    },
    error_schema=lambda row: "naver-nsml/error.json",
    headers=(
        Header("x-ncp-trace-id", "The trace.", {"type": "string", "pattern": "^[0-9a-z]{26}$"}, always=True),
        Header("Retry-After", "How long to wait, in seconds.", {"type": "integer", "minimum": 0}, statuses=(429, 503)),
    ),
    schemes={
        name: {"type": "apiKey", "in": "header", "name": header, "description": about}
        for name, (header, about) in _SCHEMES.items()
    },
    security=({**_COMMON, "signatureV2": ()}, {**_COMMON, "signatureV1": ()}),
)
