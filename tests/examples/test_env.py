"""What `localruns env` prints, run as it stands: each program and each curl line against a live server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localruns import yamlio
from localruns.surfaces.http import App
from localruns.vendors import IDS, all_vendors

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl"),
]

EACH_VENDOR = pytest.mark.parametrize("vendor", IDS)
MODULES = {
    "alibaba-pai": ("alibabacloud_aiworkspace20210204",),
    "oracle-aidp": ("aidp_python_client", "mlflow"),
    "naver-nsml": ("ncloud_vserver",),
    "palantir-foundry": ("foundry_sdk",),
}
# What a program prints before the rows of each of its ways of listing.
WAYS = {
    "alibaba-pai": [],
    "oracle-aidp": ["# with aidp-python-client", "# with MLflow"],
    "naver-nsml": [],
    "palantir-foundry": ["# with UserTokenAuth", "# with ConfidentialClientAuth"],
}
# Programs that take from the environment what `--only exports` puts there, and print a row key per line. Two SDKs read
# a part only: Alibaba's the keys, not the endpoint; NAVER's the gateway, not the keys. The programs name the rest.
RELYING = {
    "alibaba-pai": """
from alibabacloud_aiworkspace20210204.client import Client
from alibabacloud_aiworkspace20210204.models import ListRunsRequest
from alibabacloud_credentials.client import Client as Credentials
from alibabacloud_tea_openapi.utils_models import Config
client = Client(Config(credential=Credentials(), endpoint="{netloc}", protocol="http"))
for run in client.list_runs(ListRunsRequest(max_results=100)).body.runs:
    print(run.run_id)
""",
    "oracle-aidp": """
import mlflow
for run in mlflow.search_runs(["1", "2"], output_format="list"):
    print(run.info.run_id)
""",
    "naver-nsml": """
from ncloud_vserver import ApiClient, Configuration
configuration = Configuration()
configuration.host = configuration.host.replace("/vserver/v2", "/nsml/v1")
configuration.access_key, configuration.secret_key = "LOCALRUNSACCESSKEY01", "localruns-naver-secret"
class Client(ApiClient):
    def update_params_for_auth(self, method, path, headers, *rest):
        super().update_params_for_auth(method, path, headers, *rest)
        headers["x-ncp-apigw-signature-v2"] = headers.pop("x-ncp-apigw-signature-v1")
keys = {{"x-ncp-apigw-api-key": "LOCALRUNSAPIKEY0001"}}
query = [("pageSize", "100")]
for run in Client(configuration).call_api("/projects/runs", "GET", query_params=query, header_params=keys,
                                          auth_settings=["x-ncp-iam"], response_type="object")[0]["runList"]:
    print(run["projectId"] + "/" + run["runName"])
""",
    "palantir-foundry": """
from foundry_sdk import FoundryClient
studio = "ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890"
for run in FoundryClient().models.ModelStudio.Run.list(studio, preview=True):
    print(run.build_rid)
""",
}


def run(*command: str, given: str = "") -> str:
    """What a command prints; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "FOUNDRY_"))}
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, env=environment, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def printed(url: str, vendor: str, only: str, scenario: str = "quickstart") -> str:
    """What the real command line prints."""
    return run(
        *(sys.executable, "-m", "localruns.surfaces.cli", "env", scenario),
        *("--url", url, "--vendor", vendor, "--only", only),
    )


def needs(vendor: str) -> None:
    for module in MODULES[vendor]:
        pytest.importorskip(module)


def sections(text: str) -> dict[str, list[str]]:
    """The lines of a program's output under each of its `# ...` headings."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if line.startswith("# "):
            heading = line
        else:
            found.setdefault(heading, []).append(line)
    return found


def page_keys(vendor: str, line: str) -> set[str]:
    """The row keys of the page that a curl line brings."""
    body = json.loads(run("bash", "-c", line))
    page = next(value for value in body.values() if isinstance(value, list))
    return {all_vendors()[vendor].rows.key(row) for row in page}


@pytest.fixture(scope="module")
def rows() -> dict[str, list[str]]:
    """The row keys of quickstart, which each vendor's rows begin with in what a program prints."""
    from localruns.engine.emulator import Emulator, Options
    from localruns.engine.query import Cut, Query
    from localruns.paths import cache_dir

    space = Emulator(all_vendors(), "quickstart", Options(cache_dir())).space("default")
    scopes = {vendor: [*all_vendors()[vendor].scopes(space.scenario.sites[vendor].resources), ""][0] for vendor in IDS}
    return {
        vendor: sorted(space.store.page(Query(vendor, scopes[vendor], (), ()), 0, Cut(0, 100), _shape(vendor)).keys)
        for vendor in IDS
    }


def _shape(vendor: str) -> str:
    return next(iter(all_vendors()[vendor].rows.shapes))


