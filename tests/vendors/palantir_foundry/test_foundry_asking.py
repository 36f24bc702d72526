"""What a list request asks: parameters, their refusals in the platform's order, paging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

STUDIO = "ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890"
OTHER = "ri.models..model-studio.other"
INVALID = (400, "Default:InvalidArgument", {})
Make = Callable[..., Any]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_walk_gives_each_row_once_in_order(foundry: Make, size: int) -> None:
    api = foundry(settings={"max_page_size": 1000})
    pages = api.walk(pageSize=size)
    rids = [rid for page in pages for rid in page]

    assert len(rids) == len(set(rids)) == 25
    assert rids == [row["buildRid"] for row in api.runs(pageSize=1000).json["data"]]
    assert all(len(page) == size for page in pages[:-1])
    assert 0 < len(pages[-1]) <= size


def test_rows_come_newest_first_by_instant_then_by_build(foundry: Make) -> None:
    times = {
        "e": "2026-01-01T00:00:00.001Z",
        "d": "2026-01-01T02:00:00.001000900+02:00",
        "c": "2025-12-31T23:00:00.0010001-01:00",
        "b": "2026-01-01T00:00:00.001Z",
        "a": "2026-01-01T00:00:00Z",
        "z": "2026-01-01T09:00:00+10:00",
    }
    build = "ri.foundry-build.main.build."
    api = foundry(runs=[{"buildRid": build + name, "startedTime": time} for name, time in times.items()])

    rows = api.runs().json["data"]

    assert "".join(row["buildRid"].removeprefix(build) for row in rows) == "dcbeaz"
    assert {row["buildRid"].removeprefix(build): row["startedTime"] for row in rows} == times


def test_config_version_filters_exactly(foundry: Make) -> None:
    api = foundry()
    everything = [row["configVersion"] for row in api.runs().json["data"]]
    for version in (1, 2, 3):
        rows = api.runs(configVersion=version).json["data"]
        assert [row["configVersion"] for row in rows] == [version] * everything.count(version)
    assert sum(map(len, api.walk(configVersion=3, pageSize=2))) == everything.count(3)


def test_a_known_version_without_runs_is_an_empty_list(foundry: Make) -> None:
    api = foundry(resources={"studios": {STUDIO: {"config_versions": [1, 2, 3, 4]}}})
    assert api.runs(configVersion=4).json == {"data": []}


@pytest.mark.parametrize("version", [0, -1, 9, 2147483647])
def test_an_unknown_version_is_not_found(foundry: Make, version: int) -> None:
    api = foundry()
    found = api.refused(api.runs(configVersion=version))
    assert found == (404, "ModelStudioConfigVersionNotFound", {"studioRid": STUDIO, "configVersion": version})


def test_a_studio_without_declared_versions_has_all_from_one_on(foundry: Make) -> None:
    api = foundry(resources={"studios": {STUDIO: None, OTHER: {}}})
    assert api.runs(configVersion=12).json == {"data": []}
    assert api.runs(studio=OTHER, configVersion=12).json == {"data": []}
    assert api.runs(configVersion=0).status_code == 404


def test_rows_belong_to_their_studio(foundry: Make) -> None:
    rows = [{"generate": 3}, {"in": OTHER, "rows": [{"generate": 2}]}]
    api = foundry(resources={"studios": {STUDIO: {}, OTHER: {}}}, runs=rows)
    assert len(api.runs().json["data"]) == 3
    assert len(api.runs(studio=OTHER).json["data"]) == 2


@pytest.mark.parametrize("rid", ["ri.models.main.model-studio.unknown", "ri.models..model-studio.x", "ri.a.b.c.d"])
def test_an_unknown_studio_is_not_found(foundry: Make, rid: str) -> None:
    api = foundry()
    assert api.refused(api.runs(studio=rid)) == (404, "ModelStudioNotFound", {"studioRid": rid})


@pytest.mark.parametrize(
    "rid", ["demo", "ri.models.main.model-studio", "ri.models.main.model-studio.a/b", STUDIO + "\n"]
)
def test_a_malformed_rid_cannot_be_read(foundry: Make, rid: str) -> None:
    api = foundry()
    assert api.refused(api.runs(studio=rid)) == INVALID
    assert "modelStudioRid" in api.why


def test_a_percent_encoded_rid_is_the_same_rid(foundry: Make) -> None:
    api = foundry()
    path = f"/api/v2/models/modelStudios/{STUDIO.replace('-', '%2D')}/runs?preview=true"
    headers = {"Authorization": "Bearer localruns-token"}
    assert len(api.http.get(path, headers=headers).json["data"]) == 25


@pytest.mark.parametrize("name", ["configVersion", "pageSize"])
@pytest.mark.parametrize("value", ["", "x", "1.0", "2147483648", "-2147483649", "1e3", " 1", "٣", "9" * 60])
def test_a_number_that_is_no_32_bit_integer_cannot_be_read(foundry: Make, name: str, value: str) -> None:
    api = foundry()
    assert api.refused(api.runs(**{name: value})) == INVALID
    assert name in api.why


@pytest.mark.parametrize("name", ["configVersion", "pageSize", "pageToken", "preview"])
def test_a_parameter_that_stands_twice_cannot_be_read(foundry: Make, name: str) -> None:
    api = foundry()
    path = f"/api/v2/models/modelStudios/{STUDIO}/runs?preview=true&{name}=true&{name}=true"
    answer = api.http.get(path, headers={"Authorization": "Bearer localruns-token"})
    assert api.refused(answer) == INVALID


@pytest.mark.parametrize("preview", [None, "", "false", "1", "yes", "true "])
def test_without_preview_the_request_is_refused(foundry: Make, preview: str | None) -> None:
    api = foundry()
    assert api.refused(api.runs(preview=preview)) == (400, "ApiFeaturePreviewUsageOnly", {})


@pytest.mark.parametrize("preview", ["true", "TRUE", "True"])
def test_preview_is_read_in_any_letter_case(foundry: Make, preview: str) -> None:
    assert foundry().runs(preview=preview).status_code == 200


def test_preview_need_not_be_asked_for_when_the_scenario_says_so(foundry: Make) -> None:
    assert foundry(settings={"require_preview": False}).runs(preview=None).status_code == 200


@pytest.mark.parametrize("size", [0, -1, -2147483648])
def test_a_page_size_below_one_is_refused(foundry: Make, size: int) -> None:
    api = foundry()
    assert api.refused(api.runs(pageSize=size)) == (400, "InvalidPageSize", {"pageSize": size})


def test_page_sizes_have_a_default_and_are_cut_to_the_most(foundry: Make) -> None:
    api = foundry(runs=[{"generate": 130}])
    assert [len(page) for page in api.walk()] == [100, 30]
    assert [len(page) for page in api.walk(pageSize=100000)] == [100, 30]
    own = foundry(settings={"default_page_size": 4, "max_page_size": 10})
    assert len(own.walk()[0]) == 4
    assert len(own.walk(pageSize=11)[0]) == 10
    assert len(foundry(settings={"max_page_size": 10}).walk()[0]) == 10


def test_the_last_page_has_no_token_even_when_it_is_full(foundry: Make) -> None:
    api = foundry(runs=[{"generate": 20}])
    assert [len(page) for page in api.walk(pageSize=10)] == [10, 10]
    assert foundry(runs=[]).runs().json == {"data": []}


def token_of(api: Any, **args: Any) -> str:
    return str(api.runs(**args).json["nextPageToken"])


@pytest.mark.parametrize("text", ["", "v1.", "v1.zz", "zz", "v1.eyJvIjoxfQ", "v1.a b+c/&", "V1.x", "ü"])
def test_a_text_that_is_no_token_is_refused(foundry: Make, text: str) -> None:
    api = foundry()
    assert api.refused(api.runs(pageToken=text)) == (400, "InvalidPageToken", {"pageToken": text})
    assert "page token refused" in api.why


def test_an_edited_token_is_refused(foundry: Make) -> None:
    api = foundry()
    token = token_of(api, pageSize=5)
    edited = [
        token[:-1],
        token + "A",
        token.replace("v1.", "v2."),
        token[:5] + ("A" if token[5] != "A" else "B") + token[6:],
    ]
    for text in edited:
        assert api.refused(api.runs(pageSize=5, pageToken=text)) == (400, "InvalidPageToken", {"pageToken": text})


def test_a_token_of_another_studio_filter_or_scenario_is_refused(foundry: Make) -> None:
    studios = {"studios": {STUDIO: {}, OTHER: {}}}
    rows = [{"generate": 20}, {"in": OTHER, "rows": [{"generate": 20}]}]
    api = foundry(resources=studios, runs=rows)
    token = token_of(api, pageSize=5)
    for args in ({"studio": OTHER}, {"configVersion": 1}):
        assert api.refused(api.runs(pageToken=token, **args))[1] == "InvalidPageToken"
        assert "another filter" in api.why
    assert foundry(resources=studios, runs=rows, seed=2).runs(pageToken=token).status_code == 400


@pytest.mark.parametrize(
    ("binding", "size", "filter_"), [("query", 200, 400), ("none", 200, 200), ("query_and_size", 400, 400)]
)
def test_a_token_is_bound_as_the_setting_says(foundry: Make, binding: str, size: int, filter_: int) -> None:
    api = foundry(settings={"token_binding": binding})
    token = token_of(api, pageSize=5)
    assert api.runs(pageSize=5, pageToken=token).status_code == 200
    assert api.runs(pageSize=6, pageToken=token).status_code == size
    assert api.runs(pageSize=5, configVersion=3, pageToken=token).status_code == filter_


def test_the_same_token_gives_the_same_page(foundry: Make) -> None:
    api = foundry()
    token = token_of(api, pageSize=5)
    assert api.runs(pageSize=5, pageToken=token).data == api.runs(pageSize=5, pageToken=token).data


def test_the_journal_knows_page_and_query(foundry: Make) -> None:
    api = foundry()
    api.runs(pageSize=5, pageToken=token_of(api, pageSize=5))
    assert (api.last.page_number, api.last.cut.offset, api.last.cut.size) == (2, 5, 5)
    assert (api.last.query.scope, api.last.credential) == (STUDIO, "localruns-user")


def test_unknown_parameters_and_headers_are_let_through(foundry: Make) -> None:
    headers = {
        "Authorization": "Bearer localruns-token",
        "Content-Type": "application/json",
        "Fetch-User-Agent": "x",
        "X-B3-TraceId": "1",
        "attribution": f"{STUDIO}, ri.a..b.c",
    }
    assert foundry().runs(headers=headers, foo="ü", bar="%ff").status_code == 200


@pytest.mark.parametrize("text", ["", "demo", f"{STUDIO};x", f"{STUDIO},"])
def test_an_attribution_header_that_is_no_list_of_rids_is_refused(foundry: Make, text: str) -> None:
    api = foundry()
    answer = api.runs(headers={"Authorization": "Bearer localruns-token", "attribution": text})
    assert api.refused(answer) == (400, "InvalidAttributionHeader", {"header": text})


def test_refusals_come_in_the_order_of_the_platform(foundry: Make) -> None:
    """Each step mends the first flaw of a request that has them all."""
    api = foundry(auth="verify", credentials=[{"id": "narrow", "token": "narrow", "scopes": ["api:x"]}])
    asked: dict[str, Any] = {
        "studio": "demo",
        "headers": {},
        "preview": None,
        "configVersion": 9,
        "pageSize": 0,
        "pageToken": "x",
    }
    mended: list[tuple[str, dict[str, Any]]] = [
        ("MissingCredentials", {"headers": {"Authorization": "Bearer a b"}}),
        ("Conjure:MalformedCredentials", {"headers": {"Authorization": "Bearer nobody"}}),
        ("Default:InvalidArgument", {"studio": "ri.models.main.model-studio.unknown"}),
        ("Default:Unauthorized", {"headers": {"Authorization": "Bearer narrow"}}),
        ("ApiUsageDenied", {"headers": {"Authorization": "Bearer localruns-token"}}),
        ("ApiFeaturePreviewUsageOnly", {"preview": "true"}),
        ("InvalidPageSize", {"pageSize": 3}),
        ("ModelStudioNotFound", {"studio": STUDIO}),
        ("ModelStudioConfigVersionNotFound", {"configVersion": 1}),
        ("InvalidPageToken", {"pageToken": None}),
    ]
    for name, change in mended:
        assert api.refused(api.runs(**asked))[1] == name
        asked |= change
    del asked["pageToken"]
    assert api.runs(**asked).status_code == 200
