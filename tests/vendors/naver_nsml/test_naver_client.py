"""What a person copies: keys, base URL, environment, the curl line."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from localruns.vendors.naver_nsml import VENDOR
from localruns.vendors.naver_nsml.client import HELP

KEYS = {
    "access_key": "LOCALRUNSACCESSKEY01",
    "secret_key": "localruns-naver-secret",
    "api_key": "LOCALRUNSAPIKEY0001",
}


def test_the_well_known_keys():
    assert HELP.keys(VENDOR.credentials()) == KEYS


def test_keys_without_credentials_are_empty():
    assert HELP.keys([]) == {"access_key": "", "secret_key": "", "api_key": ""}


@pytest.mark.parametrize("url", ["http://127.0.0.1:8420", "http://127.0.0.1:8420/"])
def test_the_base_is_that_of_the_documented_uri(url):
    assert HELP.base(url) == "http://127.0.0.1:8420/nsml/v1"
    assert HELP.environment(url, KEYS, {}) == {"NCLOUD_API_GW": "http://127.0.0.1:8420"}


def test_the_snippet_is_a_program():
    compile(HELP.snippet("http://127.0.0.1:8420/ns/a", KEYS, {}), "snippet.py", "exec")


@pytest.mark.skipif(not (shutil.which("openssl") and shutil.which("sh")), reason="needs sh and openssl")
@pytest.mark.parametrize("prefix", ["", "/ns/default"])
def test_the_curl_line_is_signed(site, prefix):
    """A shell runs the line with a `curl` that prints its arguments."""
    line = HELP.curl("http://localhost" + prefix, KEYS, {})
    printed = subprocess.run(
        ["sh", "-c", f"curl() {{ printf '%s\\n' \"$@\"; }}\n{line}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    url = next(word for word in printed if word.startswith("http"))
    headers = dict(word.split(": ", 1) for word in printed if re.match(r"[\w-]+: ", word))

    response = site(auth="verify").get(url.removeprefix("http://localhost"), headers)
    assert response.status_code == 200
    assert len(response.get_json()["runList"]) == 5


def test_the_index_shows_the_curl_line(site):
    vendors = site().client.get("/").get_json()["vendors"]

    assert [vendor["vendor"] for vendor in vendors] == ["naver-nsml"]
    assert "x-ncp-apigw-signature-v2" in vendors[0]["curl"]
