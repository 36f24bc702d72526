"""A real MLflow server, recorded, replayed when it is gone, and held against our emulation of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks import real_mlflow
from benchmarks.processes import Failed
from localruns.engine.recorded.recording import Reader
from localruns.surfaces.cli import cli
from localruns.surfaces.recorder import Recorder
from localruns.testing import LocalRuns
from tests.clients import mlflow_surface

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning"),
]
pytest.importorskip("mlflow")

RUNS = 60
WALKS = mlflow_surface.CLIENT_WALKS
Pages = list[list[str]]


@dataclass(frozen=True)
class Taped:
    """What a real server answered. Shape: `pages` of each walk of MLflow's client, `errors` that it saw; `odd` are the
    server's accidents."""

    file: Path
    odd: Path
    experiment: str
    pages: list[Pages]
    errors: list[tuple[str, int]]


@pytest.fixture(scope="module", autouse=True)
def _at_once() -> Iterator[None]:
    """MLflow's client asks each request once, with a token, which must not get into the recording."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        patch.setenv("MLFLOW_TRACKING_TOKEN", "a-token-that-is-secret")
        yield


@pytest.fixture(scope="module")
def taped(tmp_path_factory: pytest.TempPathFactory) -> Taped:
    """The recording of the whole documented surface, made through `localruns record`; the server is gone."""
    try:
        real_mlflow.interpreter()
    except Failed as missing:
        pytest.skip(str(missing))
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.yaml"
    with real_mlflow.serving(real_mlflow.some_runs(RUNS)) as server:
        mlflow_surface.stir(server.url, server.experiment)
        with Recorder("oracle-aidp", server.url, file) as recorder:
            mlflow_surface.use(recorder.url, server.experiment)
            pages = [mlflow_surface.client_pages(recorder.url, server.experiment, **walk) for walk in WALKS]
            errors = mlflow_surface.client_errors(recorder.url, server.experiment)
        assert not recorder.tally.left_out
        odd = file.with_name("odd.yaml")
        with Recorder("oracle-aidp", server.url, odd) as recorder:
            for text in mlflow_surface.QUIRKS:
                mlflow_surface.Plain(recorder.url).post(mlflow_surface.PATHS[0], text)
        return Taped(file, odd, server.experiment, pages, errors)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=False)


def test_the_recording_holds_what_was_walked(taped: Taped) -> None:
    assert [len(page) for page in taped.pages[1]] == [7] * 9  # 60 runs, and three of the stirred ones are active
    assert all(chain(*pages) for pages in taped.pages[:-1])
    assert taped.pages[-1] == [[]]
    assert len(taped.errors) == len(mlflow_surface.CLIENT_BAD)
    assert {exchange.reply.status for exchange in Reader(taped.file)} == {200, 400}
    assert "a-token-that-is-secret" not in taped.file.read_text("utf-8")


def test_the_client_gets_the_same_pages_and_errors_when_the_server_is_gone(taped: Taped) -> None:
    with LocalRuns(taped.file) as served:
        for walk, pages in zip(WALKS, taped.pages, strict=True):
            assert mlflow_surface.client_pages(served.url, taped.experiment, **walk) == pages
        assert mlflow_surface.client_errors(served.url, taped.experiment) == taped.errors
        mlflow_surface.use(served.url, taped.experiment)
        served.assert_all_played()


def test_our_emulation_answers_the_same_over_the_documented_surface(taped: Taped) -> None:
    result = run("verify", taped.file, "--format", "json")
    told = json.loads(result.stdout)
    assert not [each for each in told["exchanges"] if each["result"] != "same"]
    assert (result.exit_code, told["good"]) == (0, True)
    assert told["counts"]["same"] == len(list(Reader(taped.file))) > 100


def test_accidents_of_the_server_are_shown_and_not_repeated(taped: Taped) -> None:
    result = run("verify", taped.odd, "--format", "json")
    told = json.loads(result.stdout)
    shown = [[each["pointer"] for each in outcome["differences"]] for outcome in told["exchanges"]]
    assert (result.exit_code, shown) == (1, [["status"]] * len(mlflow_surface.QUIRKS))
    assert [exchange.reply.status for exchange in Reader(taped.odd)] == [*mlflow_surface.QUIRKS.values()]


def test_nothing_has_drifted_from_our_claims(taped: Taped) -> None:
    result = run("drift", taped.file, "--vendor", "oracle-aidp", "--format", "json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["findings"]) == (0, [])


def test_as_a_scenario_other_page_sizes_get_every_run_once(taped: Taped, tmp_path: Path) -> None:
    out = tmp_path / "rebuilt.yaml"
    result = run("import", taped.file, "--as", "scenario", "--out", out)
    assert result.exit_code == 0, result.output
    whole = [*chain(*taped.pages[1])]
    with LocalRuns(out) as served:
        for size in (3, 11, 1000):
            pages = mlflow_surface.client_pages(served.url, taped.experiment, size)
            assert [*chain(*pages)] == whole
            assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
        for walk, pages in zip(WALKS, taped.pages, strict=True):
            assert mlflow_surface.client_pages(served.url, taped.experiment, **walk) == pages
