"""A Foundry with the scenario a test asks for, through Flask's test client."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from localruns.engine.journal import Entry
from localruns.reports.words import why
from localruns.surfaces.http import App

STUDIO = "ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890"
OTHER = "ri.models..model-studio.other"
BEARER = {"Authorization": "Bearer localruns-token"}
TOKEN = "/multipass/api/oauth2/token"
REVOKE = "/multipass/api/oauth2/revoke_token"


class Foundry:
    """One app, asked as a client would."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.http = app.test_client()
        self.space = app.emulator.space("default")

    def runs(
        self, studio: str = STUDIO, headers: Mapping[str, str] | None = None, preview: str | None = "true", **args: Any
    ) -> TestResponse:
        """One request for the runs of a studio."""
        query = [*args.items(), *([] if preview is None else [("preview", preview)])]
        text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query)
        path = f"/api/v2/models/modelStudios/{quote(studio, safe='')}/runs"
        return self.http.get(f"{path}?{text}", headers=BEARER if headers is None else headers)

    def walk(self, **args: Any) -> list[list[str]]:
        """The build RIDs of each page, to the last."""
        pages, token = [], {}
        while True:
            answer = self.runs(**args, **token).json
            pages.append([row["buildRid"] for row in answer["data"]])
            if "nextPageToken" not in answer:
                return pages
            assert re.fullmatch(r"v1\.[A-Za-z0-9_-]+=*", answer["nextPageToken"])
            token = {"pageToken": answer["nextPageToken"]}

    def token(self, headers: Mapping[str, str] | None = None, **form: str) -> TestResponse:
        """One request for a token, as the well-known client unless the form says otherwise."""
        known = {
            "grant_type": "client_credentials",
            "client_id": "localruns-client",
            "client_secret": "localruns-foundry-secret",
        }
        fields = {name: value for name, value in {**known, **form}.items() if value}
        return self.http.post(TOKEN, data=fields, headers=headers)

    def refused(self, answer: TestResponse) -> tuple[int, str, dict[str, Any]]:
        """(status, name, parameters) of an error in Conjure's form."""
        body = answer.json
        assert set(body) == {"errorCode", "errorName", "errorInstanceId", "parameters"}
        assert answer.content_type == "application/json"
        return answer.status_code, body["errorName"], body["parameters"]

    @property
    def last(self) -> Entry:
        """The newest entry of the journal."""
        return list(self.space.journal)[-1]

    @property
    def why(self) -> str:
        """The reason that the journal gives for the newest answer."""
        return why(self.last)


@pytest.fixture
def foundry(make_app: Callable[..., App]) -> Callable[..., Foundry]:
    """`foundry(runs=[...], auth="verify", settings={...}, faults=[...], ...)`; 25 generated runs unless told."""

    def start(faults: Any = None, timeline: Any = None, seed: int = 1, **part: Any) -> Foundry:
        scenario: dict[str, Any] = {"scenario": "test", "seed": seed}
        scenario["vendors"] = {"palantir-foundry": {"runs": [{"generate": 25}], **part}}
        scenario |= {key: value for key, value in (("faults", faults), ("timeline", timeline)) if value}
        return Foundry(make_app(scenario))

    return start
