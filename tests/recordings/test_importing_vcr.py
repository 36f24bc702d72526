"""Cassettes that VCR.py itself makes here, of each vendor's real client, brought in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import yaml

from localruns.engine.recorded.recording import Reader
from localruns.surfaces.http import App
from localruns.testing import LocalRuns
from localruns.vendors.palantir_foundry import STUDIO
from tests.clients.redacted import alike
from tests.clients.walkers import CLIENTS
from tests.recordings.again import GOLDEN, asked_again, recorded
from tests.recordings.test_importing_har import run

vcr = pytest.importorskip("vcr")
MakeApp = Callable[..., App]


def studio(url: str, keys: Mapping[str, str], size: int) -> list[list[dict[str, Any]]]:
    """All pages of the studio by httpx, refusals asked once more."""
    target, token, pages = f"{url}/api/v2/models/modelStudios/{STUDIO}/runs", None, []
    with httpx.Client(headers={"Authorization": f"Bearer {keys['token']}"}) as client:
        while True:
            asked = {"preview": "true", "pageSize": size, **({"pageToken": token} if token else {})}
            answer = client.get(target, params=asked)
            if answer.status_code == 200:
                pages.append(answer.json()["data"])
                token = answer.json().get("nextPageToken")
                if not token:
                    return pages


# VCR.py does not know the HTTP library that the vendor's client for oracle-aidp brings with it, nor the transport of
# the one for palantir-foundry; and it cannot put what the one for naver-nsml sends into JSON.
WALKS = {name: walk for name, walk in CLIENTS.items() if name not in ("oracle-aidp", "palantir-foundry")}
WALKS["httpx"] = ("palantir-foundry", studio)
TAPES = [(name, ending) for name in WALKS for ending in ("yaml", "json") if (name, ending) != ("naver-nsml", "json")]

pytestmark = [pytest.mark.sdk, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalRuns]:
    """What plays the real platforms: every signature is verified."""
    with LocalRuns("quickstart", auth="verify") as emu:
        yield emu


@pytest.mark.parametrize(("client", "serializer"), TAPES)
def test_a_client_gets_the_same_pages_from_the_scenario_of_its_cassette(
    platform: LocalRuns, tmp_path: Path, client: str, serializer: str
) -> None:
    vendor, walk = WALKS[client]
    keys, tape = platform.credentials(vendor), tmp_path / f"tape.{serializer}"
    with vcr.use_cassette(str(tape), serializer=serializer):
        pages = walk(platform.url, keys, 10)
    assert [len(page) for page in pages] == [10, 10, 5]

    result = run(tape, "--out", tmp_path / "tape-scenario.yaml")
    assert f"{vendor}: 1 walk, 3 pages, 25 rows, 0 errors; page sizes 10" in result.stdout
    with LocalRuns(str(tmp_path / "tape-scenario.yaml")) as emu:
        again = walk(emu.url, keys, 10)
        others = walk(emu.url, keys, 4)
    assert alike(pages, again)
    assert [row for page in others for row in page] == [row for page in again for row in page]


@pytest.mark.parametrize("serializer", ["yaml", "json"])
def test_a_cassette_becomes_a_recording_with_the_same_bytes(
    platform: LocalRuns, make_app: MakeApp, tmp_path: Path, serializer: str
) -> None:
    tape, out = tmp_path / f"tape.{serializer}", tmp_path / "out.yaml"
    with vcr.use_cassette(str(tape), serializer=serializer):
        bodies = [
            requests.get(f"{platform.url}/nsml/v1/projects/runs?page={page}", headers=plain(), timeout=5).content
            for page in (1, 2, 3, 4)
        ]
    run(tape, "--as", "cassette", "--out", out)
    assert [json.loads(exchange.reply.body) for exchange in Reader(out)] == [json.loads(body) for body in bodies]
    client = make_app(str(out)).test_client()
    for page, exchange in enumerate(Reader(out), 1):
        assert client.get(f"/nsml/v1/projects/runs?page={page}").data == exchange.reply.body


def test_a_cassette_of_pytest_recording_is_brought_in(make_app: MakeApp, tmp_path: Path) -> None:
    tape, out, taped = GOLDEN.parent / "vcr" / "pytest-recording.yaml", tmp_path / "out.yaml", tmp_path / "taped.yaml"
    assert "naver-nsml: 1 walk, 3 pages, 13 rows, 1 error; page sizes 5" in run(tape, "--out", out).stdout
    run(tape, "--as", "cassette", "--out", taped)
    pairs = list(asked_again(make_app(str(out)), recorded(taped)))
    assert [theirs.status for theirs, _ in pairs] == [200, 429, 200, 200]
    assert [ours for _, ours in pairs] == [theirs for theirs, _ in pairs]


def plain() -> dict[str, str]:
    return {"Accept": "application/json", "x-ncp-iam-access-key": "x"}


def test_httpx_and_its_errors(platform: LocalRuns, make_app: MakeApp, tmp_path: Path) -> None:
    tape, out, taped = tmp_path / "tape.yaml", tmp_path / "out.yaml", tmp_path / "taped.yaml"
    keys = platform.credentials("palantir-foundry")
    platform.fault(refuse="throttled", vendor="palantir-foundry", page=2, times=2)
    with vcr.use_cassette(str(tape)):
        studio(platform.url, keys, 10)
    run(tape, "--out", out)
    run(tape, "--as", "cassette", "--out", taped)
    pairs = list(asked_again(make_app(str(out)), recorded(taped)))
    assert [theirs.status for theirs, _ in pairs] == [200, 429, 429, 200, 200]
    assert [ours for _, ours in pairs] == [theirs for theirs, _ in pairs]


@pytest.mark.parametrize("decode", [False, True], ids=["as sent", "decoded"])
def test_compressed_answers_are_read_however_they_are_kept(
    tmp_path: Path, packed: Callable[[Mapping[str, Any]], str], decode: bool
) -> None:
    content = {"runList": [row("1")], "totalCount": 1}
    url = packed(content)
    tape, out = tmp_path / "tape.yaml", tmp_path / "out.yaml"
    with vcr.use_cassette(str(tape), decode_compressed_response=decode):
        assert httpx.get(f"{url}/nsml/v1/projects/runs", headers={"Accept-Encoding": "gzip"}).json() == content
        assert requests.get(f"{url}/nsml/v1/projects/runs", timeout=5).json() == content
    run(tape, "--as", "cassette", "--out", out)
    bodies = [(json.loads(each.reply.body), dict(each.reply.headers)) for each in Reader(out)]
    assert [body for body, _ in bodies] == [content, content]
    assert not any({"content-encoding", "content-length"} & headers.keys() for _, headers in bodies)


def row(name: str) -> dict[str, str]:
    times = dict.fromkeys(("createTime", "updateTime"), "2026-01-01 00:00:00")
    project = {"projectId": "p1", "projectName": "one"}
    return {"runName": name, "runType": "NOTEBOOK", **project, "status": "RUN_STATE_COMPLETED", "creator": "a", **times}


@pytest.fixture
def packed() -> Iterator[Callable[[Mapping[str, Any]], str]]:
    """A server that sends its one answer compressed."""
    import threading

    from werkzeug.serving import make_server
    from werkzeug.wrappers import Response

    servers = []

    def start(content: Mapping[str, Any]) -> str:
        body = gzip.compress(json.dumps(content).encode())
        headers = {"Content-Encoding": "gzip"}
        server = make_server("127.0.0.1", 0, Response(body, headers=headers, content_type="application/json"))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def tape_of(path: Path, response: Mapping[str, Any], request: Mapping[str, Any] | None = None) -> Path:
    """A cassette with one interaction, written by hand."""
    asked = {"method": "GET", "uri": "https://nsml.example.com/nsml/v1/projects/runs", "body": None, "headers": {}}
    interactions = [{"request": {**asked, **(request or {})}, "response": response}]
    path.write_text(yaml.dump({"interactions": interactions, "version": 1}), "utf-8")
    return path


BODY = json.dumps({"runList": [row("1")], "totalCount": 1})
OK = {"code": 200, "message": "OK"}


@pytest.mark.parametrize(
    "response",
    [
        {"status": OK, "headers": {"Content-Type": ["application/json"]}, "body": {"string": BODY}},
        {"status": OK, "headers": {"Content-Type": "application/json"}, "body": {"string": BODY.encode()}},
        {"status": OK, "headers": {"Content-Encoding": ["gzip"]}, "body": {"string": gzip.compress(BODY.encode())}},
        {"status": OK, "headers": {"Content-Encoding": ["gzip"]}, "body": {"string": BODY}},
        {"status": OK, "headers": {}, "body": {"base64_string": "eyJydW5MaXN0IjpbXSwidG90YWxDb3VudCI6MH0="}},
        {"status_code": 200, "http_version": "HTTP/1.1", "headers": {}, "content": BODY},
        {"status_code": 200, "http_version": "HTTP/1.1", "headers": [], "content": BODY.encode() + b" "},
    ],
    ids=["text", "list-free headers", "gzip", "gzip decoded", "base64", "older httpx", "older httpx bytes"],
)
def test_every_form_of_an_answer_is_read(tmp_path: Path, response: Mapping[str, Any]) -> None:
    tape = tape_of(tmp_path / "tape.yaml", response)
    result = run(tape, "--out", tmp_path / "out.yaml")
    assert "naver-nsml: 1 walk, 1 page" in result.stdout


def test_binary_bodies_and_tags_of_python_are_read(tmp_path: Path) -> None:
    tape = tmp_path / "tape.yaml"
    tape.write_text(
        "interactions:\n"
        "- request: {body: null, headers: {}, method: !!python/unicode 'GET', uri: 'http://h/nsml/v1/projects/runs'}\n"
        "  response:\n"
        "    body:\n"
        "      string: !!binary |\n"
        "        eyJydW5MaXN0IjpbXSwidG90YWxDb3VudCI6MH0=\n"
        "    headers: {}\n"
        "    status: {code: 200, message: OK}\n"
        "version: 1\n",
        "utf-8",
    )
    assert "1 walk, 1 page, 0 rows" in run(tape, "--out", tmp_path / "out.yaml").stdout


def test_interactions_that_cannot_be_read_are_listed(tmp_path: Path) -> None:
    tape = tmp_path / "tape.yaml"
    good = {"status": OK, "headers": {}, "body": {"string": BODY}}
    tape_of(tape, good)
    content = yaml.safe_load(tape.read_text("utf-8"))
    asked = content["interactions"][0]["request"]
    content["interactions"] += [
        {"request": asked},
        {"request": {**asked, "uri": "ftp://other.example.com/file"}, "response": good},
        {
            "request": asked,
            "response": {**good, "headers": {"Content-Encoding": ["br"]}, "body": {"string": b"\x8b\x00"}},
        },
        "nothing",
    ]
    tape.write_text(yaml.dump(content), "utf-8")
    result = run(tape, "--out", tmp_path / "out.yaml")
    assert "left out: interactions without an answer: 1 (nsml.example.com 1)" in result.stderr
    assert "left out: interactions of another scheme than HTTP: 1" in result.stderr
    assert "left out: interactions compressed with br, which cannot be read here: 1" in result.stderr
    assert "left out: interactions without an HTTP method: 1" in result.stderr
