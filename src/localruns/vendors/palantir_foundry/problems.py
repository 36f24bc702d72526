"""The error table, and an error as the platform writes it: Conjure JSON, an empty body, or RFC 6749 JSON.

**Source**: Foundry's Errors page, Conjure wire specification and server library, the SDK's error classes. The names of
errors with an empty body are ours, since nothing on the wire names them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localruns.engine.call import Call
from localruns.engine.message import ErrorRow, ErrorTable, Reply, Request
from localruns.errors import ApiError, NotFound
from localruns.vendors.palantir_foundry.asking import RID

_WRITES = "writes only"
_CONJURE = (
    ErrorRow(400, "Default:InvalidArgument", "A value in the request cannot be read.", "a path or query value"),
    ErrorRow(400, "ApiFeaturePreviewUsageOnly", "This endpoint is in preview and asks for preview=true.",
             "preview is not true"),
    ErrorRow(400, "InvalidPageSize", "The page size must be 1 or more.", "pageSize below 1"),
    ErrorRow(400, "InvalidPageToken", "The page token cannot be used for this request.", "a foreign or edited token"),
    ErrorRow(400, "InvalidAttributionHeader", "The attribution header must list RIDs.", "attribution is no RID list"),
    ErrorRow(400, "InvalidParameterCombination", "These parameters do not go together.", "not reachable", True),
    ErrorRow(401, "MissingCredentials", "The request carries no credentials.", "no Authorization header"),
    ErrorRow(401, "Conjure:MalformedCredentials", "The credentials are not one bearer token.", "not `Bearer <token>`"),
    ErrorRow(401, "Default:Unauthorized", "The token is not valid.", "unknown, revoked, expired or disabled token"),
    ErrorRow(403, "ApiUsageDenied", "The token lacks the operation scope.", "no api:models-read, mode verify"),
    ErrorRow(403, "Default:PermissionDenied", "You have no rights on this resource.", "a credential with allow: false"),
    ErrorRow(404, "ModelStudioNotFound", "There is no such model studio.", "unknown studio"),
    ErrorRow(404, "ModelStudioConfigVersionNotFound", "The studio has no such configuration version.",
             "unknown configVersion"),
    ErrorRow(409, "Default:Conflict", "The change conflicts with another.", _WRITES, True),
    ErrorRow(413, "Default:RequestEntityTooLarge", "The request is too large.", "a body over the limit"),
    ErrorRow(415, "Conjure:UnsupportedMediaType", "The body is of a kind that cannot be read.", _WRITES, True),
    ErrorRow(422, "Conjure:UnprocessableEntity", "The body cannot be decoded.", _WRITES, True),
    ErrorRow(500, "Default:Internal", "Something went wrong on the server.", "", True),
    ErrorRow(500, "Default:Timeout", "The server took too long.", "", True),
    ErrorRow(500, "Default:FailedPrecondition", "The state of the system does not allow this.", "", True),
)  # fmt: skip
_EMPTY = (
    ErrorRow(404, "EndpointNotFound", when="unknown path or method"),
    ErrorRow(414, "UriTooLong", when="a URL over the limit"),
    ErrorRow(431, "HeadersTooLarge", when="headers over the limit"),
    ErrorRow(429, "TooManyRequests", when="the rate limit of the scenario"),
    ErrorRow(429, "TooManyRequests:DoNotRetry", when="the same, with QoS-Retry-Hint: do-not-retry", injected=True),
    ErrorRow(503, "ServiceUnavailable", injected=True),
    ErrorRow(503, "ServiceUnavailable:DoNotRetry", when="the same, with QoS-Retry-Hint: do-not-retry", injected=True),
)
_OAUTH = (
    ErrorRow(400, "invalid_request", "The request lacks a parameter or repeats one.", "a malformed form"),
    ErrorRow(400, "unsupported_grant_type", "The grant type is not supported.", "another grant_type"),
    ErrorRow(400, "invalid_grant", "The refresh token is not valid.", "unknown or revoked refresh token, mode verify"),
    ErrorRow(401, "invalid_client", "Client authentication failed.", "no client, or one that does not hold"),
)

TABLE = ErrorTable(
    rows=(*_CONJURE, *_EMPTY, *_OAUTH),
    kinds={
        "bad_request": "Default:InvalidArgument",
        "unauthorized": "Default:Unauthorized",
        "forbidden": "Default:PermissionDenied",
        "not_found": "ModelStudioNotFound",
        "throttled": "TooManyRequests",
        "server_error": "Default:Internal",
        "unavailable": "ServiceUnavailable",
    },
    page_token="InvalidPageToken",
    transport={
        400: "Default:InvalidArgument",
        404: "EndpointNotFound",
        405: "EndpointNotFound",
        413: "Default:RequestEntityTooLarge",
        414: "UriTooLong",
        431: "HeadersTooLarge",
    },
)
NO_CACHE = (("Cache-Control", "no-cache, no-store, must-revalidate"),)
_ERROR_CODES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHORIZED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "CONFLICT",
    413: "REQUEST_ENTITY_TOO_LARGE", 415: "INVALID_ARGUMENT", 422: "INVALID_ARGUMENT", 500: "INTERNAL",
}  # fmt: skip
_NAMED_CODES = {"Default:Timeout": "TIMEOUT", "Default:FailedPrecondition": "FAILED_PRECONDITION"}


def unknown(request: Request, methods: Sequence[str]) -> ApiError:
    """No such path, or not with this method."""
    where = "has no such method" if methods else "is not in the API"
    return NotFound(code="EndpointNotFound", detail=f"{request.method} {request.path} {where}")


def form(row: ErrorRow) -> str:
    """The form of an error's body: `error`, `oauth-error`, or an empty text for no body."""
    if row in _EMPTY:
        return ""
    return "oauth-error" if row in _OAUTH else "error"


