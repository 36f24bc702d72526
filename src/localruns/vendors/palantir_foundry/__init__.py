"""Palantir Foundry: `GET /api/v2/models/modelStudios/{modelStudioRid}/runs`, and the OAuth2 tokens for it."""

from __future__ import annotations

from localruns.engine.credentials import permission
from localruns.engine.recorded.traffic import Traffic
from localruns.engine.steps import decide, listing
from localruns.engine.vendor import Endpoint, Vendor
from localruns.vendors.palantir_foundry import access, asking, client, contract, oauth, problems, runs
from localruns.vendors.palantir_foundry.neighbours import NEIGHBOURS

STUDIO = client.STUDIO

VENDOR = Vendor(
    id="palantir-foundry",
    title="Palantir Foundry",
    prefixes=("/api/v2/", "/multipass/"),
    endpoints=(
        Endpoint(
            name="ListModelStudioRuns",
            method="GET",
            path="/api/v2/models/modelStudios/{modelStudioRid}/runs",
            checks=(
                access.header,
                asking.parse,
                access.token,
                access.scope,
                asking.preview,
                asking.page_size,
                asking.studio,
                permission,
                asking.config_version,
                asking.page,
                decide,
            ),
            answer=listing(runs.render),
        ),
        Endpoint(
            name="GetToken",
            method="POST",
            path="/multipass/api/oauth2/token",
            checks=(oauth.parse, oauth.grant_type, oauth.client),
            answer=oauth.give,
        ),
        Endpoint(
            name="RevokeToken",
            method="POST",
            path="/multipass/api/oauth2/revoke_token",
            checks=(oauth.parse, oauth.client),
            answer=oauth.revoke,
        ),
    ),
    neighbours=NEIGHBOURS,
    errors=problems.TABLE,
    rows=runs.ROWS,
    resources={"studios": {STUDIO: {"config_versions": [1, 2, 3]}}},
    credentials=lambda: [
        {"id": "localruns-user", "token": "localruns-token"},
        {"id": "localruns-client", "secret": "localruns-foundry-secret"},
    ],
    scopes=lambda resources: tuple(resources["studios"]),
    identify=access.identify,
    refuse=problems.refuse,
    unknown=problems.unknown,
    own_credentials=access.own_credentials,
    presented=access.presented,
    authenticate=(access.header, access.token, access.scope),
    paging=("text",),
    client=client.HELP,
    traffic=Traffic(
        endpoint="ListModelStudioRuns",
        place="query",
        size=("pageSize",),
        token=("pageToken",),
        rows_at="data",
        next_at="nextPageToken",
        code_at=("errorName",),
        code_else_at=("error",),
        # The platform leaves it out; the example on its Paging page ends with null.
        ends=("absent", "null"),
        token_form=r"v1\..+",
        order=lambda rest: asking.ORDER,
        ties=1,
        of_caller=("invalid_grant",),
    ),
    quota={"calls": 10_000, "per_s": 60},
    cannot={
        "empty_string_token": "its contract has no empty nextPageToken",
        "total_absent": "its answers state no total",
        "total_stale": "its answers state no total",
    },
    contract=contract.CONTRACT,
)
