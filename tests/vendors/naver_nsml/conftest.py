"""An application that serves naver-nsml only, and requests signed for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from localruns import yamlio
from localruns.engine.emulator import Emulator, Options
from localruns.engine.journal import Entry
from localruns.engine.namespace import Namespace
from localruns.paths import cache_dir
from localruns.surfaces.http import App
from localruns.vendors.naver_nsml import VENDOR

RUNS = "/nsml/v1/projects/runs"
ACCESS_KEY = "LOCALRUNSACCESSKEY01"
SECRET = "localruns-naver-secret"
API_KEY = "LOCALRUNSAPIKEY0001"
PRESENT = {
    "x-ncp-apigw-timestamp": "1",
    "x-ncp-iam-access-key": ACCESS_KEY,
    "x-ncp-apigw-signature-v2": "x",
    "x-ncp-apigw-api-key": API_KEY,
}


def hmac64(secret: str, text: str) -> str:
    """Base64 of the HMAC-SHA256, written independently of the product."""
    return base64.b64encode(hmac.new(secret.encode(), text.encode("latin-1"), hashlib.sha256).digest()).decode()


def signed(target: str, **change: str) -> dict[str, str]:
    """The four headers of a GET of `target`; `change` replaces parts: text, timestamp, access_key, secret, api_key."""
    timestamp = change.get("timestamp", str(time.time_ns() // 1_000_000))
    access_key = change.get("access_key", ACCESS_KEY)
    text = change.get("text", f"GET {target}\n{timestamp}\n{access_key}")
    return {
        "x-ncp-apigw-timestamp": timestamp,
        "x-ncp-iam-access-key": access_key,
        "x-ncp-apigw-signature-v2": hmac64(change.get("secret", SECRET), text),
        "x-ncp-apigw-api-key": change.get("api_key", API_KEY),
    }


@dataclass
class Site:
    """One running scenario: `get(target)` in the mode `present`, `error` what came back."""

    app: App
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    @property
    def present(self) -> dict[str, str]:
        return dict(PRESENT)

    @property
    def space(self) -> Namespace:
        return self.app.emulator.spaces["default"]

    @property
    def last(self) -> Entry:
        return list(self.space.journal)[-1]

    @property
    def detail(self) -> str:
        refusal = self.last.refusal
        return refusal.detail if refusal else ""

    def get(self, target: str = RUNS, headers: Mapping[str, str] = PRESENT, method: str = "GET") -> TestResponse:
        # The client of Werkzeug drops a bare `?` from the target that it makes itself.
        raw = {"REQUEST_URI": target.encode().decode("latin-1")}
        return self.client.open(target, method=method, headers=dict(headers), environ_overrides=raw)

    def verified(self, target: str = RUNS, **change: str) -> TestResponse:
        return self.get(target, signed(target, **change))


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Site]:
    """`site(runs=[...], settings={...}, auth=..., faults=[...])` starts a scenario."""

    def start(runs: Any = 25, *, faults: Any = (), timeline: Any = (), rate_limit: Any = None, **part: Any) -> Site:
        rows = [{"generate": runs}] if isinstance(runs, int) else runs
        content = {
            "scenario": "test",
            "seed": 1,
            "vendors": {"naver-nsml": {"runs": rows, **part}},
            "faults": list(faults),
            "timeline": list(timeline),
            **({"rate_limit": rate_limit} if rate_limit else {}),
        }
        path = tmp_path / "scenario.yaml"
        path.write_text(yamlio.dump(content), "utf-8")
        return Site(App(Emulator({VENDOR.id: VENDOR}, str(path), Options(cache=cache_dir()))))

    return start


@pytest.fixture
def sign() -> Callable[..., dict[str, str]]:
    """`sign(target, **change)`: see `signed`."""
    return signed
