"""Planted secrets: none is in a byte of what an import writes or prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from localruns import placeholders
from localruns.engine.recorded.exchange import Exchange
from localruns.engine.recorded.recording import Reader
from localruns.recordings.reading.leftovers import Leftovers
from localruns.recordings.reading.sources import exchanges
from localruns.surfaces.cli import cli
from tests.recordings.again import GOLDEN
from tests.recordings.canaries import CANARIES
from tests.recordings.makers import entry, har, page, refused, run
from tests.recordings.test_redaction import all_bytes, traces

OTHER = "https://daphne:tiger71lily@cdn.example.com/lib.js?token=q7Xv2LmN9pRt4KwZ8bYc3HsD"


def planted() -> list[Exchange]:
    """An exchange with each secret, as requests for lists; and a good walk, so that there is a scenario."""
    found = []
    for canary in CANARIES:
        exchange = canary.plant(canary.secret, canary.secret)
        request = exchange.request
        method = "GET" if request.path == "/api/v1/runs" else request.method
        found.append(replace(exchange, request=replace(request, method=method)))
    rows = [run(1, UserId="204891057713860055"), run(2, OwnerId="1557702098194912", Name="LTAI5tQ3xVh8WmZrK2bNcYpD")]
    return [*found, page(rows, 0, 2, MaxResults=5)]


def as_har(path: Path, exchanges: list[Exchange]) -> Path:
    entries: list[Any] = []
    for exchange in exchanges:
        plain = replace(exchange, request=replace(exchange.request, body=b""), reply=replace(exchange.reply, raw=b""))
        made = entry(plain)
        if exchange.request.body:
            made["request"]["postData"] = {"mimeType": "text/plain", "text": exchange.request.body.decode()}
        made["response"]["content"]["text"] = exchange.reply.body.decode("latin-1")
        entries.append(made)
    other = entry(exchanges[-1])
    other["request"]["url"] = OTHER
    return har(path, [*entries, other])


def as_tape(path: Path, exchanges: list[Exchange]) -> Path:
    interactions = [
        {
            "request": {
                "method": exchange.request.method,
                "uri": f"https://aiworkspace.example.com{exchange.request.target}",
                "headers": {name: [value] for name, value in exchange.request.headers},
                "body": exchange.request.body.decode() or None,
            },
            "response": {
                "status": {"code": exchange.reply.status, "message": ""},
                "headers": {name: [value] for name, value in exchange.reply.headers},
                "body": {"string": exchange.reply.body},
            },
        }
        for exchange in exchanges
    ]
    path.write_text(yaml.dump({"interactions": interactions, "version": 1}), "utf-8")
    return path


@pytest.mark.parametrize("write", [as_har, as_tape], ids=["HAR", "VCR.py"])
@pytest.mark.parametrize("form", ["scenario", "cassette"])
def test_planted_secrets_are_in_no_byte(
    tmp_path: Path, form: str, write: Callable[[Path, list[Exchange]], Path]
) -> None:
    file, out = write(tmp_path / "in.file", planted()), tmp_path / "out.yaml"
    result = CliRunner().invoke(cli, ["import", str(file), "--as", form, "--out", str(out)])
    assert len(CANARIES) > 40
    assert out.exists(), result.output
    written = out.read_bytes() + result.output.encode()
    told = b"".join(all_bytes(exchange) for exchange in exchanges(file, Leftovers()))
    for canary in CANARIES:
        assert any(trace in told for trace in traces(canary.secret)), f"{canary.name} was planted"
        assert not [trace for trace in traces(canary.secret) if trace in written], canary.name
    assert b"tiger71lily" not in written
    assert "daphne" not in result.output


def test_what_would_hold_a_secret_is_not_written(tmp_path: Path) -> None:
    # Random text in a free field, which nothing but its looks gives away.
    rows = [run(1, Params=[{"Key": "note", "Value": "fT7xQ2mZ9pKd4LwV8bYc3HsN6gJ1rAeX5uIo"}]), run(2)]
    file, out = har(tmp_path / "in.har", [entry(page(rows, 0, 2, MaxResults=5))]), tmp_path / "out.yaml"
    result = CliRunner().invoke(cli, ["import", str(file), "--out", str(out)])
    assert result.exit_code == 1
    assert "not written" in result.stderr
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("form", ["scenario", "cassette"])
def test_what_looks_random_is_in_no_line_about_what_was_left_out(tmp_path: Path, form: str) -> None:
    odd = "qZ7f0PxB3vK9sLmW2yTnR8cHdJ5gUe1A"
    told = [page([run(1)], 0, 1, MaxResults=5), refused(403, f"Forbidden.{odd}"), page([], 0, 0, **{odd: "1"})]
    file, out = har(tmp_path / "in.har", map(entry, told)), tmp_path / "out.yaml"
    result = CliRunner().invoke(cli, ["import", str(file), "--as", form, "--out", str(out)])
    assert "left out:" in result.stderr
    assert odd not in result.output + out.read_text("utf-8")


@pytest.mark.parametrize("form", ["scenario", "cassette"])
def test_a_secret_in_the_name_of_a_file_is_not_written(tmp_path: Path, form: str) -> None:
    mail = "ann.miller@corp-mail.example.com"
    file, out = har(tmp_path / f"hers {mail}.har", [entry(page([run(1)], 0, 1))]), tmp_path / "out.yaml"
    arguments = ["import", str(file), "--as", form, "--out", str(out)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert mail not in out.read_text("utf-8")
    key = "ghp_" + "x7Ky" * 9
    result = CliRunner().invoke(cli, [*arguments, "--force", "--name", key.lower()])
    assert "found a name that looks like a secret" in str(result.exception)


def test_a_secret_that_is_known_later_only_is_out_of_what_stands_before(tmp_path: Path) -> None:
    secret = "plainword71secret"
    early = page([run(1, Name=secret)], 0, 1, MaxResults=5)
    late = page([run(2)], 0, 1, MaxResults=5, access_token=secret)
    file, out = har(tmp_path / "in.har", [entry(early), entry(late)]), tmp_path / "out.yaml"
    for form in ("scenario", "cassette"):
        CliRunner().invoke(cli, ["import", str(file), "--as", form, "--out", str(out), "--force"])
        assert secret not in out.read_text("utf-8")


def test_rules_of_ones_own_are_kept_to(tmp_path: Path) -> None:
    rules, out = tmp_path / "rules.yaml", tmp_path / "out.yaml"
    rules.write_text("body: [projectName]\n", "utf-8")
    options = ["--as", "cassette", "--out", str(out), "--redact", str(rules), "--vendor", "naver-nsml"]
    result = CliRunner().invoke(cli, ["import", str(GOLDEN / "mitmproxy.har"), *options])
    assert result.exit_code == 0, result.output
    told = [json.loads(exchange.reply.body).get("runList", ()) for exchange in Reader(out)]
    names = [row["projectName"] for rows in told for row in rows]
    assert names
    assert all(placeholders.holds(name) for name in names)
