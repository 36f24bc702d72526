"""The error table, and an error as the gateway writes it.

**Source**: API Gateway overview and legacy API error handling (gateway rows); CLOVA NSML overview, which lists the
statuses of the service without any body: its rows, named `nsml-...` here because the gateway's code 400 is another
thing, borrow the gateway's envelope.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from localruns.engine.call import Call
from localruns.engine.message import ErrorRow, ErrorTable, Reply, Request
from localruns.errors import ApiError, BadRequest, NotFound, Unauthorized
from localruns.vendors.naver_nsml.headers import JSON_UTF8, reply_headers

_SERVICE = "nsml-"
MISSING = "Authentication information are missing."
INVALID = "Invalid authentication information."

_ROWS = (
    ErrorRow(400, "100", "Bad Request Exception", "a query that is not UTF-8"),
    ErrorRow(401, "200", "Authentication Failed", "a credential header is missing or does not hold"),
    ErrorRow(401, "210", "Permission Denied", "an API key with subscribed: false"),
    ErrorRow(403, "230", "Forbidden", "", injected=True),
    ErrorRow(404, "300", "Not Found Exception", "unknown path or method"),
    ErrorRow(413, "430", "Request Entity Too Large", "a URL, header or body over the limit"),
    ErrorRow(429, "400", "Quota Exceeded", "", injected=True),
    ErrorRow(429, "410", "Throttle Limited", "", injected=True),
    ErrorRow(429, "420", "Rate Limited", "the rate limit of the scenario"),
    ErrorRow(503, "500", "Endpoint Error", "", injected=True),
    ErrorRow(504, "510", "Endpoint Timeout", "", injected=True),
    ErrorRow(500, "900", "Unexpected Error", "", injected=True),
    ErrorRow(400, "nsml-400", "Bad Request", "page or pageSize that cannot be used"),
    ErrorRow(401, "nsml-401", "Unauthorized", "never: the gateway answers first", injected=True),
    ErrorRow(403, "nsml-403", "Forbidden", "an account with allow: false"),
    ErrorRow(404, "nsml-404", "Not Found", "never for the list", injected=True),
    ErrorRow(406, "nsml-406", "Not Accepted", "an Accept header that excludes JSON"),
    ErrorRow(500, "nsml-500", "Internal Server Error", "", injected=True),
)

TABLE = ErrorTable(
    rows=_ROWS,
    kinds={
        "bad_request": "nsml-400",
        "unauthorized": "200",
        "forbidden": "nsml-403",
        "not_found": "300",
        "throttled": "420",
        "server_error": "900",
        "unavailable": "500",
    },
    transport={400: "100", 404: "300", 413: "430", 414: "430", 431: "430"},
)

# The first three are recorded from the gateway; the others are worded here, as no public answer shows them.
_DETAILS = {
    "200": INVALID,
    "210": "A subscription to the API is required.",
    "300": "URL not found.",
    "nsml-404": "The resource was not found.",
    "100": "The request could not be read.",
    "230": "The account has no permission for this API.",
    "430": "The request is too large.",
    "400": "The quota is exceeded.",
    "410": "The throttle limit is exceeded.",
    "420": "The rate limit is exceeded.",
    "500": "The endpoint answered with an error.",
    "510": "The endpoint did not answer in time.",
    "900": "An unexpected error occurred.",
    "nsml-400": "The request is not valid.",
    "nsml-401": "The request is not authorized.",
    "nsml-403": "The account has no permission for CLOVA NSML.",
    "nsml-406": "The response is available as application/json only.",
    "nsml-500": "An internal error occurred.",
}


def missing(detail: str) -> Unauthorized:
    """The refusal of a request that lacks a credential header."""
    return Unauthorized(code="200", detail=detail, parameters={"details": MISSING})


def invalid(detail: str) -> Unauthorized:
    """The refusal of credentials that do not hold; the wire never says which part."""
    return Unauthorized(code="200", detail=detail, parameters={"details": INVALID})


def written_code(row: ErrorRow) -> str:
    """The code as the wire has it."""
    return row.code.removeprefix(_SERVICE)


def unknown(request: Request, methods: Sequence[str]) -> ApiError:
    """No such path, or not with this method: the gateway has no 405."""
    why = "has no such method" if methods else "is not in the API"
    return NotFound(detail=f"{request.method} {request.path} {why}")


def refuse(refusal: ApiError, call: Call) -> Reply:
    """The error body; `Retry-After` where the refusal names a wait."""
    row = TABLE.row(refusal.kind, refusal.code)
    content = {"errorCode": written_code(row), "message": row.message, "details": _details(refusal, row)}
    headers = reply_headers(call)
    if refusal.retry_after_s is not None:
        headers += (("Retry-After", str(math.ceil(refusal.retry_after_s))),)
    return Reply(row.status, {"error": content}, "naver-nsml/error.json", headers, content_type=JSON_UTF8)


def _details(refusal: ApiError, row: ErrorRow) -> str:
    if isinstance(refusal, BadRequest) and refusal.expected and row.code.startswith(_SERVICE):
        return f"{refusal.parameter} must be {refusal.expected}"
    return str(refusal.parameters.get("details", _DETAILS[row.code]))
