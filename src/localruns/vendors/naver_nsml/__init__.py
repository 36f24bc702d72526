"""NAVER Cloud Platform CLOVA NSML: `GET /nsml/v1/projects/runs`."""

from __future__ import annotations

from localruns.engine.credentials import permission
from localruns.engine.recorded.traffic import Traffic
from localruns.engine.steps import decide, listing
from localruns.engine.vendor import Endpoint, Neighbour, Vendor
from localruns.vendors.naver_nsml import access, asking, client, contract, media, problems, runs

_BASE = "/nsml/v1"
_PROJECT = _BASE + "/projects/{projectId}"
_RUN = _PROJECT + "/runs/{runName}"

VENDOR = Vendor(
    id="naver-nsml",
    title="NAVER Cloud CLOVA NSML",
    prefixes=("/nsml/",),
    endpoints=(
        Endpoint(
            name="GetRunList",
            method="GET",
            path=_BASE + "/projects/runs",
            checks=(
                asking.readable,
                access.authenticate,
                access.subscription,
                permission,
                media.content_type,
                media.acceptable,
                asking.parse,
                decide,
            ),
            answer=listing(runs.render),
        ),
    ),
    neighbours=(
        Neighbour("GetProjectList", "GET", _BASE + "/projects"),
        Neighbour("CreateProject", "POST", _BASE + "/projects"),
        Neighbour("GetProject", "GET", _PROJECT),
        Neighbour("DeleteProject", "DELETE", _PROJECT),
        Neighbour("CreateRun", "POST", _PROJECT + "/runs"),
        Neighbour("GetRun", "GET", _RUN),
        Neighbour("GetNodesInRun", "GET", _RUN + "/nodes"),
        Neighbour("GetGpuServerCodeList", "GET", _BASE + "/server-products"),
        Neighbour("GetBaseImageList", "GET", _BASE + "/images/base"),
        Neighbour("GetImageRepository", "GET", _BASE + "/images/secret"),
        Neighbour("CreateImageRepository", "POST", _BASE + "/images/secret"),
        Neighbour("CreateAuthenticationKey", "POST", _BASE + "/auth-keys"),
    ),
    errors=problems.TABLE,
    rows=runs.ROWS,
    resources={},
    credentials=lambda: [
        {"id": "LOCALRUNSACCESSKEY01", "secret": "localruns-naver-secret", "api_key": "LOCALRUNSAPIKEY0001"}
    ],
    scopes=lambda resources: (),
    identify=access.identify,
    refuse=problems.refuse,
    unknown=problems.unknown,
    own_credentials=access.own_credentials,
    presented=access.identify,
    authenticate=(access.authenticate, access.subscription),
    paging=("number",),
    client=client.HELP,
    traffic=Traffic(
        endpoint="GetRunList",
        place="query",
        size=("pageSize",),
        number=("page",),
        rows_at="runList",
        total_at="totalCount",
        code_at=("error", "errorCode"),
        written_code=problems.written_code,
        order=lambda rest: asking.QUERY.order,
        ties=3,
    ),
    cannot={"total_absent": "its contract requires totalCount"},
    contract=contract.CONTRACT,
)
