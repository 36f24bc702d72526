"""The clients of `foundry-platform-sdk`, sync and async, as the tests use them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest

from localruns.engine.journal import Entry
from localruns.surfaces.http import App
from localruns.vendors.palantir_foundry import STUDIO, VENDOR
from localruns.vendors.palantir_foundry.client import HELP

foundry_sdk = pytest.importorskip("foundry_sdk")

KEYS = HELP.keys(VENDOR.credentials())
CONFIDENTIAL = {"client_id": KEYS["client_id"], "client_secret": KEYS["client_secret"]}


def auth(token: str = KEYS["token"]) -> Any:
    return foundry_sdk.UserTokenAuth(token)


def config(**options: Any) -> Any:
    return foundry_sdk.Config(**{"scheme": "http", "backoff_slot_size_ms": 1, **options})


def sync(url: str, who: Any = None, **options: Any) -> Any:
    """The runs of the synchronous client."""
    client = foundry_sdk.FoundryClient(auth=who or auth(), hostname=HELP.base(url), config=config(**options))
    return client.models.ModelStudio.Run


async def gathered(url: str, who: Any = None, studio: str = STUDIO, **args: Any) -> list[Any]:
    """All runs that the asynchronous client lists."""
    client = foundry_sdk.AsyncFoundryClient(auth=who or auth(), hostname=HELP.base(url), config=config(), preview=True)
    runs = client.models.ModelStudio.Run
    try:
        return [run async for run in runs.list(studio, **{"preview": True, **args})]
    finally:
        await runs._api_client._client.aclose()


def ask(url: str, way: str, studio: str = STUDIO, **args: Any) -> Any:
    """A list call of the client `sync` or `async`."""
    if way == "async":
        return asyncio.run(gathered(url, studio=studio, **args))
    return sync(url).list(studio, **{"preview": True, **args})


def entries(app: App) -> list[Entry]:
    """The journal, oldest first."""
    return list(app.emulator.space("default").journal)


def keys_of(app: App) -> list[str]:
    """The row keys of all pages, in the order in which they were sent."""
    return [key for entry in entries(app) if entry.page for key in entry.page.keys]


def program(text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own, away from this checkout."""
    return subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
