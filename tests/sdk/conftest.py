"""A server for the SDK of Palantir Foundry."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localruns.surfaces.http import App

Foundry = Callable[..., tuple[str, App]]


@pytest.fixture
def foundry(make_app: Callable[..., App], live: Callable[[App], str]) -> Iterator[Foundry]:
    """`foundry(...)` takes what a vendor's part of a scenario takes: (base URL, app)."""
    http_client = pytest.importorskip("foundry_sdk._core.http_client")

    def start(faults: Any = None, **part: Any) -> tuple[str, App]:
        scenario: dict[str, Any] = {"scenario": "sdk", "seed": 1}
        scenario["vendors"] = {"palantir-foundry": {"runs": [{"generate": 25}], **part}}
        scenario |= {"faults": faults} if faults else {}
        app = make_app(scenario)
        return live(app), app

    yield start
    # The SDK keeps its connections for the life of the process.
    http_client._get_transport(verify=True, proxy_url=None).close()
    gc.collect()
