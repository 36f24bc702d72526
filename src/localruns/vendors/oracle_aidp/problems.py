"""The error table, and an error as the platform writes it.

**Source**: REST reference, "(Preview) List experiment runs", 20260430 (statuses, body); API Errors (code names).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from localruns.engine.call import Call
from localruns.engine.message import ErrorRow, ErrorTable, Reply, Request
from localruns.errors import ApiError, BadRequest, NotFound
from localruns.vendors.oracle_aidp import plain

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,1000}")

_ROWS = (
    ErrorRow(400, "InvalidParameter", "{detail}", "a value of a wrong type, range or grammar"),
    ErrorRow(400, "CannotParseRequest", "{detail}", "a body that is not JSON"),
    ErrorRow(400, "MissingParameter", "{detail}", "no body"),
    ErrorRow(400, "LimitExceeded", "The limit for this resource has been exceeded.", "", injected=True),
    ErrorRow(400, "QuotaExceeded", "The quota for this resource has been exceeded.", "", injected=True),
    ErrorRow(401, "NotAuthenticated", "The required information to complete authentication was not provided or was "
             "incorrect.", "no, bad or stale credentials"),
    ErrorRow(403, "NotAuthorized", "The caller is not allowed to do this.", "credentials with allow: false"),
    ErrorRow(404, "NotAuthorizedOrNotFound", "Authorization failed or the requested resource was not found.",
             "an unknown platform or workspace"),
    ErrorRow(404, "NotFound", "There is no operation at this path.", "an unknown path"),
    ErrorRow(405, "MethodNotAllowed", "The operation does not support this method.", "another method"),
    ErrorRow(409, "IncorrectState", "The resource is in a state that does not allow this.", "", injected=True),
    ErrorRow(412, "NoEtagMatch", "The etag does not match.", "", injected=True),
    ErrorRow(413, "RequestEntityTooLarge", "The request is too large.", "a URL, header or body over the limit"),
    ErrorRow(429, "TooManyRequests", "User-rate limit exceeded.", "the rate limit of the scenario"),
    ErrorRow(500, "InternalServerError", "An internal server error occurred.", "", injected=True),
    ErrorRow(503, "ServiceUnavailable", "The service is currently unavailable.", "", injected=True),
)  # fmt: skip

TABLE = ErrorTable(
    rows=_ROWS,
    kinds={
        "bad_request": "InvalidParameter",
        "unauthorized": "NotAuthenticated",
        "forbidden": "NotAuthorized",
        "not_found": "NotAuthorizedOrNotFound",
        "throttled": "TooManyRequests",
        "server_error": "InternalServerError",
        "unavailable": "ServiceUnavailable",
    },
    page_token="InvalidParameter",
    transport={
        400: "CannotParseRequest",
        404: "NotFound",
        405: "MethodNotAllowed",
        413: "RequestEntityTooLarge",
        414: "RequestEntityTooLarge",
        431: "RequestEntityTooLarge",
    },
)


def unknown(request: Request, methods: Sequence[str]) -> ApiError:
    """No such path, or not with this method."""
    code = "MethodNotAllowed" if methods else "NotFound"
    detail = f"{request.method} {request.path} is not an operation"
    return NotFound(code=code, detail=detail, parameters={"methods": methods})


def request_id(call: Call) -> Call:
    """Refuse an `opc-request-id` with characters that the page does not allow."""
    given = call.request.header("opc-request-id")
    if given and not _REQUEST_ID.fullmatch(given):
        message = "opc-request-id is not made of 1 to 1,000 letters, numbers, underscores and dashes"
        raise BadRequest("opc-request-id", given, code="InvalidParameter", message=message)
    return call


def reply_headers(call: Call) -> tuple[tuple[str, str], ...]:
    """`opc-request-id`: the caller's own when it may be one, else made from the request number; MLflow has none."""
    if plain.is_plain(call.request):
        return ()
    given = call.request.header("opc-request-id") or ""
    own = given if _REQUEST_ID.fullmatch(given) else call.hex("request", 32).upper()
    return (("opc-request-id", own),)


def refuse(refusal: ApiError, call: Call) -> Reply:
    """`{code, message}`, over MLflow's own paths as MLflow writes it.

    `allow` as RFC 9110 asks of a 405; `retry-after` only where a fault asks for it.
    """
    row = TABLE.row(refusal.kind, refusal.code)
    message = row.message.format(detail=refusal.message or refusal.detail or "The request cannot be used.")
    own = plain.is_plain(call.request)
    content = plain.error(row, message) if own else {"code": row.code, "message": message}
    if call.settings["error_code"]:
        content["error_code"] = plain.code(row)
    headers = reply_headers(call)
    if row.status == 405:
        methods = (call.endpoint.method,) if call.endpoint else ()
        headers += (("allow", ", ".join(refusal.parameters.get("methods", methods))),)
    if refusal.retry_after_s is not None:
        headers += (("retry-after", str(max(1, math.ceil(refusal.retry_after_s)))),)
    return Reply(row.status, content, plain.ERROR if own else "oracle-aidp/error.json", headers)
