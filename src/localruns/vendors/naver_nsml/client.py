"""How a client is pointed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any
from urllib.parse import urlsplit

from localruns.engine.vendor import ClientHelp


def keys(credentials: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What `credentials("naver-nsml")` shows."""
    first = next(iter(credentials), {})
    return {
        "access_key": first.get("id", ""),
        "secret_key": first.get("secret", ""),
        "api_key": first.get("api_key", ""),
    }


def environment(url: str, _keys: Mapping[str, str], _resources: Mapping[str, Any]) -> Mapping[str, str]:
    """The vendor's SDKs take their gateway from this; each service appends a base path of its own."""
    return {"NCLOUD_API_GW": url.rstrip("/")}


def base(url: str) -> str:
    """The base URL of the API, to which the documented URI `/projects/runs` is appended."""
    return url.rstrip("/") + "/nsml/v1"


def snippet(url: str, keys: Mapping[str, str], _resources: Mapping[str, Any]) -> str:
    """A program that lists all runs through the generic caller of a real SDK: there is no package for NSML."""
    imports = trust = ""
    if urlsplit(url).scheme == "https":
        imports = "import os\n\n"
        trust = 'configuration.ssl_ca_cert = os.environ["SSL_CERT_FILE"]  # the SDK does not look there itself\n'
    return f"""\
# pip install ncloud-vserver==1.0.1
{imports}from ncloud_vserver import ApiClient, Configuration


class Client(ApiClient):
    \"\"\"The SDK signs as v2 but calls the header v1; NSML documents v2.\"\"\"

    def update_params_for_auth(self, method, resource_path, headers, querys, auth_settings):
        super().update_params_for_auth(method, resource_path, headers, querys, auth_settings)
        headers["x-ncp-apigw-signature-v2"] = headers.pop("x-ncp-apigw-signature-v1")


configuration = Configuration()
configuration.host = {base(url)!r}
configuration.access_key = {keys["access_key"]!r}
configuration.secret_key = {keys["secret_key"]!r}
{trust}client = Client(configuration)
page, seen = 1, 0
while True:
    body, status, headers = client.call_api(
        "/projects/runs",
        "GET",
        query_params=[("page", str(page)), ("pageSize", "10")],
        header_params={{"x-ncp-apigw-api-key": {keys["api_key"]!r}, "Content-Type": "application/json"}},
        auth_settings=["x-ncp-iam"],
        response_type="object",
    )
    for run in body["runList"]:
        print(run["projectId"], run["runName"], run["status"])
    page, seen = page + 1, seen + len(body["runList"])
    if not body["runList"] or seen >= body["totalCount"]:
        break
"""


def curl(url: str, keys: Mapping[str, str], _resources: Mapping[str, Any]) -> str:
    """One page, signed, so that it passes in the mode `verify` too; needs a shell with openssl."""
    parts = urlsplit(base(url) + "/projects/runs?page=1&pageSize=5")
    text = f"printf 'GET %s\\n%s\\n%s' '{parts.path}?{parts.query}' \"$TS\" {quote(keys['access_key'])}"
    sign = f"openssl dgst -sha256 -hmac {quote(keys['secret_key'])} -binary | openssl base64 -A"
    return (
        f"TS=$(date +%s)000; curl -s '{parts.geturl()}' -H \"x-ncp-apigw-timestamp: $TS\""
        f" -H {quote('x-ncp-iam-access-key: ' + keys['access_key'])}"
        f" -H {quote('x-ncp-apigw-api-key: ' + keys['api_key'])}"
        f" -H \"x-ncp-apigw-signature-v2: $({text} | {sign})\" -H 'Content-Type: application/json'"
    )


HELP = ClientHelp("ncloud-vserver", keys, base, environment, snippet, curl)
