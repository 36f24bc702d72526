"""The error table, and an error as the gateway writes it.

**Source**: gateway error table, common error tables and public issue logs; statuses where tables disagree are
choices, see this folder's README.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localruns.engine.call import Call
from localruns.engine.message import ErrorRow, ErrorTable, Reply, Request
from localruns.errors import ApiError, BadRequest, NotFound
from localruns.vendors.alibaba_pai.headers import CONTENT_TYPE, reply_headers

_ROWS = (
    ErrorRow(400, "InvalidParameter", "The specified parameter {name} is not valid.", "an unusable parameter"),
    ErrorRow(400, "MissingParameter", "The parameter {name} is required.", "never by ListRuns", injected=True),
    ErrorRow(400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.", "no key in the request"),
    ErrorRow(
        400,
        "IncompleteSignature",
        "The request signature does not conform to the platform's standards.",
        "an older or unknown algorithm; mode verify: a field of Authorization or a header that must be signed missing",
    ),
    ErrorRow(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.", "verify: an unknown key"),
    ErrorRow(400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.", "a disabled credential"),
    ErrorRow(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.", "an expired credential"),
    ErrorRow(400, "MissingSecurityToken", "SecurityToken is mandatory for this action.", "verify: an STS key alone"),
    ErrorRow(
        400,
        "InvalidSecurityToken.MismatchWithAccessKey",
        "Specified SecurityToken mismatch with the AccessKey.",
        "verify: another token than the key's, or one beside a permanent key",
    ),
    ErrorRow(
        400,
        "InvalidSecurityToken.Malformed",
        "Specified SecurityToken is malformed.",
        "verify: an unknown bearer token",
    ),
    ErrorRow(
        400,
        "InvalidTimeStamp.Format",
        "Specified time stamp or date value is not well formatted.",
        "verify: an x-acs-date of another form",
    ),
    ErrorRow(
        400,
        "InvalidTimeStamp.Expired",
        "Specified time stamp or date value is expired.",
        "verify: an x-acs-date further from now than signature_skew_s",
    ),
    ErrorRow(
        400,
        "SignatureDoesNotMatch",
        "Specified signature is not matched with our calculation. server string to sign is:{string_to_sign}",
        "verify: a wrong signature or body hash",
    ),
    ErrorRow(400, "SignatureNonceUsed", "Specified signature nonce was used already.", "verify: a replay"),
    ErrorRow(400, "InvalidVersion", "Specified parameter Version is not valid.", "another x-acs-version"),
    ErrorRow(401, "Unauthorized", "The request is not authorized.", "never by the gateway", injected=True),
    ErrorRow(403, "NoPermission", "You are not authorized to do this.", "a credential with allow: false"),
    ErrorRow(
        403,
        "Forbidden.RAM",
        "User not authorized to operate on the specified resource.",
        "the other name of NoPermission",
        injected=True,
    ),
    ErrorRow(
        404,
        "InvalidApi.NotFound",
        "Specified api is not found, please check your url and method.",
        "an unknown path or method",
    ),
    ErrorRow(413, "RequestEntityTooLarge", "The request is too large.", "a URL, header or body over the limit"),
    ErrorRow(429, "Throttling.User", "Request was denied due to user flow control.", "the rate limit of the scenario"),
    ErrorRow(429, "Throttling.Api", "Request was denied due to api flow control.", "a fault", injected=True),
    ErrorRow(429, "Throttling", "Request was denied due to request throttling.", "a fault", injected=True),
    ErrorRow(
        500,
        "InternalError",
        "The request processing has failed due to some unknown error.",
        "a fault, a defect of localruns",
        injected=True,
    ),
    ErrorRow(
        503,
        "ServiceUnavailable",
        "The request has failed due to a temporary failure of the server.",
        "a fault",
        injected=True,
    ),
)

TABLE = ErrorTable(
    rows=_ROWS,
    kinds={
        "bad_request": "InvalidParameter",
        "unauthorized": "Unauthorized",
        "forbidden": "NoPermission",
        "not_found": "InvalidApi.NotFound",
        "throttled": "Throttling.User",
        "server_error": "InternalError",
        "unavailable": "ServiceUnavailable",
    },
    page_token="InvalidParameter",
    transport={
        400: "InvalidParameter",
        404: "InvalidApi.NotFound",
        413: "RequestEntityTooLarge",
        414: "RequestEntityTooLarge",
        431: "RequestEntityTooLarge",
    },
)
_DEFAULT_RETRY_S = 1.0


def unknown(request: Request, _methods: Sequence[str]) -> ApiError:
    """No such path, or not with this method."""
    return NotFound(detail=f"{request.method} {request.path} is not in the API")


def refuse(refusal: ApiError, call: Call) -> Reply:
    """The error body of the gateway; throttling also carries the wait in milliseconds."""
    row = TABLE.row(refusal.kind, refusal.code)
    request_id = call.uuid("request").upper()
    name = refusal.parameter if isinstance(refusal, BadRequest) else "of the request"
    content: dict[str, Any] = {
        "RequestId": request_id,
        "HostId": call.settings["host_id"],
        "Code": row.code,
        "Message": row.message.format(**{"name": name, "string_to_sign": "", **refusal.parameters}),
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={row.code}&product=AIWorkSpace&requestId={request_id}",
    }
    if row.code == "NoPermission":
        content["AccessDeniedDetail"] = _denied(call)
    throttling = row.code.startswith("Throttling")
    wait_s = refusal.retry_after_s
    if wait_s is None and throttling:
        wait_s = _DEFAULT_RETRY_S
    headers = reply_headers(call, request_id)
    if wait_s:
        headers += (("x-acs-retry-after", str(max(1, round(wait_s * 1000)))),)
    status = call.settings["throttled_status"] if throttling else row.status
    return Reply(status, content, "alibaba-pai/error.json", headers, content_type=CONTENT_TYPE)


def _denied(call: Call) -> dict[str, str]:
    """**Source**: keys and values as in the public RRSA guide; the action, and who is of which type, are assumed."""
    known = call.state.credentials.get(call.entry.credential, {})
    temporary = "secret" in known and "token" in known
    return {
        "AuthAction": "paiexperiment:ListRuns",
        "AuthPrincipalType": "AssumedRoleUser" if temporary else "SubUser",
        "AuthPrincipalDisplayName": call.text("principal", "0123456789", 18),
        "AuthPrincipalOwnerId": "1631044000003440",
        "NoPermissionType": "ImplicitDeny",
        "PolicyType": "AccountLevelIdentityBasedPolicy",
    }