@EACH_VENDOR
def test_each_program_lists_every_run_once(live: Callable[..., str], make_app: Any, vendor: str) -> None:
    needs(vendor)
    app: App = make_app("quickstart", auth="verify")

    output = sections(run(sys.executable, "-", given=printed(live(app), vendor, "snippet")))

    assert list(output) == (WAYS[vendor] or [""])
    assert all(len(lines) == len(set(lines)) == 25 for lines in output.values())
    entries = [entry for entry in app.emulator.space("default").journal if entry.page]
    sent = [key for entry in entries for key in entry.page.keys]
    assert all(sent.count(key) == len(output) for key in sent)
    assert len(entries) == 3 * len(output)


@EACH_VENDOR
def test_a_program_finds_what_its_sdk_reads_in_the_exports(
    live: Callable[..., str], rows: dict[str, list[str]], vendor: str
) -> None:
    needs(vendor)
    url = live("quickstart", auth="verify")
    program = RELYING[vendor].format(netloc=url.removeprefix("http://"))

    listed = run("bash", "-c", 'eval "$0"; exec "$1" -', printed(url, vendor, "exports"), sys.executable, given=program)

    assert sorted(listed.split()) == rows[vendor]


@EACH_VENDOR
def test_the_curl_line_brings_a_page(live: Callable[..., str], rows: dict[str, list[str]], vendor: str) -> None:
    app_url = live("quickstart", auth="present" if vendor == "alibaba-pai" else "verify")
    line = printed(app_url, vendor, "curl")

    keys = page_keys(vendor, line)

    assert len(keys) == 5
    assert keys < set(rows[vendor])


def test_the_curl_line_that_cannot_be_signed_says_so(live: Callable[..., str]) -> None:
    url = live("quickstart", auth="verify")
    line = printed(url, "alibaba-pai", "curl")
    assert line.startswith("# for the mode present;")
    assert json.loads(run("bash", "-c", line))["Code"] == "IncompleteSignature"


PLATFORM = "ocid1.aidataplatform.oc1.iad.mine"
STUDIO = "ri.models.main.model-studio.mine"
MINE: dict[str, Any] = {
    "alibaba-pai": {
        "resources": {"workspaces": {"1": None}},
        "credentials": [{"id": "STS.x", "secret": "y", "token": "z"}, {"id": "k", "secret": 'it\'s \\ "it"'}],
        "runs": [{"generate": 25, "set": {"WorkspaceId": "1"}}],
    },
    "oracle-aidp": {
        "resources": {"platforms": {PLATFORM: {"workspaces": {"team one": {"experiments": ["7", {"id": "8"}]}}}}},
        "credentials": [
            {"id": "ocid1.tenancy.oc1..t/ocid1.user.oc1..u", "public_key": "shared"},
            {"id": "b", "token": "mine"},
        ],
        "runs": [{"generate": 25, "set": {"info": {"experiment_id": "8"}}}],
    },
    "naver-nsml": {"credentials": [{"id": "it's", "secret": "a $ 'b\\", "api_key": 'c"'}], "runs": [{"generate": 25}]},
    "palantir-foundry": {
        "resources": {"studios": {STUDIO: None}},
        "credentials": [{"id": "bare"}, {"id": "it's", "secret": "a\\'b"}],
        "runs": [{"generate": 25}],
    },
}


@EACH_VENDOR
def test_programs_and_curl_lines_take_what_the_scenario_declares(
    live: Callable[..., str], tmp_path: Path, vendor: str
) -> None:
    needs(vendor)
    path = tmp_path / "mine.yaml"
    part = {"auth": "verify", "credentials_only": True, **MINE[vendor]}
    path.write_text(yamlio.dump({"scenario": "mine", "vendors": {vendor: part}}), "utf-8")
    url = live(str(path))

    output = sections(run(sys.executable, "-", given=printed(url, vendor, "snippet", str(path))))
    assert [len(set(lines)) for lines in output.values()] == [25] * (len(WAYS[vendor]) or 1)
    if vendor != "alibaba-pai":
        assert len(page_keys(vendor, printed(url, vendor, "curl", str(path)))) == 5


@EACH_VENDOR
def test_a_scenario_without_credentials_prints_all_the_same(
    live: Callable[..., str], tmp_path: Path, vendor: str
) -> None:
    path = tmp_path / "nobody.yaml"
    part = {"credentials_only": True, "credentials": [], "runs": [{"generate": 5}]}
    path.write_text(yamlio.dump({"scenario": "nobody", "vendors": {vendor: part}}), "utf-8")
    for only in ("snippet", "exports", "curl"):
        assert printed("http://127.0.0.1:1", vendor, only, str(path))
    compile(printed("http://127.0.0.1:1", vendor, "snippet", str(path)), "snippet", "exec")
