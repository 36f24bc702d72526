"""Scanning: what looks like a secret is found, what does not is left alone."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from localruns.engine.recorded.exchange import Exchange
from localruns.engine.recorded.recording import Head, Writer
from localruns.paths import fixtures_dir
from localruns.recordings.scanning import files as scanning_files
from localruns.recordings.scanning.exchanges import Finding, scan_exchange, scan_file
from localruns.surfaces.cli import cli
from localruns.vendors import all_vendors
from tests.recordings import own
from tests.recordings.canaries import CANARIES, KNOWN, TOKEN, Canary
from tests.recordings.test_redaction import redactor

VENDORS = all_vendors()


def scan(path: Path) -> list[Finding]:
    return list(scan_file(path, VENDORS))


@cache
def redacted(canary: Canary) -> Exchange:
    return redactor().exchange(canary.plant(canary.secret, canary.secret))


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_a_redacted_exchange_scans_clean(canary: Canary) -> None:
    assert scan_exchange(redacted(canary), VENDORS) == []


@pytest.mark.parametrize("number", range(len(CANARIES)), ids=[canary.name for canary in CANARIES])
def test_a_secret_put_back_by_hand_is_found(number: int, tmp_path: Path) -> None:
    canary, path = CANARIES[number], tmp_path / "edited.yaml"
    writer = Writer(path, Head("edited"))
    for at, other in enumerate(CANARIES):
        writer.add(other.plant(other.secret, KNOWN) if at == number else redacted(other))
    writer.close()
    found = scan(path)
    assert found
    assert all(finding.where.startswith(f"exchanges[{number}].") for finding in found), found
    assert not [finding for finding in found if canary.secret in finding.where + finding.what]
    assert scan_exchange(canary.plant(canary.secret, KNOWN), VENDORS)


# --- files of many kinds

SECRET = "LTAI5tQ3xVh8WmZrK2bNcYpD"
HAR = {
    "log": {
        "version": "1.2",
        "entries": [
            {
                "request": {
                    "url": "https://h/api/v1/runs?MaxResults=2&access_token=yt71lmno",
                    "headers": [
                        {"name": "Authorization", "value": "Bearer kZ8bYc3HsD6f"},
                        {"value": "*/*", "name": "Accept"},
                    ],
                    "cookies": [{"name": "theme", "value": "dark71"}],
                    "queryString": [{"name": "access_token", "value": "yt71lmno"}],
                    "postData": {"mimeType": "application/json", "text": '{"a": {"password": "lily71"}}'},
                },
                "response": {
                    "content": {
                        "encoding": "base64",
                        "text": base64.b64encode(b'{"OwnerId": "1557702098194999"}').decode(),
                    }
                },
            }
        ],
    }
}
CASSETTE = """\
interactions:
- request:
    body: grant_type=client_credentials&client_secret=cs-4KwZ8bYc3HsD6f
    headers:
      Authorization:
      - Basic YW5uOmNvcnJlY3Q3MQ==
      Accept: ['*/*']
    method: POST
    uri: https://h/multipass/api/oauth2/token
  response:
    body:
      string: '{"access_token": "at-6fGj1TaEq7Xv2L", "token_type": "bearer"}'
    headers:
      set-cookie: [sid=8bYc3HsD6fGj; Path=/]
