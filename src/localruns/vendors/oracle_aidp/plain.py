"""MLflow's own server: the same protocol at its own paths, with its own errors and headers.

**Source**: a real MLflow 3.17.2 server.
"""

from __future__ import annotations

from localruns.engine.message import ErrorRow, Request
from localruns.engine.vendor import Alias

PLATFORM, WORKSPACE = "ocid1.aidataplatform.oc1.iad.localruns", "default"
_PREFIXES = ("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")
_OURS = f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/{WORKSPACE}/mlops/api/2.0/mlflow/"

# What MLflow calls the same fault; its client reads `error_code` only.
CODES = {
    "InvalidParameter": "INVALID_PARAMETER_VALUE",
    "CannotParseRequest": "INVALID_PARAMETER_VALUE",
    "MissingParameter": "INVALID_PARAMETER_VALUE",
    "LimitExceeded": "RESOURCE_LIMIT_EXCEEDED",
    "QuotaExceeded": "RESOURCE_LIMIT_EXCEEDED",
    "NotAuthenticated": "UNAUTHENTICATED",
    "NotAuthorized": "PERMISSION_DENIED",
    "NotAuthorizedOrNotFound": "RESOURCE_DOES_NOT_EXIST",
    "NotFound": "ENDPOINT_NOT_FOUND",
    "MethodNotAllowed": "BAD_REQUEST",
    "IncorrectState": "RESOURCE_CONFLICT",
    "NoEtagMatch": "RESOURCE_CONFLICT",
    "RequestEntityTooLarge": "BAD_REQUEST",
    "TooManyRequests": "REQUEST_LIMIT_EXCEEDED",
    "InternalServerError": "INTERNAL_ERROR",
    "ServiceUnavailable": "TEMPORARILY_UNAVAILABLE",
}
# (sqlstate, error class) beside the code; a code that is not here has neither.
_PARAMETER, _FAILED = ("KAM00", "INVALID_PARAMETER_VALUE"), ("XXM00", "CLIENT_INTERNAL_ERROR")
_CLASSES = {
    "INVALID_PARAMETER_VALUE": _PARAMETER,
    "BAD_REQUEST": _PARAMETER,
    "PERMISSION_DENIED": ("KAM00", "PERMISSION_DENIED"),
    "RESOURCE_DOES_NOT_EXIST": ("KAM00", "RESOURCE_NOT_FOUND"),
    "ENDPOINT_NOT_FOUND": ("KAM00", "RESOURCE_NOT_FOUND"),
    "INTERNAL_ERROR": _FAILED,
    "TEMPORARILY_UNAVAILABLE": _FAILED,
}
LIST = "oracle-aidp/mlflow-list-runs.json"
ERROR = "oracle-aidp/mlflow-error.json"
EXPERIMENTS = "oracle-aidp/mlflow-search-experiments.json"


def code(row: ErrorRow) -> str:
    """MLflow's name of an error."""
    return CODES[row.code]


def error(row: ErrorRow, message: str) -> dict[str, str]:
    """The body of an error."""
    content = {"error_code": code(row), "message": message}
    if known := _CLASSES.get(code(row)):
        content["sqlstate"], content["error_class"] = known
    return content


def is_plain(request: Request) -> bool:
    """Whether a request came over one of MLflow's own paths."""
    return request.path.startswith(_PREFIXES)


_ANSWERS = {"runs/search": LIST, "experiments/search": EXPERIMENTS}
ALIASES = tuple(Alias(prefix, _OURS, _ANSWERS, ERROR, ("error_code",), code) for prefix in _PREFIXES)
