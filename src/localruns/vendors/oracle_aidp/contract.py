"""The search and the reading of experiments in words for other tools.

**Source**: REST reference, "(Preview) List experiment runs", 20260430; Request Signatures.
"""

from __future__ import annotations

from localruns.engine.described import Contract, Header, Operation, Parameter

_TEXT = {"type": "string"}
_PATH = (
    Parameter("aiDataPlatformId", "path", "OCID of the platform.", {"type": "string", "minLength": 1}, required=True),
    Parameter("workspaceKey", "path", "Key of the workspace.", {"type": "string", "minLength": 1}, required=True),
    Parameter(
        "opc-request-id",
        "header",
        "An id of the caller's, sent back; made up when absent.",
        {"type": "string", "pattern": "^[A-Za-z0-9_-]{0,1000}$"},
    ),
)


def _named(name: str, about: str) -> Parameter:
    return Parameter(name, "query", about, {"type": "string", "minLength": 1}, required=True)


CONTRACT = Contract(
    operations={
        "runs/search": Operation(
            about="Lists the runs of experiments that a filter keeps, in an order, page by page.",
            answer="oracle-aidp/list-runs.json",
            parameters=(*_PATH, Parameter("dh-user-principal", "header", "Read by nobody here.", _TEXT)),
            body="oracle-aidp/list-runs-request.json",
            headers=(Header("opc-next-page", "next_page_token of the body.", {"type": "string", "minLength": 1}),),
        ),
        "experiments/get": Operation(
            about="One experiment by its id.",
            answer="oracle-aidp/get-experiment.json",
            parameters=(*_PATH, _named("experiment_id", "The id.")),
        ),
        "experiments/get-by-name": Operation(
            about="One experiment by its name.",
            answer="oracle-aidp/get-experiment.json",
            parameters=(*_PATH, _named("experiment_name", "The name.")),
        ),
        "experiments/search": Operation(
            about="Lists the experiments of a view, page by page; a filter or an order is not emulated and refused.",
            answer="oracle-aidp/search-experiments.json",
            parameters=_PATH,
            body="oracle-aidp/search-experiments-request.json",
        ),
    },
    error_schema=lambda row: "oracle-aidp/error.json",
    headers=(
        Header(
            "opc-request-id",
            "The caller's id, else one of ours.",
            {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,1000}$"},
            always=True,
        ),
        Header("allow", "The methods of the path.", {"type": "string"}, statuses=(405,), always=True),
        Header("retry-after", "How long to wait, in seconds.", {"type": "integer", "minimum": 1}, statuses=(429, 503)),
    ),
    schemes={
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": 'An OCI request signature: Signature version="1",keyId="...",algorithm="rsa-sha256",...',
        },
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic"},
    },
    security=({"signature": ()}, {"bearer": ()}, {"basic": ()}),
)
