"""ListRuns in words for other tools: parameters, credentials, headers of its answers.

**Source**: ListRuns API reference, 20 October 2025; Request syntax and signature method V3.
"""

from __future__ import annotations

from typing import Any

from localruns.engine.described import Contract, Header, Operation, Parameter
from localruns.engine.params import INT64

_TEXT = {"type": "string"}
_SORTABLE = ["GmtCreateTime", "Name"]
_SORT_ITEM = r" *(GmtCreateTime|Name)( +([Aa][Ss][Cc]|[Dd][Ee][Ss][Cc]))? *"
_LABEL = " *[^ :,][^:,]*(:[^,]*)?"


def _int64(low: int) -> dict[str, Any]:
    return {"type": "integer", "format": "int64", "minimum": low, "maximum": INT64}


_QUERY: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Name", "Runs of this name.", _TEXT),
    ("WorkspaceId", "Runs of this workspace; the default workspace when absent.", _TEXT),
    ("ExperimentId", "Runs of this experiment.", _TEXT),
    ("SourceType", "Runs of this kind of workload.", _TEXT),
    ("SourceId", "Runs of this workload.", _TEXT),
    (
        "Labels",
        "Runs with all of these labels: `key:value`, separated by commas. A key alone means any value.",
        {"type": "string", "pattern": f"^({_LABEL}(,{_LABEL})*)?$"},
    ),
    ("Verbose", "Whether rows hold Params, Labels and Metrics.", {"type": "boolean", "default": False}),
    ("GmtCreateTime", "Runs made at this time.", {"type": "string", "anyOf": [{"format": "date-time"}, {"const": ""}]}),
    (
        "OrderBy",
        "Sort items `Field ASC|DESC`, separated by commas; ascending by default. SortBy and Order then do not count.",
        {"type": "string", "pattern": f"^({_SORT_ITEM}(,{_SORT_ITEM})*)?$"},
    ),
    ("SortBy", "The field to sort by.", {"type": "string", "enum": _SORTABLE, "default": "GmtCreateTime"}),
    ("Order", "The direction of SortBy.", {"type": "string", "enum": ["ASC", "DESC"], "default": "DESC"}),
    ("PageToken", "NextPageToken of the page before; 0 is the first page.", {**_int64(0), "default": 0}),
    ("MaxResults", "Page size when paging by token; the setting max_page_size cuts it.", _int64(1)),
    ("PageNumber", "The page, from 1, when paging by number.", _int64(1)),
    ("PageSize", "Page size; the setting max_page_size cuts it.", _int64(1)),
)
_SIGNED = (
    ("x-acs-version", "The API version.", {"type": "string", "enum": ["2021-02-04"]}),
    ("x-acs-action", "The operation; must be there and signed in the mode verify.", _TEXT),
    ("x-acs-date", "When it was signed, as 2026-01-15T09:00:00Z; mode verify.", _TEXT),
    ("x-acs-signature-nonce", "Another one in each request; mode verify.", _TEXT),
    ("x-acs-content-sha256", "SHA-256 of the body in hex; mode verify.", _TEXT),
    ("x-acs-security-token", "The token of a temporary key.", _TEXT),
)

CONTRACT = Contract(
    operations={
        "ListRuns": Operation(
            about="Lists runs. Pages by token (PageToken, MaxResults) or by number (PageNumber, PageSize). "
            "An empty value counts as absent, the first of several counts, an unknown parameter is ignored.",
            answer="alibaba-pai/list-runs.json",
            parameters=(
                *(Parameter(name, "query", about, schema) for name, about, schema in _QUERY),
                *(Parameter(name, "header", about, schema) for name, about, schema in _SIGNED),
            ),
        )
    },
    error_schema=lambda row: "alibaba-pai/error.json",
    headers=(
        Header("x-acs-request-id", "The request id of the body.", {"type": "string", "format": "uuid"}, always=True),
        Header("x-acs-trace-id", "The trace.", {"type": "string", "pattern": "^[0-9a-f]{32}$"}, always=True),
        Header("access-control-allow-origin", "Any origin may read.", {"const": "*"}, always=True),
        Header("access-control-expose-headers", "All headers.", {"const": "*"}, always=True),
        Header(
            "x-acs-retry-after",
            "How long to wait, in milliseconds.",
            {"type": "integer", "minimum": 1},
            statuses=(429, 503),
        ),
    ),
    schemes={
        "acs3": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "ACS3-HMAC-SHA256 Credential=...,SignedHeaders=...,Signature=...",
        },
        "bearerToken": {"type": "apiKey", "in": "header", "name": "x-acs-bearer-token"},
        "bearerType": {
            "type": "apiKey",
            "in": "header",
            "name": "x-acs-signature-type",
            "description": "BEARERTOKEN",
        },
    },
    security=({"acs3": ()}, {"bearerToken": (), "bearerType": ()}),
)
