"""The runs of a studio and the OAuth2 endpoints in words for other tools.

**Source**: List Model Studio Runs, Errors and Paging pages; RFC 6749 and RFC 7009.
"""

from __future__ import annotations

from typing import Any

from localruns.engine.described import Contract, Header, Operation, Parameter
from localruns.engine.message import ErrorRow
from localruns.engine.params import INT32
from localruns.vendors.palantir_foundry import problems
from localruns.vendors.palantir_foundry.asking import RID

_FORM = "application/x-www-form-urlencoded"
_CLIENT: tuple[dict[str, tuple[str, ...]], ...] = ({"client": ()}, {})


def _int32(low: int) -> dict[str, Any]:
    return {"type": "integer", "format": "int32", "minimum": low, "maximum": INT32}


def _error_schema(row: ErrorRow) -> str:
    return f"palantir-foundry/{problems.form(row)}.json" if problems.form(row) else ""


CONTRACT = Contract(
    operations={
        "ListModelStudioRuns": Operation(
            about="Lists the runs of a model studio, newest first, page by page. A parameter that stands twice is "
            "refused, an unknown one ignored.",
            answer="palantir-foundry/list-runs.json",
            parameters=(
                Parameter(
                    "modelStudioRid",
                    "path",
                    "The studio.",
                    {"type": "string", "pattern": f"^{RID.pattern}$"},
                    required=True,
                ),
                Parameter("configVersion", "query", "Runs of this configuration version.", _int32(1)),
                Parameter("pageSize", "query", "Page size; the setting max_page_size cuts it.", _int32(1)),
                Parameter("pageToken", "query", "nextPageToken of the page before.", {"type": "string"}),
                Parameter("preview", "query", "Must be true.", {"type": "boolean", "const": True}, required=True),
                Parameter(
                    "attribution",
                    "header",
                    "RIDs, separated by commas.",
                    {"type": "array", "items": {"type": "string", "pattern": f"^{RID.pattern}$"}, "minItems": 1},
                ),
            ),
            headers=(Header("Cache-Control", "Never to be kept.", {"type": "string"}, always=True),),
        ),
        "GetToken": Operation(
            about="Gives an access token for a client's id and secret, in the form or as Basic; or renews one.",
            answer="palantir-foundry/token.json",
            body="palantir-foundry/token-request.json",
            body_type=_FORM,
            headers=(
                Header("Cache-Control", "Never to be kept.", {"type": "string"}, always=True),
                Header("Pragma", "The same for old caches.", {"type": "string"}, always=True),
            ),
            security=_CLIENT,
        ),
        "RevokeToken": Operation(
            about="Revokes an access or refresh token; an unknown one is no error.",
            body="palantir-foundry/revoke-token-request.json",
            body_type=_FORM,
            security=_CLIENT,
        ),
    },
    error_schema=_error_schema,
    headers=(
        Header("Retry-After", "How long to wait, in seconds.", {"type": "integer", "minimum": 0}, statuses=(429, 503)),
        Header("QoS-Retry-Hint", "Whether to ask again.", {"const": "do-not-retry"}, statuses=(429, 503)),
        Header("WWW-Authenticate", "To a client that tried Basic.", {"type": "string"}, statuses=(401,)),
    ),
    schemes={
        "bearer": {"type": "http", "scheme": "bearer"},
        "client": {"type": "http", "scheme": "basic", "description": "OAuth client id and secret."},
    },
    security=({"bearer": ()},),
)
