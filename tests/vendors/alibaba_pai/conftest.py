"""An application with Alibaba's data only, and a signer written from the published rules alone."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from werkzeug.test import TestResponse

from localruns.engine.emulator import Emulator, Options
from localruns.surfaces.http import App
from localruns.vendors.alibaba_pai import VENDOR

KEY, SECRET = "LTAI5tLocalruns00000001", "localruns-alibaba-secret"
UNSIGNED = {"Authorization": f"ACS3-HMAC-SHA256 Credential={KEY},SignedHeaders=host,Signature=00"}
_nonces = count(1)


@dataclass
class Api:
    """One emulator, asked through Flask's test client."""

    app: App

    def ask(
        self,
        target: str = "/api/v1/runs",
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes = b"",
    ) -> TestResponse:
        """The answer to a raw request target."""
        sent = dict(UNSIGNED if headers is None else headers)
        path, _, query = target.partition("?")
        environ = {"REQUEST_URI": target, "QUERY_STRING": query, "HTTP_HOST": sent.pop("host", "localhost")}
        client = self.app.test_client(use_cookies=False)
        return client.open(path, method=method, headers=sent, data=body, environ_overrides=environ)

    def page(self, **query: Any) -> dict[str, Any]:
        """A whole answer's body."""
        answer = self.ask(f"/api/v1/runs?{urlencode(query)}")
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    def ids(self, **query: Any) -> list[str]:
        """The RunIds of a page."""
        return [run["RunId"] for run in self.page(**query)["Runs"]]

    def refused(self, **query: Any) -> tuple[int, str, str]:
        """(status, Code, Message) of a refusal."""
        return refusal(self.ask(f"/api/v1/runs?{urlencode(query)}"))

    @property
    def last(self) -> Any:
        """The last entry of the journal, whichever namespace it is in."""
        return [*self.app.emulator.space("default").journal][-1]

    @property
    def why(self) -> str:
        """The journal's reason for the last answer."""
        client = self.app.test_client()
        return str(client.get("/__admin/requests").get_json()["requests"][-1]["why"])


@dataclass
class Signer:
    """A client that signs as the published rules say."""

    key: str = KEY
    secret: str = SECRET
    extra: dict[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def headers(
        self,
        target: str = "/api/v1/runs",
        method: str = "GET",
        body: bytes = b"",
        host: str = "127.0.0.1:8420",
        prefix: str = "",
        signed_query: str | None = None,
    ) -> dict[str, str]:
        """All headers of a signed request; `prefix` is not signed, `signed_query` is signed in the query's place."""
        path, _, query = target.partition("?")
        headers = {
            "host": host,
            "x-acs-action": "ListRuns",
            "x-acs-version": "2021-02-04",
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": f"nonce-{next(_nonces)}",
            "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
            **self.extra,
        }
        headers = {name: value for name, value in headers.items() if name not in self.drop}
        signed = ";".join(sorted(headers))
        text = "\n".join(
            (
                method,
                path.removeprefix(prefix),
                canonical_query(query) if signed_query is None else signed_query,
                "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers)),
                signed,
                hashlib.sha256(body).hexdigest(),
            )
        )
        sts = f"ACS3-HMAC-SHA256\n{hashlib.sha256(text.encode()).hexdigest()}"
        signature = hmac.new(self.secret.encode(), sts.encode(), hashlib.sha256).hexdigest()
        headers["Authorization"] = (
            f"ACS3-HMAC-SHA256 Credential={self.key},SignedHeaders={signed},Signature={signature}"
        )
        return headers


def canonical_query(query: str) -> str:
    """Decoded, sorted by name, encoded again."""
    pairs = sorted(parse_qsl(query, keep_blank_values=True), key=lambda pair: pair[0])
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)


def refusal(answer: TestResponse) -> tuple[int, str, str]:
    """(status, Code, Message), once the shape of an error has been checked."""
    body = answer.get_json()
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert body["RequestId"] == answer.headers["x-acs-request-id"]
    assert body["Code"] in body["Recommend"]
    return answer.status_code, body["Code"], body["Message"]


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("alibaba-pai")


Make = Callable[..., Api]


@pytest.fixture
def make(snapshots: Path) -> Make:
    """`make(runs=..., settings=..., auth=..., ...)`: an emulator of its own; `rest` are top-level scenario keys."""

    def build(rest: Mapping[str, Any] | None = None, **part: Any) -> Api:
        scenario = {"scenario": "alibaba", "seed": 7, "vendors": {"alibaba-pai": part}, **(rest or {})}
        text = json.dumps(scenario)
        path = snapshots / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.yaml"
        path.write_text(text, encoding="utf-8")
        emulator = Emulator({VENDOR.id: VENDOR}, str(path), Options(cache=snapshots / "cache"))
        return Api(App(emulator))

    return build


@pytest.fixture
def api(make: Make) -> Api:
    """Thirty generated runs in the default workspace."""
    return make(runs=[{"generate": 30}])


@pytest.fixture
def verifying(make: Make) -> Api:
    """The same, in the mode verify."""
    return make(runs=[{"generate": 30}], auth="verify")


@pytest.fixture
def signer() -> type[Signer]:
    return Signer


@pytest.fixture
def refused() -> Callable[[TestResponse], tuple[int, str, str]]:
    return refusal
