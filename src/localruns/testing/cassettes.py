"""Where the cassette of a test is, and the recorder that makes one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localruns.errors import ConfigError
from localruns.testing.handle import Handle
from localruns.testing.sources import ENDINGS

if TYPE_CHECKING:
    from localruns.testing.marks import Marked

UPSTREAM = "LOCALRUNS_UPSTREAM"
FOLDER = "recordings"
_NOT_OURS = ("clock", "faults", "recording", "reset", "scenario", "walks")
_SET_BY: Mapping[str, Sequence[str]] = {
    "access_key_id": ("ALIBABA_CLOUD_ACCESS_KEY_ID",),
    "access_key_secret": ("ALIBABA_CLOUD_ACCESS_KEY_SECRET",),
    "bearer_token": ("MLFLOW_TRACKING_TOKEN",),
    "access_key": ("NCLOUD_ACCESS_KEY_ID", "NCLOUD_ACCESS_KEY"),
    "secret_key": ("NCLOUD_SECRET_KEY",),
    "api_key": ("NCLOUD_APIGW_API_KEY", "NCLOUD_API_KEY"),
    "token": ("FOUNDRY_TOKEN",),
    "client_id": ("FOUNDRY_CLIENT_ID",),
    "client_secret": ("FOUNDRY_CLIENT_SECRET",),
}


def place_of(cassette: str | Path, beside: Path) -> Path:
    """The file of a cassette: a path from the test's folder, or `recordings/NAME.yaml` in it for a name."""
    path = Path(cassette)
    if isinstance(cassette, Path) or path.suffix in ENDINGS or path.parent != Path("."):
        return beside / path
    return beside / FOLDER / f"{cassette}.yaml"


def found(cassette: str | Path, beside: Path, folders: Sequence[Path], test: str) -> Path:
    """The recording to replay: beside the test, else by name as `localruns serve` finds it. Raises ConfigError."""
    from localruns.engine.library import Library
    from localruns.engine.recorded.recording import is_recording

    place = path = place_of(cassette, beside)
    if not place.is_file():
        listed = {item.name: item.path for item in Library(folders)}
        if str(cassette) not in listed:
            how = f"record it: {UPSTREAM}=https://... pytest --localruns-record=once '{test}'"
            raise ConfigError(f"cassette {str(cassette)!r}: there is no recording at {place}; {how}")
        path = listed[str(cassette)]
    if not is_recording(path):
        raise ConfigError(f"cassette {str(cassette)!r}: {path} is no recording, expected one with the key 'recording'")
    return path


def records(mode: str, place: Path) -> bool:
    """Whether a test in that mode speaks to the platform."""
    from localruns.recordings.keeping import speaks

    return speaks(mode, place)


@contextmanager
def recording(handle: Handle, marked: Marked, place: Path, mode: Any) -> Iterator[RecordingHandle]:
    """A recorder in front of the platform that the mark or the environment names. Raises ConfigError."""
    from localruns.surfaces.recorder import Recorder

    upstream, vendor = marked.upstream or os.environ.get(UPSTREAM, ""), handle.vendor or marked.vendor
    if not vendor:
        raise ConfigError("mark localruns: found a cassette to be recorded without vendor=..., expected whose it is")
    if not upstream:
        words = f"expected upstream='https://...' in the mark, or {UPSTREAM} in the environment"
        raise ConfigError(f"cassette {str(marked.cassette)!r}: found no platform to record, {words}")
    with Recorder(vendor, upstream, place, mode=mode) as recorder:
        yield RecordingHandle(handle, recorder.url, vendor)
    if lost := [f"{item.line}: {item.why}" for item in recorder.tally.left_out]:
        raise ConfigError(f"cassette {str(marked.cassette)!r}: {len(lost)} exchanges are not in it", *lost)


class RecordingHandle(Handle):
    """A handle whose clients speak to a recorder: the platform answers, there is nothing of ours to steer or judge."""

    recording = True

    def __init__(self, handle: Handle, url: str, vendor: str) -> None:
        super().__init__(handle._control, handle.name, url, handle._sources, vendor)

    def call(self, method: str, path: str, content: object = None, **query: Any) -> Any:
        """What the control API answers. Raises ConfigError for what would steer or judge the platform."""
        if (noun := path.partition("/")[0]) in _NOT_OURS:
            words = f"{noun}: a recording is being made, the platform answers and not localruns"
            raise ConfigError(f"{words}; a test can ask `localruns.recording` first")
        return super().call(method, path, content, **query)

    def credentials(self, vendor: str = "") -> dict[str, str]:
        """What the environment holds for that vendor's clients; for what is not set, the same as in replay."""
        known = super().credentials(vendor)
        return {key: next(filter(None, map(os.environ.get, _SET_BY.get(key, ()))), known[key]) for key in known}

    def unplayed(self) -> list[str]:
        """Nothing: what is being recorded is not played."""
        return []

    def assert_all_played(self) -> None:
        """Nothing to assert while recording."""

    def absorb(self, seconds: float) -> None:
        """Sleep: the platform's time cannot be moved."""
        from localruns.testing.sleeping import real_sleep

        real_sleep(seconds)
