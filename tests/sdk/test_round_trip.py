"""A strict localruns plays the platform, the recorder stands in front of it, and each vendor's real client walks; then
the platform is gone, and the client gets the same from the recording."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from localruns.engine.recorded.recording import Reader
from localruns.recordings.rebuilding.scenario import rebuild
from localruns.surfaces.recorder import Recorder
from localruns.testing import LocalRuns
from localruns.vendors import all_vendors
from tests.clients.redacted import alike
from tests.clients.walkers import CLIENTS, Pages, alibaba

pytestmark = [pytest.mark.sdk, pytest.mark.filterwarnings("ignore")]

EACH = pytest.mark.parametrize("client", CLIENTS)


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalRuns]:
    """What plays the real platforms: every signature is verified."""
    with LocalRuns("quickstart", auth="verify") as emu:
        yield emu
    gc.collect()


@pytest.fixture(autouse=True)
def _no_credentials_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def other_key() -> str:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from localruns.vendors.oracle_aidp.keys import private_pem

    return private_pem(rsa.generate_private_key(65537, 2048))


@pytest.fixture
def keys(platform: LocalRuns, other_key: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`keys(client)`: what the client holds. Where signatures cover the host these are not the real ones, which stand
    in the environment."""

    def prepare(client: str, *, real: bool = True) -> Mapping[str, str]:
        held = platform.credentials(CLIENTS[client][0])
        if client == "alibaba-pai":
            if real:
                monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", held["access_key_id"])
                monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", held["access_key_secret"])
            return {"access_key_id": "LTAI5tSomebodyElse00001", "access_key_secret": "placeholder"}
        if client == "oracle-aidp":
            for name in ("tenancy", "user", "fingerprint", "key_content") if real else ():
                monkeypatch.setenv(f"OCI_CLI_{name.upper()}", held[name])
            mark = ":".join(["00"] * 16)
            return {**held, "user": "ocid1.user.oc1..nobody", "fingerprint": mark, "key_content": other_key}
        return held

    return prepare


def record(platform: LocalRuns, client: str, keys: Mapping[str, str], out: Path, size: int = 10) -> Pages:
    vendor, walk = CLIENTS[client]
    with Recorder(vendor, platform.url, out) as recorder:
        pages = walk(recorder.url, keys, size)
    assert [item.why for item in recorder.tally.left_out] == []
    assert recorder.tally.saved == len(pages) + (client == "foundry-oauth")
    return pages


@EACH
def test_the_same_pages_come_from_the_recording_when_the_platform_is_gone(
    platform: LocalRuns, keys: Any, tmp_path: Path, client: str
) -> None:
    held, out = keys(client), tmp_path / "walk.yaml"
    vendor, walk = CLIENTS[client]
    pages = record(platform, client, held, out)
    assert [len(page) for page in pages] == [10, 10, 5]

    with LocalRuns(out) as served:
        assert alike(pages, walk(served.url, held, 10))
        served.assert_all_played()
    with Recorder(vendor, "", out, "none") as recorder:
        assert alike(pages, walk(recorder.url, held, 10))
    statuses = [exchange.reply.status for exchange in Reader(out)]
    assert (recorder.tally.replayed, recorder.tally.missed) == (len(statuses), 0)
    assert set(statuses) == {200}


@EACH
def test_as_a_scenario_the_recording_answers_other_page_sizes_with_every_row_once(
    platform: LocalRuns, keys: Any, tmp_path: Path, client: str
) -> None:
    held, out = keys(client), tmp_path / "walk.yaml"
    walk = CLIENTS[client][1]
    pages = record(platform, client, held, out)
    rebuilt = rebuild(Reader(out), "rebuilt", all_vendors())

    with LocalRuns(rebuilt.text, auth="off") as served:
        for size in (1, 7, 10, 1000):
            again = walk(served.url, held, size)
            assert [len(page) for page in again] == [*[size] * (25 // size), *[25 % size] * (25 % size > 0)]
            assert alike([*chain(*pages)], [*chain(*again)])


@pytest.mark.parametrize("client", ["alibaba-pai", "oracle-aidp"])
def test_without_real_credentials_the_platforms_refusal_is_recorded(
    platform: LocalRuns, keys: Any, tmp_path: Path, client: str, caplog: pytest.LogCaptureFixture
) -> None:
    vendor, walk = CLIENTS[client]
    held, out = keys(client, real=False), tmp_path / "refused.yaml"
    with Recorder(vendor, platform.url, out) as recorder:
        for _ in range(2):
            with pytest.raises(Exception, match=r"InvalidAccessKeyId|NotAuthenticated"):
                walk(recorder.url, held, 10)
    assert [exchange.reply.status for exchange in Reader(out)] in ([404, 404], [401, 401])
    said = [entry.message for entry in caplog.records if "real credentials" in entry.message]
    assert len(said) == 1


def test_the_older_form_of_alibabas_signature_reaches_the_platform_in_the_current_one(
    platform: LocalRuns, keys: Any, tmp_path: Path
) -> None:
    held = keys("alibaba-pai")
    with Recorder("alibaba-pai", platform.url, tmp_path / "old.yaml") as recorder:
        pages = alibaba(recorder.url, held, signature_algorithm="v2")
    assert [len(page) for page in pages] == [10, 10, 5]
    asked = [exchange.request.header("authorization") or "" for exchange in Reader(tmp_path / "old.yaml")]
    assert all(value.startswith("acs ") for value in asked)


def test_a_path_before_the_real_one_is_kept_and_signed(platform: LocalRuns, keys: Any, tmp_path: Path) -> None:
    held, out = keys("oracle-aidp"), tmp_path / "based.yaml"
    vendor, walk = CLIENTS["oracle-aidp"]
    with Recorder(vendor, f"{platform.url}/ns/default/", out) as recorder:
        assert sum(map(len, walk(recorder.url, held, 10))) == 25
    assert all(exchange.request.target.startswith("/20260430/") for exchange in Reader(out))
