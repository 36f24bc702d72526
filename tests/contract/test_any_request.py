"""Whatever comes below a vendor's prefixes, the answer is one that its document describes, and never a defect.

`LOCALRUNS_EXAMPLES=50000 pytest tests/contract/test_any_request.py` looks further, at other requests each time.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localruns.engine.emulator import split_namespace
from localruns.reports.words import as_json
from localruns.surfaces.http import App
from localruns.vendors import IDS, all_vendors
from tests.clients.pagers import HEADERS, PAGERS
from tests.contract.strategies import RESOURCES, sent
from tests.contract.vendor_parts import PARTS
from tests.contract.wire import PROBLEM, Documented, Got, Sent, send

EXAMPLES = int(os.environ.get("LOCALRUNS_EXAMPLES", "3000"))
PROFILE = settings(
    max_examples=EXAMPLES,
    derandomize="LOCALRUNS_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
FORM = (
    b"grant_type=client_credentials&client_id=localruns-client&client_secret=localruns-foundry-secret"
    b"&scope=offline_access"
)

# Errors that a vendor's run comes to a dozen times and more; else the requests do not reach deep enough. Which
# requests are drawn hangs on what else has been imported, so what is met less often may be missing.
REACHED = {
    "alibaba-pai": {"InvalidParameter", "MissingAccessKeyId", "IncompleteSignature",
                    "InvalidApi.NotFound", "InvalidSecurityToken.Malformed"},
    "oracle-aidp": {"InvalidParameter", "CannotParseRequest", "MissingParameter", "NotAuthenticated",
                    "MethodNotAllowed", "NotAuthorizedOrNotFound", "NotFound"},
    "naver-nsml": {"100", "200", "300", "400", "406"},
    "palantir-foundry": {"Default:InvalidArgument", "ApiFeaturePreviewUsageOnly", "InvalidPageSize",
                         "InvalidPageToken", "MissingCredentials",
                         "Conjure:MalformedCredentials", "ModelStudioNotFound", "ModelStudioConfigVersionNotFound",
                         "invalid_request", "unsupported_grant_type", "invalid_client"},
}  # fmt: skip


def tokens_of(app: App, vendor: str) -> list[str]:
    """Tokens that the application has given out."""
    if vendor in ("alibaba-pai", "naver-nsml"):
        return []
    pager = next(each for each in PAGERS if each.vendor == vendor)
    tokens = [pager.page(app.test_client(), 5).next]
    if vendor == "palantir-foundry":
        given_out = json.loads(send(app, Sent("POST", "/multipass/api/oauth2/token", (), FORM)).body)
        tokens += [given_out["access_token"], given_out["refresh_token"]]
    return tokens


def code_of(got: Got) -> str:
    """What an error calls itself."""
    if not got.body or got.kind == PROBLEM:
        return f"{got.status} {got.kind}"
    body = json.loads(got.body)
    body = body.get("error") if isinstance(body.get("error"), dict) else body
    names = ("Code", "code", "errorCode" if "message" in body else "errorName", "error")
    return str(next((body[name] for name in names if name in body), got.status))


@pytest.mark.timeout(300 + EXAMPLES // 5)
@pytest.mark.parametrize("vendor", IDS)
def test_anything_is_answered_as_described(make_app: Callable[..., App], vendor: str) -> None:
    apps = {auth: make_app("quickstart", auth=auth) for auth in ("present", "off", "verify")}
    document = apps["present"].test_client().get(f"/__admin/openapi/{vendor}.json").json
    described, reached, rows = Documented(vendor, document), Counter[str](), Counter[int]()
    requests = sent(all_vendors()[vendor], RESOURCES[vendor], PARTS[vendor](tokens_of(apps["present"], vendor)))

    @PROFILE
    @given(st.sampled_from(["present", "present", "present", "off", "verify"]), requests)
    def check(auth: str, request: Sent) -> None:
        app = apps[auth]
        got = send(app, request)
        _, path = split_namespace("/" + request.target.removeprefix("http://elsewhere").partition("?")[0].lstrip("/"))
        entry = next(iter(reversed(list(app.emulator.space("default").journal))), None)
        asked = any(name.lower() == "prefer" for name, _ in request.headers)
        assert got.status < 500 or asked or (got.status == 501 and got.kind == PROBLEM)
        if entry is not None:
            assert not entry.defect, entry.defect
            orjson.dumps(as_json(entry))
        if path.startswith(tuple(all_vendors()[vendor].prefixes)):
            described.check(request, path, got)
        reached[code_of(got) if got.status != 200 else "200"] += 1
        rows[len(entry.page.rows) if got.status == 200 and entry and entry.page else -1] += 1

    check()
    print(vendor, dict(reached.most_common()), f"{described.checked} bodies", len(rows), "page lengths")
    assert EXAMPLES < 3000 or not REACHED[vendor] - set(reached)
    assert reached["200"] > EXAMPLES / 10
    assert EXAMPLES < 3000 or len(rows) > 10  # pages of many lengths, so filters and sizes mattered


def test_credentials_of_the_tests_are_accepted(make_app: Callable[..., App]) -> None:
    for pager in PAGERS:
        assert pager.page(make_app("quickstart").test_client(), 3).rows, HEADERS[pager.vendor]
