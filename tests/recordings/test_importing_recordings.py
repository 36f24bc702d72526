"""Each vendor's real client is recorded, the recording becomes a scenario, and the client walks that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localruns.surfaces.recorder import Recorder
from localruns.testing import LocalRuns
from tests.clients.walkers import CLIENTS
from tests.recordings.test_importing_har import run
from tests.recordings.test_importing_vcr import alike

pytestmark = [pytest.mark.sdk, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalRuns]:
    """What plays the real platforms."""
    with LocalRuns("quickstart") as emu:
        yield emu


@pytest.fixture(autouse=True)
def _no_credentials_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")


@pytest.mark.parametrize("client", CLIENTS)
def test_the_client_gets_the_same_pages_and_others_from_the_scenario(
    platform: LocalRuns, tmp_path: Path, client: str
) -> None:
    vendor, walk = CLIENTS[client]
    keys, recording, scenario = platform.credentials(vendor), tmp_path / "walk.yaml", tmp_path / "scenario.yaml"
    with Recorder(vendor, platform.url, recording) as recorder:
        pages = walk(recorder.url, keys, 10)
    assert [len(page) for page in pages] == [10, 10, 5]

    result = run(recording, "--out", scenario)
    assert f"{vendor}: 1 walk, 3 pages, 25 rows, 0 errors; page sizes 10" in result.stdout
    assert result.stderr == ""
    with LocalRuns(str(scenario)) as emu:
        again = walk(emu.url, keys, 10)
        for size in (7, 100):
            assert [row for page in walk(emu.url, keys, size) for row in page] == [
                row for page in again for row in page
            ]
    assert alike(pages, again)
