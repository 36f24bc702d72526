"""Schemathesis holds live answers against the documents that we serve."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest
from openapi_spec_validator import validate

from localruns.vendors import IDS
from tests.clients.pagers import HEADERS, PLATFORM, STUDIO

Live = Callable[..., str]

# Every call asks for something that exists: what does not exist is asked for by the runs of test_any_request.py.
CONFIG = f"""
[parameters]
"path.aiDataPlatformId" = "{PLATFORM}"
"path.workspaceKey" = "default"
"path.modelStudioRid" = "{STUDIO}"
"query.experiment_id" = "1"
"query.namespace" = "default"
"path.name" = "default"
"path.vendor" = "oracle-aidp"
"path.file" = "list-runs.json"

[checks.not_a_server_error]
expected-statuses = ["2xx", "4xx", 501]  # 501: a real operation beside ours, or a grant for persons
"""
CONFORMANCE = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance"
)
LONG = ("--phases", "coverage,fuzzing", "--max-examples", "30")
SHORT = ("--phases", "coverage")
OPAQUE = ("oracle-aidp", "palantir-foundry")
NONE: Mapping[str, str] = {}


def schemathesis(url: str, document: str, folder: Path, *options: str, headers: Mapping[str, str] = NONE) -> None:
    """Run it as a user would; anything it finds fails the test with its own words."""
    (folder / "schemathesis.toml").write_text(CONFIG, "utf-8")
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    command += ["run", f"{url}{document}", "--continue-on-failure", "--no-color", "--suppress-health-check", "all"]
    command += ["--generation-deterministic", *options, *given]
    environment = {**os.environ, "COLUMNS": "200", "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " generated" in done.stdout


def documents() -> list[str]:
    return ["/__admin/openapi.json", *(f"/__admin/openapi/{vendor}.json" for vendor in IDS)]


@pytest.mark.parametrize("document", documents())
def test_every_document_is_valid_openapi(live: Live, document: str) -> None:
    validate(httpx.get(live("quickstart") + document).json())


@pytest.mark.timeout(180)
@pytest.mark.parametrize("vendor", IDS)
def test_with_credentials_all_answers_are_as_described(live: Live, tmp_path: Path, vendor: str) -> None:
    # ignored_auth: the mode `present` looks at no credential, see the test of the mode `verify`.
    # positive_data_acceptance: a schema says that a filter or a page token is a text, not which texts can be read.
    # unsupported_method: but for Oracle, the gateways answer 404 to a method that a path does not have.
    without = ["ignored_auth", *(["positive_data_acceptance"] if vendor in OPAQUE else [])]
    without += [] if vendor == "oracle-aidp" else ["unsupported_method"]
    headers = {name: value for name, value in HEADERS[vendor].items() if name != "Content-Type"}
    options = (*LONG, "--exclude-checks", ",".join(without), "--generation-with-security-parameters", "false")
    schemathesis(live("quickstart"), f"/__admin/openapi/{vendor}.json", tmp_path, *options, headers=headers)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("vendor", IDS)
def test_without_credentials_all_answers_are_as_described(live: Live, tmp_path: Path, vendor: str) -> None:
    options = (*SHORT, "--checks", CONFORMANCE, "--generation-with-security-parameters", "false")
    schemathesis(live("quickstart"), f"/__admin/openapi/{vendor}.json", tmp_path, *options)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("vendor", ["oracle-aidp", "palantir-foundry"])
def test_the_mode_verify_asks_for_the_credentials_that_are_described(live: Live, tmp_path: Path, vendor: str) -> None:
    # The vendors whose credentials are a constant text; the others sign each request.
    options = (*SHORT, "--checks", f"ignored_auth,{CONFORMANCE}", "--exclude-path-regex", "multipass")
    headers = {"Authorization": "Bearer localruns-token"}
    url = live("quickstart", auth="verify")
    schemathesis(url, f"/__admin/openapi/{vendor}.json", tmp_path, *options, headers=headers)


@pytest.mark.timeout(180)
def test_the_control_api_answers_as_described(live: Live, tmp_path: Path) -> None:
    # positive_data_acceptance: the schema of a scenario's name is a text, not which scenarios there are.
    options = (*SHORT, "--exclude-checks", "ignored_auth,positive_data_acceptance")
    schemathesis(live("quickstart"), "/__admin/openapi.json", tmp_path, *options)