version: 1
"""


def test_all_secrets_of_a_har_file_are_found_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "traffic.har"
    path.write_text(json.dumps(HAR, indent=1))
    found = {(finding.where.removeprefix("log.entries[0]."), finding.line) for finding in scan(path)}
    lines = path.read_text().splitlines()
    assert {where for where, _ in found} == {
        "request.url.access_token",
        "request.headers[0].value",
        "request.cookies[0].value",
        "request.queryString[0].value",
        "request.postData.text.a.password",
        "response.content.text",
    }
    assert "Bearer" in lines[next(line for where, line in found if where.startswith("request.headers")) - 1]


def test_all_secrets_of_a_cassette_are_found_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "cassette.yaml"
    path.write_text(CASSETTE)
    assert [(finding.line, finding.where.removeprefix("interactions[0].")) for finding in scan(path)] == [
        (3, "request.body.client_secret"),
        (6, "request.headers.Authorization[0]"),
        (12, "response.body.string.access_token"),
        (14, "response.headers.set-cookie[0]"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"key: {SECRET}\n",
        f"one\ntwo {base64.b64encode(SECRET.encode()).decode()}\n",
        f"see {SECRET.encode().hex()}\n",
        "say " + "".join(f"%{byte:02X}" for byte in SECRET.encode()),
        json.dumps([json.dumps({"x": json.dumps([SECRET])})]),
        "export NCLOUD_SECRET_KEY=aB71lmno\n",
        "curl -H 'x-ncp-apigw-api-key: kZ8bYc3HsD6f' http://h\n",
        "git clone https://ann:tiger71@host/x\n",
        "mail ann@corp-mail.io\n",
        f"{TOKEN}\n",
        "scenario: x\nvendors:\n  a:\n    runs:\n      - {Params: [{Key: api_key, Value: tiger71}]}\n",
        "recording: x\nexchanges:\n- request: {method: GET, target: '/x?token=tiger71'}\n  answer: {status: 2\n",
        f"{'x ' * 700_000}{SECRET}\n",
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_secret_is_found_in_any_text(text: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_bytes(text.encode(codec))
    found = scan(path)
    assert found
    assert not [finding for finding in found if SECRET in str(finding) or "tiger71" in str(finding)]


def test_a_packed_file_is_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "notes.gz"
    path.write_bytes(gzip.compress(f"one\n{SECRET}\n".encode()))
    assert [finding.line for finding in scan(path)] == [2]


def test_all_that_is_shipped_scans_clean() -> None:
    files = [path for path in fixtures_dir().rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [(path.name, finding) for path in files for finding in scan(path)] == []


@pytest.mark.parametrize("vendor", own.VENDORS)
def test_recordings_of_our_own_emulator_scan_clean(vendor: str, make_app: own.MakeApp, tmp_path: Path) -> None:
    app = make_app("quickstart", auth="present")
    seen = own.recorded(app, lambda app: (own.walks(vendor)(app), own.errors(vendor)(app)))
    clean, path = redactor(), tmp_path / "own.yaml"
    writer = Writer(path, Head("own"))
    for exchange in map(clean.exchange, seen):
        assert scan_exchange(exchange, VENDORS) == []
        writer.add(exchange)
    writer.close()
    assert scan(path) == []


@pytest.mark.parametrize(
    "text",
    [
        "d41d8cd98f00b204e9800998ecf8427e da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "3d0c1c0e-6f0a-4b52-9a0e-0f5f6f1f2a10",
        "https://docs.example.com/api/platform/AlibabaCloudGenericLongClassName/index.html",
        "/usr/lib/python3.11/site-packages/some_package/models/list_experiment_runs_details.py",
        "ThisIsAVeryLongCamelCaseIdentifierOfSomeClass2",
        "token_binding: query_and_size, max_token=512, pageToken=eyJvZmZzZXQiOiAyfQ==",
        "password=${PASSWORD} token: <your token> api_key={{ key }} secret=***",
        "Authorization: ACS3-HMAC-SHA256 Credential=...",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)
    assert scan(path) == []


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning_files, "_PIECE", 1 << 16)
    path = tmp_path / "large.har"
    entry = json.dumps(
        {"request": {"url": "https://h/x", "headers": []}, "response": {"content": {"text": "y" * 2000}}}
    )
    path.write_text('{"log": {"entries": [' + ", ".join([entry] * 2000) + "]}}")
    tracemalloc.start()
    assert scan(path) == []
    assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 5
    tracemalloc.stop()


@pytest.mark.parametrize("key", ["recording", "scenario", "interactions"])
def test_the_comments_of_a_file_are_looked_at_and_nothing_twice(tmp_path: Path, key: str) -> None:
    path = tmp_path / "commented.yaml"
    lines = [
        f"# made with {SECRET}",
        f"{key}: mine  # ann@corp.com",
        'about: "a #1 ann@corp.com"  # plain words',
        'more: "a # b"  # ann@corp.com # eve@corp.com',
        f"body: |  # {SECRET}",
        "  # ann@corp.com",
        "  x # y",
        f"  # {SECRET}",
        "# bob@corp.com",
        "other: [a, b]  # " + "word " * 30,
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    found = [(finding.line, finding.where) for finding in scan(path)]
    assert sorted(found) == [
        *[(1, "comment"), (2, "comment"), (3, "about"), (4, "comment"), (4, "comment"), (5, "comment")],
        *[(6, "body"), (8, "body"), (9, "comment")],
    ]


def test_keys_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    rows = "runs: [{Name: x, ann@corp.com: 1}]"
    path.write_text(f"scenario: mine\nworkspaces:\n  {SECRET}: {{default: true}}\n  '145883': {{}}\n{rows}\n", "utf-8")
    found = [(finding.line, finding.where) for finding in scan(path)]
    assert found == [(3, "workspaces.(secret)"), (5, "runs[0].(secret)")]


# --- the command


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["scan", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_says_what_it_has_scanned(tmp_path: Path) -> None:
    path = tmp_path / "clean.yaml"
    writer = Writer(path, Head("clean"))
    for canary in CANARIES[:3]:
        writer.add(redacted(canary))
    writer.close()
    code, out, _ = run(str(path))
    assert (code, out.splitlines()[-1]) == (0, "3 exchanges and 1 line scanned, nothing found")


def test_the_command_counts_the_entries_of_a_har_file(tmp_path: Path) -> None:
    path = tmp_path / "clean.har"
    path.write_text('{"log": {"entries": [' + ", ".join(['{"time": 1, "request": {"url": "/x"}}'] * 7) + "]}}")
    assert run(str(path))[1] == "7 exchanges and 1 line scanned, nothing found\n"


def test_the_command_shows_file_line_place_and_kind_but_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "cassette.yaml"
    path.write_text(CASSETTE)
    code, out, err = run(str(path))
    first = "secret under the name client_secret, cs-... of 17 characters"
    assert (code, out.splitlines()[0]) == (1, f"{path}:3: interactions[0].request.body.client_secret: {first}")
    assert err == "4 texts look like a secret\n"


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_scanned(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text(SECRET)
    code, out, err = run(str(tmp_path / "none.yaml"), str(path), str(tmp_path))
    assert code == 2
    assert f"{path}:1: text: access key, LTA... of 24 characters" in out
    assert "none.yaml: cannot be read: No such file or directory" in err
    assert "Is a directory" in err


def test_rules_add_what_is_secret_and_keep_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(
        "patterns: [{kind: ticket, match: 'TCK-[0-9]+'}]\nkeep: {values: [ann@corp-mail.io]}\n"
    )
    path = tmp_path / "x.json"
    path.write_text('{"a": "see TCK-71 here", "b": "ann@corp-mail.io"}')
    code, out, _ = run(str(path), "--redact", str(tmp_path / "rules.yaml"))
    assert (code, out) == (1, f"{path}:1: a: ticket, T... of 6 characters\n")
