"""A suite as users have it: many tests at once, each with its own data, faults, clock and journal.

Every other test is told apart by nothing but its credential, as with SDKs that can set neither path nor headers. Copied
into a folder as `test_*.py` and run there; `LOCALRUNS_SUITE_TESTS` says how many tests it has.
"""

from __future__ import annotations

import os
from typing import Any

import httpx
import pytest

from localruns.testing import Handle, Server

COUNT = int(os.environ.get("LOCALRUNS_SUITE_TESTS", "120"))
PAGE = 2


def scenario(rows: int) -> dict[str, Any]:
    fault = {"when": {"vendor": "naver-nsml", "call": 2}, "refuse": "throttled"}
    return {"scenario": f"rows-{rows}", "vendors": {"naver-nsml": {"runs": [{"generate": rows}]}}, "faults": [fault]}


@pytest.mark.parametrize("number", range(COUNT))
def test_has_a_world_of_its_own(localruns: Handle, localruns_server: Server, number: int) -> None:
    rows = 3 + number % 17
    localruns.load(scenario(rows))
    localruns.clock.freeze(f"2026-03-01T00:00:{number % 60:02}Z")
    keys = localruns.credentials("naver-nsml")
    headers = {
        "x-ncp-apigw-timestamp": "1",
        "x-ncp-iam-access-key": keys["access_key"],
        "x-ncp-apigw-api-key": keys["api_key"],
        "x-ncp-apigw-signature-v2": "any",
    }
    base = localruns.url if number % 2 else localruns_server.url
    seen, statuses, page = [], [], 1
    with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
        while len(seen) < rows:
            answer = client.get("nsml/v1/projects/runs", params={"page": page, "pageSize": PAGE})
            statuses.append(answer.status_code)
            if answer.status_code == 200:
                seen += [(row["projectId"], row["runName"]) for row in answer.json()["runList"]]
                page += 1
    assert len(set(seen)) == len(seen) == rows
    assert statuses == [200, 429, *[200] * (-(-rows // PAGE) - 1)]
    journal = localruns.requests()
    assert [entry["status"] for entry in journal] == statuses
    assert {entry["at"] for entry in journal} == {f"2026-03-01T00:00:{number % 60:02}Z"}
    assert len(localruns.waits()) == 1
