"""The list itself: rows, order, paging, the envelope."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import orjson
import pytest

from localruns import schemas
from localruns.errors import ConfigError
from localruns.vendors.naver_nsml import VENDOR

RUNS = "/nsml/v1/projects/runs"
FIELDS = ["runName", "runType", "projectId", "projectName", "status", "creator", "createTime", "updateTime"]
SAMPLE = [
    {
        "runName": "2",
        "runType": "NOTEBOOK",
        "projectId": "******ygz0iujn******",
        "projectName": "project",
        "status": "RUN_STATE_IN_PROGRESS",
        "creator": "ncp-user-2689076",
        "createTime": "2024-09-03 10:38:21",
        "updateTime": "2024-09-03 10:39:51",
    },
    {
        "runName": "1",
        "runType": "NOTEBOOK",
        "projectId": "******ygz0iujn******",
        "projectName": "project",
        "status": "RUN_STATE_COMPLETED",
        "creator": "ncp-user-2689076",
        "createTime": "2024-09-03 10:24:54",
        "updateTime": "2024-09-03 10:37:56",
    },
]


def row(name, project="p1", created="2025-01-05 09:00:00", **more):
    return {"runName": name, "projectId": project, "createTime": created, **more}


def names(response):
    return [(run["projectId"], run["runName"]) for run in response.get_json()["runList"]]


def walk(site, size):
    found, page = [], 1
    while True:
        body = site.get(f"{RUNS}?page={page}&pageSize={size}").get_json()
        found += body["runList"]
        if len(found) >= body["totalCount"] or not body["runList"]:
            return found
        page += 1


def test_the_sample_of_the_page_is_answered_byte_for_byte(site):
    response = site(SAMPLE).get()

    assert response.status_code == 200
    assert response.data == orjson.dumps({"runList": SAMPLE, "totalCount": 2})


def test_an_answer_carries_the_gateway_headers(site):
    headers = site().get().headers

    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    trace = headers["x-ncp-trace-id"]
    assert len(trace) == 26
    assert set(trace) <= set("abcdefghijklmnopqrstuvwxyz0123456789")


def test_trace_ids_differ_between_requests_and_repeat_after_a_reset(site):
    started = site()
    first = [started.get().headers["x-ncp-trace-id"] for _ in range(2)]
    started.space.reset()

    assert first[0] != first[1]
    assert [started.get().headers["x-ncp-trace-id"] for _ in range(2)] == first


def test_the_first_page_holds_ten_rows_of_all_projects_together_with_the_total(site):
    body = site(25).get().get_json()

    assert list(body) == ["runList", "totalCount"]
    assert len(body["runList"]) == 10
    assert body["totalCount"] == 25
    assert {run["projectId"] for run in body["runList"]} == {"localrunsproject0001", "localrunsproject0002"}
    assert all(list(run) == FIELDS for run in body["runList"])


@pytest.mark.parametrize("size", [1, 7, 10, 1000])
def test_a_walk_visits_every_row_once_and_in_order(site, size):
    found = walk(site(43), size)

    keys = [(run["projectId"], run["runName"]) for run in found]
    assert len(keys) == len(set(keys)) == 43
    assert [run["createTime"] for run in found] == sorted((run["createTime"] for run in found), reverse=True)


def test_every_page_size_walks_the_same_rows(site):
    started = site(43)

    assert walk(started, 1) == walk(started, 7) == walk(started, 1000)


def test_runs_stand_newest_first_then_by_project_then_by_number_downwards(site):
    late, early = "2025-01-05 09:00:00", "2025-01-04 09:00:00"
    rows = [row("9", "b"), row("10", "b"), row("3", "a"), row("1", "c", early), row("2", "c", late), row("100", "a")]

    assert names(site(rows).get()) == [("a", "100"), ("a", "3"), ("b", "10"), ("b", "9"), ("c", "2"), ("c", "1")]


def test_numbers_beyond_64_bits_are_still_numbers(site):
    big = ["9223372036854775807", "9223372036854775808", "99999999999999999999999", "100000000000000000000000", "8"]

    expected = sorted(big, key=int, reverse=True)
    assert [name for _, name in names(site([row(name) for name in big]).get())] == expected


def test_a_number_is_text_even_where_yaml_reads_a_number(site, tmp_path):
    started = site([{"runName": "2"}])
    path = tmp_path / "scenario.yaml"
    path.write_text(path.read_text().replace("runName: '2'", "runName: 2\n      createTime: 2024-09-03 10:38:21"))

    run = type(started)(started.app.__class__(_emulator(started, path))).get().get_json()["runList"][0]
    assert (run["runName"], run["createTime"]) == ("2", "2024-09-03 10:38:21")


def _emulator(started, path):
    emulator = started.app.emulator
    return type(emulator)(emulator.all_vendors, str(path), emulator.options)


def test_the_same_number_in_two_projects_is_two_runs(site):
    assert site([row("1", "a"), row("1", "b")]).get().get_json()["totalCount"] == 2


def test_the_same_number_twice_in_a_project_is_refused(site):
    with pytest.raises(ConfigError, match="row key 'p1/1' 2 times"):
        site([row("1"), row("1")])


def test_a_generated_block_of_any_size_has_unique_keys_and_fits_into_one_page(site):
    body = site(5_000).get(f"{RUNS}?pageSize=2147483647").get_json()

    assert body["totalCount"] == len({(run["projectId"], run["runName"]) for run in body["runList"]}) == 5_000


def test_generated_runs_are_numbered_in_the_order_of_their_creation(site):
    runs = walk(site(300), 300)

    assert [int(run["runName"]) for run in runs] == list(range(300, 0, -1))


def test_generated_rows_hold_published_values_only(site):
    runs = walk(site(200), 200)

    assert {run["status"] for run in runs} == {"RUN_STATE_IN_PROGRESS", "RUN_STATE_COMPLETED"}
    assert {run["runType"] for run in runs} == {"NOTEBOOK"}
    assert all(run["createTime"] < run["updateTime"] for run in runs)
    assert all(re.fullmatch("ncp-user-[0-9]+", run["creator"]) for run in runs)
    assert all(re.fullmatch("[0-9a-z]{19,20}", run["projectId"]) for run in runs)
    assert all(re.fullmatch("[A-Za-z][0-9A-Za-z]*(-[0-9A-Za-z]+)*", run["projectName"]) for run in runs)
    assert {(run["projectId"], run["projectName"]) for run in runs} == {
        ("localrunsproject0001", "demo-localrunsproject0001"),
        ("localrunsproject0002", "demo-localrunsproject0002"),
    }


def test_a_block_of_another_project_keeps_project_name_and_id_together(site):
    runs = [{"generate": 3}, {"generate": 3, "set": {"projectId": "other"}}]

    assert ("other", "demo-other") in {(run["projectId"], run["projectName"]) for run in walk(site(runs), 9)}


def test_a_block_may_share_one_creation_time(site):
    runs = walk(site([{"generate": 30, "set": {"createTime": "2026-01-01 00:00:00"}}]), 7)

    assert [int(run["runName"]) for run in runs if run["projectId"].endswith("1")] == sorted(
        (int(run["runName"]) for run in runs if run["projectId"].endswith("1")), reverse=True
    )
    assert [run["projectId"] for run in runs] == sorted(run["projectId"] for run in runs)
    assert all("2026-01-01 00:00:45" <= run["updateTime"] <= "2026-01-01 08:00:00" for run in runs)


def test_a_creation_time_that_is_none_is_a_clear_refusal(site):
    with pytest.raises(ConfigError, match="updateTime: found 'after: createTime'"):
        site([{"generate": 1, "set": {"createTime": "soon"}}])


def test_generated_times_are_written_in_the_zone_of_the_settings(site):
    def created(**settings):
        run = site(1, settings=settings).get().get_json()["runList"][0]
        return datetime.fromisoformat(run["createTime"]), datetime.fromisoformat(run["updateTime"])

    seoul, utc = created(), created(timezone="UTC")
    assert seoul[0] - utc[0] == seoul[1] - utc[1] == timedelta(hours=9)


@pytest.mark.parametrize("zone", ["Asia/Seol", "Asia", "../etc"])
def test_an_unknown_time_zone_is_a_clear_refusal(site, zone):
    with pytest.raises(ConfigError, match=r"template.yaml: createTime: found \$time with unusable values"):
        site(1, settings={"timezone": zone})


@pytest.mark.parametrize("state", ["PENDING", "FAILED", "STOPPED", "ONE_OF_TOMORROW"])
def test_a_literal_row_has_all_eight_fields_and_those_written_are_kept(site, state):
    written = row("7", status=f"RUN_STATE_{state}", runType="TRAIN")

    run = site([written]).get().get_json()["runList"][0]
    assert set(run) == set(FIELDS)
    assert run == {**run, **written}


def test_fields_that_are_filled_in_keep_with_those_written(site):
    rows = [
        {"projectId": "p9", "createTime": "2026-01-14 08:00:00"},
        {"projectId": "p9", "updateTime": "2023-01-14 08:00:00"},
    ]

    newer, older = site(rows).get().get_json()["runList"]
    assert newer["updateTime"] == newer["createTime"] == "2026-01-14 08:00:00"
    assert older["createTime"] == older["updateTime"] == "2023-01-14 08:00:00"
    assert newer["projectName"] == older["projectName"] == "demo-p9"


def test_literal_rows_without_a_number_do_not_collide_with_generated_ones(site):
    started = site([{"generate": 50}, *({"status": "RUN_STATE_FAILED"} for _ in range(50))])

    assert started.get().get_json()["totalCount"] == 100


@pytest.mark.parametrize(
    "written",
    [
        {"runName": "01"},
        {"runName": "x"},
        {"runName": None},
        {"createTime": "2025-01-05T09:00:00Z"},
        {"updateTime": None},
        {"status": "DONE"},
        {"runname": "1"},
        {"projectId": ""},
    ],
)
def test_a_row_that_breaks_the_schema_is_refused(site, written):
    with pytest.raises(ConfigError, match=next(iter(written))):
        site([written])


def test_a_template_of_ones_own_that_lacks_a_field_is_a_clear_refusal(site):
    with pytest.raises(ConfigError, match="status"):
        site([{"runType": "NOTEBOOK"}], template={"row": {"runName": "{n}"}})


def test_the_timeline_moves_rows_between_pages(site):
    rows = [row(str(n), created=f"2025-01-0{n} 09:00:00") for n in (1, 2, 3, 4)]
    started = site(rows, timeline=[{"vendor": "naver-nsml", "after": {"page": 1}, "delete": ["p1/4"]}])

    assert names(started.get(f"{RUNS}?pageSize=2&page=1")) == [("p1", "4"), ("p1", "3")]
    assert names(started.get(f"{RUNS}?pageSize=2&page=2")) == [("p1", "1")]


def test_total_count_may_be_that_of_the_page(site):
    assert site(25, settings={"total_count": "page"}).get(f"{RUNS}?page=3").get_json()["totalCount"] == 5


def test_the_published_sample_keeps_the_schema(site):
    assert not schemas.pointers("naver-nsml/list-runs.json", {"runList": SAMPLE, "totalCount": 2})


def test_every_setting_is_described_has_a_default_and_stands_in_the_readme():
    settings = schemas.bundled("naver-nsml/scenario.json")["properties"]["settings"]["properties"]
    folder = schemas.schemas_dir().parent / "src/localruns/vendors/naver_nsml"
    code = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    template = (schemas.schemas_dir().parent / "fixtures/naver-nsml/template.yaml").read_text("utf-8")
    readme = (folder / "README.md").read_text("utf-8")

    for name, schema in settings.items():
        assert schema["description"], name
        assert "default" in schema, name
        assert f'settings["{name}"]' in code or f"${name}" in template, name
        assert f"`{name}`" in readme, name


def test_the_vendor_is_found_under_its_id():
    assert VENDOR.id == "naver-nsml"
