"""The journal as HAR and as curl lines: read by others' tools, run by a shell, without secrets."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from localruns.surfaces.http import App
from tests.clients.pagers import HEADERS, SEARCH

SECRET = "super-secret-value"
TOKEN = "/multipass/api/oauth2/token"


@pytest.fixture
def client(make_app: Callable[..., App]) -> Client:
    return make_app("quickstart").test_client()


def busy(client: Client) -> Client:
    """One request of each kind."""
    client.get("/api/v1/runs?MaxResults=2&Name=", headers=HEADERS["alibaba-pai"]).close()
    client.post(SEARCH, data='{"experiment_ids": ["1"], "max_results": 1}', headers=HEADERS["oracle-aidp"]).close()
    form = {"grant_type": "client_credentials", "client_id": "localruns-client", "client_secret": SECRET}
    client.post(TOKEN, data={**form, "scope": "offline_access"}).close()
    client.get(f"/nope?api_key={SECRET}&a=1", headers={"Cookie": f"session={SECRET}"}).close()
    client.post("/api/v1/runs", data=b"\xff\x00", headers={"Authorization": f"Bearer {SECRET}"}).close()
    return client


def entries(client: Client, query: str = "") -> list[Any]:
    return list(client.get(f"/__admin/requests?format=har{query}").json["log"]["entries"])


def test_another_tool_reads_the_archive(client: Client) -> None:
    haralyzer = pytest.importorskip("haralyzer")
    archive = client.get("/__admin/requests?format=har")
    assert archive.content_type == "application/json"
    parser = haralyzer.HarParser(busy(client).get("/__admin/requests?format=har").json)
    assert (parser.version, parser.creator["name"]) == ("1.2", "localruns")
    pages = [haralyzer.HarEntry(entry) for entry in parser.har_data["entries"]]
    assert [(entry.request.method, entry.response.status) for entry in pages] == [
        ("GET", 200), ("POST", 200), ("POST", 200), ("GET", 404), ("POST", 501)]  # fmt: skip
    assert [entry.startTime.year for entry in pages] == [2026] * 5
    assert pages[0].request.url == "http://localhost/api/v1/runs?MaxResults=2&Name="
    assert json.loads(pages[0].response.text)["Runs"]


def test_an_archive_holds_bodies_headers_and_the_reason(client: Client) -> None:
    listed, searched, _, missed, binary = entries(busy(client))
    assert {"name": "MaxResults", "value": "2"} in listed["request"]["queryString"]
    assert len(json.loads(listed["response"]["content"]["text"])["Runs"]) == 2
    assert listed["response"]["content"]["size"] == len(listed["response"]["content"]["text"].encode())
    assert searched["request"]["postData"]["text"] == '{"experiment_ids": ["1"], "max_results": 1}'
    assert searched["request"]["postData"]["mimeType"] == "application/json"
    assert searched["comment"].startswith("page 1 of runs, 1 a page")
    assert "-> 404" in missed["comment"]
    assert binary["request"]["postData"]["comment"] == "the body is not UTF-8 text"
    for entry in (listed, searched, missed):
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
        assert {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"} <= set(
            entry["request"]
        )
        assert {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize",
                "bodySize"} == set(entry["response"])  # fmt: skip


@pytest.mark.parametrize("form", ["har", "curl"])
def test_no_secret_is_in_an_export(client: Client, form: str) -> None:
    busy(client)
    tokens = [given for entry in client.application.emulator.space("default").states["palantir-foundry"]
              .memory["grants"] for given in (entry,)]  # type: ignore[union-attr]  # fmt: skip
    assert len(tokens) == 2
    text = client.get(f"/__admin/requests?format={form}").text
    assert [secret for secret in (SECRET, *tokens) if secret in text] == []
    assert "client_id=localruns-client" in text


def test_exports_obey_the_filters_and_the_limit(client: Client) -> None:
    busy(client)
    assert [entry["_id"] for entry in entries(client, "&vendor=alibaba-pai")] == [1, 5]
    assert [entry["_id"] for entry in entries(client, "&limit=2")] == [4, 5]
    lines = client.get("/__admin/requests?format=curl&since=3").text.splitlines()
    assert len(lines) == 2
    missed = client.get("/__admin/requests/unmatched?format=curl").text
    assert missed.count("curl -sS") == 2


def test_an_unknown_format_is_refused(client: Client) -> None:
    answer = client.get("/__admin/requests?format=hra")
    assert answer.status_code == 400
    assert "format is 'hra', expected one of: json, har, curl, did you mean 'har'?" in answer.json["detail"]
    assert "format" in client.get("/__admin/requests/count?format=har").json["detail"]


def test_an_export_says_what_gave_way_and_what_is_no_longer_kept(make_app: Callable[..., App]) -> None:
    app = make_app("quickstart")
    app.emulator.make_space("few", journal_entries=3, journal_bytes=12_000)
    client = app.test_client()
    for _ in range(5):
        assert client.get("/ns/few/api/v1/runs?Verbose=true", headers=HEADERS["alibaba-pai"]).json
    log = client.get("/ns/few/__admin/requests?format=har").json["log"]
    assert log["comment"] == "2 earlier requests gave way and are not in here"
    assert log["entries"][0]["response"]["content"]["comment"] == "its 10 rows are no longer kept"
    assert log["entries"][0]["response"]["bodySize"] == -1
    assert client.get("/ns/few/__admin/requests?format=curl").text.startswith("# 2 earlier requests")


def test_counts_over_evicted_entries_are_exact_or_say_that_they_are_not(make_app: Callable[..., App]) -> None:
    app = make_app("quickstart")
    app.emulator.make_space("few", journal_entries=2)
    client = app.test_client()
    for path in ("api/v1/runs", "nope", "api/v1/runs", "api/v1/runs", "nsml/v1/projects/runs"):
        client.get(f"/ns/few/{path}", headers=HEADERS["alibaba-pai"] | HEADERS["naver-nsml"]).close()

    def told(call: str) -> tuple[int, int, bool]:
        shown = client.get(f"/ns/few/__admin/requests{call}").json
        return len(shown["requests"]) if "requests" in shown else shown["count"], shown["evicted"], shown["complete"]

    assert told("/count") == (5, 3, True)
    assert told("/count?vendor=naver-nsml") == (1, 3, True)
    assert told("/count?status=404") == (1, 3, True)
    assert told("/count?since=3") == (2, 3, True)
    assert told("/count?since=1") == (2, 3, False)
    assert told("") == (2, 3, False)
    assert told("?limit=2") == (2, 3, True)
    assert told("?vendor=naver-nsml") == (1, 3, True)
    assert told("?status=404") == (0, 3, False)
    assert told("?since=3") == (2, 3, True)
    assert told("/unmatched") == (0, 3, False)
    gone = client.get("/ns/few/__admin/requests/2").json
    assert (gone["status"], "it gave way to newer ones" in gone["detail"]) == (404, True)


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("sh") is None, reason="needs curl and a shell")
def test_each_curl_line_asks_the_same_again(live: Callable[..., str], make_app: Callable[..., App]) -> None:
    app = make_app("quickstart")
    url, client = live(app), app.test_client()
    names = {"Host": url.partition("://")[2]}
    client.get("/api/v1/runs?Name=it's&x[]=%7B1%7D", headers={**HEADERS["alibaba-pai"], **names}).close()
    client.get("/api/v1/../v1/runs", headers=HEADERS["alibaba-pai"]).close()
    client.get("/nsml/v1/projects/runs?page=2", headers={**HEADERS["naver-nsml"], "X-Empty": ""}).close()
    body = '{"experiment_ids": ["1"], "filter": "params.x = \'@y\'"}'
    client.post(SEARCH, data=body, headers=HEADERS["oracle-aidp"]).close()
    client.put("/api/v1/runs", data="@/etc/passwd").close()
    client.delete("/api/v1/runs/x", data=b"\xff\x00\n").close()
    busy(client)
    before = list(app.emulator.space("default").journal)
    text = subprocess.run(
        ["curl", "-s", f"{url}/__admin/requests?format=curl"], capture_output=True, text=True, check=True
    ).stdout
    assert len(text.splitlines()) == len(before)
    for line in text.splitlines():
        subprocess.run(["sh", "-c", line], capture_output=True, check=True, timeout=20)
    again = list(app.emulator.space("default").journal)[len(before) :]
    for first, second in zip(before, again, strict=True):
        assert second.reply is not None
        assert first.reply is not None
        assert (second.request.method, second.request.path, second.reply.status) == (
            first.request.method, first.request.path, first.reply.status)  # fmt: skip
        if b"client_secret" not in first.request.body:
            assert second.request.body == first.request.body
            assert second.reply.rows == first.reply.rows
