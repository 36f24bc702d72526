"""What the vendors' clients send and get holds no secret once it is recorded, and nothing that looks like one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localruns.recordings.scanning.exchanges import scan_file
from localruns.surfaces.recorder import Recorder
from localruns.testing import LocalRuns
from localruns.vendors import all_vendors
from tests.clients.walkers import CLIENTS

pytestmark = [pytest.mark.sdk, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalRuns]:
    with LocalRuns("quickstart", auth="present") as emu:
        yield emu


@pytest.mark.parametrize("client", CLIENTS)
def test_a_recording_of_a_vendors_client_scans_clean_and_holds_none_of_its_credentials(
    platform: LocalRuns, tmp_path: Path, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    vendor, walk = CLIENTS[client]
    held, out = platform.credentials(vendor), tmp_path / "walk.yaml"
    with Recorder(vendor, platform.url, out) as recorder:
        assert walk(recorder.url, held, 10)
    assert recorder.tally.saved
    assert list(scan_file(out, all_vendors())) == []
    text = "".join(out.read_text("utf-8").split())
    assert not [name for name, value in held.items() if name != "region" and "".join(value.split()) in text]