def refuse(refusal: ApiError, call: Call) -> Reply:
    """The error in the form that its row belongs to."""
    row = TABLE.row(refusal.kind, refusal.code)
    headers = (*NO_CACHE, *_waiting(row, refusal))
    if not form(row):
        return Reply(row.status, headers=headers)
    if form(row) == "oauth-error":
        said = {"error": row.code, "error_description": row.message}
        return Reply(row.status, said, "palantir-foundry/oauth-error.json", (*headers, *_challenge(row, call)))
    known = _PARAMETERS.get(row.code)
    content: dict[str, Any] = {
        "errorCode": _NAMED_CODES.get(row.code, _ERROR_CODES[row.status]),
        "errorName": row.code,
        "errorInstanceId": call.uuid("error"),
        "parameters": dict(refusal.parameters) or (known(call) if known else {}),
    }
    if call.settings["error_description"]:
        content["errorDescription"] = row.message
    return Reply(row.status, content, "palantir-foundry/error.json", headers)


def _waiting(row: ErrorRow, refusal: ApiError) -> tuple[tuple[str, str], ...]:
    """What a throttled client is told, only when it is asked for. **Source**: Conjure server library."""
    if row.code.endswith(":DoNotRetry"):
        return (("QoS-Retry-Hint", "do-not-retry"),)
    if row.status not in (429, 503) or refusal.retry_after_s is None:
        return ()
    return (("Retry-After", str(math.ceil(refusal.retry_after_s))),)


def _challenge(row: ErrorRow, call: Call) -> tuple[tuple[str, str], ...]:
    """**Source**: RFC 6749 section 5.2, for a client that tried the Authorization header."""
    tried = row.status == 401 and call.request.header("authorization") is not None
    return (("WWW-Authenticate", 'Basic realm="multipass"'),) if tried else ()


def _studio(call: Call) -> str:
    rid = call.params.get("modelStudioRid", "")
    return rid if RID.fullmatch(rid) else next(iter(call.resources["studios"]))


def _number(call: Call, name: str) -> int:
    text = call.request.arg(name) or ""
    return int(text) if re.fullmatch(r"-?[0-9]{1,10}", text) else 0


# What an injected error says of the request it answers: the SDK wants these parameters in their right types.
_PARAMETERS: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    "InvalidPageSize": lambda call: {"pageSize": _number(call, "pageSize")},
    "InvalidPageToken": lambda call: {"pageToken": call.request.arg("pageToken") or ""},
    "InvalidAttributionHeader": lambda call: {"header": call.request.header("attribution") or ""},
    "InvalidParameterCombination": lambda call: {"validCombinations": [], "providedParameters": []},
    "ApiUsageDenied": lambda call: {"missingScope": "api:models-read"},
    "ModelStudioNotFound": lambda call: {"studioRid": _studio(call)},
    "ModelStudioConfigVersionNotFound": lambda call: {
        "studioRid": _studio(call),
        "configVersion": _number(call, "configVersion"),
    },
}
