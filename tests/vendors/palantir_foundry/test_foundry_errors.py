"""The error table on the wire: Conjure JSON, empty bodies, headers; what is not served."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from localruns.surfaces.http import App
from localruns.vendors.palantir_foundry import VENDOR

Make = Callable[..., Any]
STUDIO = "ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890"
BEARER = {"Authorization": "Bearer localruns-token"}
EMPTY = {
    404: "EndpointNotFound",
    414: "UriTooLong",
    431: "HeadersTooLarge",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}
NO_CACHE = "no-cache, no-store, must-revalidate"


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [
        ("bad_request", 400, "Default:InvalidArgument"),
        ("unauthorized", 401, "Default:Unauthorized"),
        ("forbidden", 403, "Default:PermissionDenied"),
        ("not_found", 404, "ModelStudioNotFound"),
        ("throttled", 429, None),
        ("server_error", 500, "Default:Internal"),
        ("unavailable", 503, None),
    ],
)
def test_every_neutral_kind_can_be_asked_for(foundry: Make, kind: str, status: int, name: str | None) -> None:
    by_header = foundry().runs(headers={**BEARER, "Prefer": f"code={status}"})
    by_fault = foundry(faults=[{"when": {"vendor": "palantir-foundry"}, "refuse": kind}]).runs()
    for answer in (by_header, by_fault):
        assert answer.status_code == status
        assert (answer.json["errorName"] if answer.data else None) == name


@pytest.mark.parametrize("row", VENDOR.errors.rows, ids=lambda row: row.code)
def test_every_row_of_the_table_can_be_asked_for(foundry: Make, row: Any) -> None:
    api = foundry()
    answer = api.runs(headers={**BEARER, "Prefer": f"code={row.status}; error={row.code}"})
    assert answer.status_code == row.status
    assert api.last.defect == ""
    assert answer.headers["Cache-Control"] == NO_CACHE
    if row.code[0].islower():
        assert answer.json["error"] == row.code
    elif answer.data:
        assert answer.json["errorName"] == row.code
        assert uuid.UUID(answer.json["errorInstanceId"])
    else:
        assert row.code.partition(":")[0] == EMPTY[row.status]
        assert "Content-Type" not in answer.headers


def test_injected_errors_carry_the_parameters_of_the_request(foundry: Make) -> None:
    api = foundry()
    said = {
        "InvalidPageSize": {"pageSize": 7},
        "InvalidPageToken": {"pageToken": "v1.x"},
        "ModelStudioNotFound": {"studioRid": STUDIO},
        "ModelStudioConfigVersionNotFound": {"studioRid": STUDIO, "configVersion": 2},
        "ApiUsageDenied": {"missingScope": "api:models-read"},
        "InvalidParameterCombination": {"validCombinations": [], "providedParameters": []},
    }
    for name, parameters in said.items():
        headers = {**BEARER, "Prefer": f"error={name}"}
        answer = api.runs(headers=headers, configVersion=2, pageSize=7, pageToken="v1.x")
        assert answer.json["parameters"] == parameters
    answer = api.runs(studio="demo", headers={"Prefer": "error=ModelStudioConfigVersionNotFound"}, configVersion="x")
    assert answer.json["parameters"] == {"studioRid": STUDIO, "configVersion": 0}


# As the Errors page and the Conjure specification have them.
DOCUMENTED = [
    (400, "INVALID_ARGUMENT", "ApiFeaturePreviewUsageOnly InvalidPageSize InvalidPageToken InvalidAttributionHeader"),
    (400, "INVALID_ARGUMENT", "Default:InvalidArgument InvalidParameterCombination"),
    (401, "UNAUTHORIZED", "MissingCredentials Conjure:MalformedCredentials Default:Unauthorized"),
    (403, "PERMISSION_DENIED", "ApiUsageDenied Default:PermissionDenied"),
    (404, "NOT_FOUND", "ModelStudioNotFound ModelStudioConfigVersionNotFound"),
    (409, "CONFLICT", "Default:Conflict"),
    (413, "REQUEST_ENTITY_TOO_LARGE", "Default:RequestEntityTooLarge"),
    (415, "INVALID_ARGUMENT", "Conjure:UnsupportedMediaType"),
    (422, "INVALID_ARGUMENT", "Conjure:UnprocessableEntity"),
    (500, "INTERNAL", "Default:Internal"),
    (500, "TIMEOUT", "Default:Timeout"),
    (500, "FAILED_PRECONDITION", "Default:FailedPrecondition"),
]


@pytest.mark.parametrize(("status", "code", "names"), DOCUMENTED)
def test_statuses_and_error_codes_go_with_the_name(foundry: Make, status: int, code: str, names: str) -> None:
    api = foundry()
    for name in names.split():
        answer = api.runs(headers={**BEARER, "Prefer": f"error={name}"})
        assert (answer.status_code, answer.json["errorCode"], answer.json["errorName"]) == (status, code, name)


def test_the_table_holds_the_documented_names_and_no_other() -> None:
    documented = {name for _, _, names in DOCUMENTED for name in names.split()}
    oauth = {"invalid_request", "invalid_client", "invalid_grant", "unsupported_grant_type"}
    assert {row.code.removesuffix(":DoNotRetry") for row in VENDOR.errors.rows} == {
        *documented,
        *EMPTY.values(),
        *oauth,
    }


def test_the_published_rate_limit_is_that_of_the_limits_page(make_app: Callable[..., App]) -> None:
    scenario = {"vendors": {"palantir-foundry": {"runs": []}}, "rate_limit": {"palantir-foundry": "published"}}
    space = make_app({"scenario": "test", "seed": 1, **scenario}).emulator.space("default")
    assert space.scenario.rate_limits == {"palantir-foundry": {"calls": 10_000, "per_s": 60}}


def test_each_error_has_an_id_that_depends_on_the_request_number(foundry: Make) -> None:
    one, other = foundry(), foundry()
    ids = [[api.runs(headers={}).json["errorInstanceId"] for _ in range(3)] for api in (one, other)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3


def test_errors_describe_themselves_when_the_scenario_says_so(foundry: Make) -> None:
    answer = foundry(settings={"error_description": True}).runs(headers={})
    assert answer.json["errorDescription"] == "The request carries no credentials."


@pytest.mark.parametrize(("kind", "status"), [("throttled", 429), ("unavailable", 503)])
def test_a_wait_is_named_only_when_it_is_asked_for(foundry: Make, kind: str, status: int) -> None:
    when = {"vendor": "palantir-foundry"}
    plain = foundry(faults=[{"when": when, "refuse": kind}]).runs()
    waiting = foundry(faults=[{"when": when, "refuse": kind, "retry_after_s": 1.2}]).runs()
    assert (plain.status_code, plain.data, waiting.data) == (status, b"", b"")
    assert "Retry-After" not in plain.headers
    assert "QoS-Retry-Hint" not in plain.headers
    assert waiting.headers["Retry-After"] == "2"


def test_a_rate_limit_names_its_wait(make_app: Callable[..., App]) -> None:
    scenario = {
        "vendors": {"palantir-foundry": {"runs": []}},
        "rate_limit": {"palantir-foundry": {"calls": 1, "per_s": 60}},
    }
    app = make_app({"scenario": "test", "seed": 1, **scenario})
    app.emulator.space("default").clock.freeze()
    path = f"/api/v2/models/modelStudios/{STUDIO}/runs?preview=true"
    first, second = (app.test_client().get(path, headers=BEARER) for _ in range(2))
    assert (first.status_code, second.status_code, second.data) == (200, 429, b"")
    assert second.headers["Retry-After"] == "60"


@pytest.mark.parametrize("code", ["TooManyRequests:DoNotRetry", "ServiceUnavailable:DoNotRetry"])
def test_a_client_can_be_told_not_to_retry(foundry: Make, code: str) -> None:
    answer = foundry(faults=[{"when": {"vendor": "palantir-foundry"}, "refuse": code}]).runs()
    assert answer.data == b""
    assert answer.headers["QoS-Retry-Hint"] == "do-not-retry"
    assert "Retry-After" not in answer.headers


def test_a_fault_strikes_at_the_page_of_the_token(foundry: Make) -> None:
    api = foundry(faults=[{"when": {"vendor": "palantir-foundry", "page": 3}, "refuse": "throttled", "times": 1}])
    tokens = [None, *(None for _ in range(2))]
    token: dict[str, str] = {}
    statuses = []
    for _ in tokens:
        answer = api.runs(pageSize=5, **token)
        statuses.append(answer.status_code)
        token = {"pageToken": answer.json["nextPageToken"]} if answer.status_code == 200 else token
    assert [*statuses, api.runs(pageSize=5, **token).status_code] == [200, 200, 429, 200]


def test_token_requests_are_not_counted_as_calls(foundry: Make) -> None:
    api = foundry(faults=[{"when": {"vendor": "palantir-foundry", "call": 1}, "refuse": "server_error"}])
    assert api.token().status_code == 200
    assert api.runs().status_code == 500


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v2/models/modelStudios"),
        ("GET", "/api/v2/models/modelStudios//runs"),
        ("OPTIONS", f"/api/v2/models/modelStudios/{STUDIO}/runs"),
        ("GET", "/multipass/api/oauth2/revoke_token"),
        ("POST", f"/api/v2/models/modelStudios/{STUDIO}/runs"),
        ("HEAD", f"/api/v2/models/modelStudios/{STUDIO}/runs"),
        ("GET", f"/api/v2/models/modelStudios/{STUDIO}/runs/"),
        ("GET", f"/api/v2/models/modelStudios/{STUDIO}/run"),
        ("GET", "/api/v2/"),
        ("GET", "/multipass/api/oauth2/token"),
        ("POST", "/multipass/x"),
        ("DELETE", "/api/v2/models/liveDeployments"),
    ],
)
def test_an_unknown_path_or_method_is_an_empty_404(foundry: Make, method: str, path: str) -> None:
    answer = foundry().http.open(path, method=method)
    assert (answer.status_code, answer.data) == (404, b"")
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("neighbour", VENDOR.neighbours, ids=lambda neighbour: neighbour.name)
def test_a_neighbour_is_named_and_not_served(foundry: Make, neighbour: Any) -> None:
    path = (
        neighbour.path.replace("{model}", "models.main.model.m")
        .replace("{name}", "a%2Fb")
        .replace("{", "")
        .replace("}", "")
    )
    answer = foundry().http.open(path, method=neighbour.method)
    assert answer.status_code == 501
    assert answer.content_type == "application/problem+json"
    assert neighbour.name in answer.json["detail"]


@pytest.mark.parametrize("status", [400, 413, 414, 431])
def test_what_is_no_request_is_refused_in_the_platforms_form(foundry: Make, status: int) -> None:
    api = foundry()
    reply = api.app.emulator.refuse(status, "/api/v2/models/x?y", "too long")
    assert reply.status == status
    assert (reply.content is None) == (status in (414, 431))
    assert api.why == "too long"


def test_a_defect_of_ours_is_an_internal_error(foundry: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    api = foundry()
    monkeypatch.setattr(api.space.store, "page", lambda *args: 1 / 0)
    assert api.refused(api.runs()) == (500, "Default:Internal", {})
    assert "ZeroDivisionError" in api.last.defect
