"""Alibaba Cloud PAI AIWorkSpace 2021-02-04: `GET /api/v1/runs`."""

from __future__ import annotations

from localruns.engine.credentials import permission
from localruns.engine.recorded.traffic import Traffic
from localruns.engine.steps import decide, listing
from localruns.engine.vendor import Endpoint, Neighbour, Vendor
from localruns.vendors.alibaba_pai import access, asking, client, contract, problems, resign, runs

_RUN = "/api/v1/runs/{RunId}"
_EXPERIMENT = "/api/v1/experiments/{ExperimentId}"

VENDOR = Vendor(
    id="alibaba-pai",
    title="Alibaba Cloud PAI",
    prefixes=("/api/v1/",),
    endpoints=(
        Endpoint(
            name="ListRuns",
            method="GET",
            path="/api/v1/runs",
            checks=(
                access.version,
                access.authenticate,
                asking.parse,
                decide,
                permission,
                asking.usable,
            ),
            answer=listing(runs.render),
        ),
    ),
    neighbours=(
        Neighbour("GetRun", "GET", _RUN),
        Neighbour("CreateRun", "POST", "/api/v1/runs"),
        Neighbour("UpdateRun", "PUT", _RUN),
        Neighbour("DeleteRun", "DELETE", _RUN),
        Neighbour("DeleteRunLabel", "DELETE", _RUN + "/labels/{Key}"),
        Neighbour("LogRunMetrics", "POST", _RUN + "/metrics/action/log"),
        Neighbour("ListRunMetrics", "GET", _RUN + "/metrics"),
        Neighbour("CreateExperiment", "POST", "/api/v1/experiments"),
        Neighbour("ListExperiment", "GET", "/api/v1/experiments"),
        Neighbour("GetExperiment", "GET", _EXPERIMENT),
        Neighbour("UpdateExperiment", "PUT", _EXPERIMENT),
        Neighbour("DeleteExperiment", "DELETE", _EXPERIMENT),
        Neighbour("SetExperimentLabels", "POST", _EXPERIMENT + "/labels"),
        Neighbour("DeleteExperimentLabel", "DELETE", _EXPERIMENT + "/labels/{Key}"),
        Neighbour("ListWorkspaces", "GET", "/api/v1/workspaces"),
        Neighbour("GetWorkspace", "GET", "/api/v1/workspaces/{WorkspaceId}"),
        Neighbour("GetDefaultWorkspace", "GET", "/api/v1/defaultWorkspaces"),
    ),
    errors=problems.TABLE,
    rows=runs.ROWS,
    resources={"workspaces": {"145883": {"default": True}}},
    credentials=lambda: [{"id": "LTAI5tLocalruns00000001", "secret": "localruns-alibaba-secret"}],
    scopes=lambda _: (),
    identify=access.identify,
    refuse=problems.refuse,
    unknown=problems.unknown,
    own_credentials=access.own_credentials,
    presented=access.identify,
    authenticate=(access.authenticate,),
    paging=("integer", "number"),
    client=client.HELP,
    traffic=Traffic(
        endpoint="ListRuns",
        place="query",
        size=("MaxResults", "PageSize"),
        token=("PageToken",),
        number=("PageNumber",),
        no_token=("", "0"),
        rows_at="Runs",
        next_at="NextPageToken",
        total_at="TotalCount",
        code_at=("Code",),
        ends=("0",),
        token_form="[1-9][0-9]*",
        order=asking.order_of,
        ties=1,
        of_caller=(
            "MissingAccess",
            "Incomplete",
            "InvalidAccess",
            "InvalidSec",
            "MissingSec",
            "InvalidTime",
            "Signature",
        ),
    ),
    quota={"calls": 50, "per_s": 3},
    cannot={
        "empty_first_page": "the token of page 1 is 0, and 0 means that nothing follows",
        "empty_string_token": "its tokens are integers",
        "token_truncated": "its tokens are integers",
    },
    contract=contract.CONTRACT,
    resigning=resign.RESIGNING,
)
