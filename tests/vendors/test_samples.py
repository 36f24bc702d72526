"""The scenario `documented-samples` answers with the sample that each vendor's page prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from localruns.surfaces.http import App
from tests.clients.pagers import HEADERS, STUDIO

SAMPLES = Path(__file__).parent.parent / "golden" / "samples"
ASKED = {
    "alibaba-pai": "/api/v1/runs?Verbose=true",
    "naver-nsml": "/nsml/v1/projects/runs",
    "palantir-foundry": f"/api/v2/models/modelStudios/{STUDIO}/runs?configVersion=1&preview=true",
}
# A request id and a page token are never the same twice.
FREE = ("requestId", "nextPageToken")


@pytest.mark.parametrize("vendor", ASKED)
def test_the_answer_is_the_sample_of_the_page(make_app: Callable[..., App], vendor: str) -> None:
    sample = json.loads((SAMPLES / f"{vendor}.json").read_text("utf-8"))
    answer = make_app("documented-samples").test_client().get(ASKED[vendor], headers=HEADERS[vendor])
    assert answer.status_code == 200

    def held(body: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in body.items() if name not in FREE}

    assert held(answer.json) == held(sample)
