"""Cassettes of the pytest plugin: the same test records and replays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from localruns.engine.recorded.recording import Reader
from tests.clients import upstreams

Run = Callable[..., pytest.RunResult]

STUDIO = "/api/v2/models/modelStudios/ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890/runs"
WALK = f"""

    @pytest.mark.localruns(cassette="nightly", vendor="palantir-foundry")
    def test_walks(localruns):
        headers = {{"Authorization": "Bearer " + localruns.credentials()["token"]}}
        with httpx.Client(headers=headers) as client:
            runs, token = [], ""
            while token is not None:
                asked = {{"preview": "true", "pageSize": "10"}} | ({{"pageToken": token}} if token else {{}})
                page = client.get(localruns.url + {STUDIO!r}, params=asked).json()
                runs, token = runs + page["data"], page.get("nextPageToken")
        assert len(runs) == 25
        localruns.assert_all_played()
        if not localruns.recording:
            localruns.walk().assert_exactly_once(runs, key="buildRid")
"""


@pytest.fixture
def platform(live: Callable[..., str]) -> str:
    return live("quickstart", auth="present")


def statuses(path: Path) -> list[int]:
    return [each.reply.status for each in Reader(path)]


def test_the_same_test_records_and_replays(
    run_tests: Run, pytester: pytest.Pytester, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALRUNS_UPSTREAM", platform)
    place = pytester.path / "recordings" / "nightly.yaml"
    run_tests(WALK, "--localruns-record=once").assert_outcomes(passed=1)
    assert statuses(place) == [200, 200, 200]
    assert "localruns-token" not in place.read_text("utf-8")
    first = place.read_bytes()
    monkeypatch.setenv("LOCALRUNS_UPSTREAM", "http://127.0.0.1:9")
    for arguments in ([], ["--localruns-record=none"], ["--localruns-record=once"]):
        run_tests(WALK, *arguments).assert_outcomes(passed=1)
    assert place.read_bytes() == first
    monkeypatch.setenv("LOCALRUNS_UPSTREAM", platform)
    run_tests(WALK, "--localruns-record=rewrite").assert_outcomes(passed=1)
    assert statuses(place) == [200, 200, 200]


def test_a_missing_cassette_says_how_to_record_it(run_tests: Run, pytester: pytest.Pytester) -> None:
    result = run_tests(WALK)
    result.assert_outcomes(errors=1)
    place = pytester.path / "recordings" / "nightly.yaml"
    how = "record it: LOCALRUNS_UPSTREAM=https://... pytest --localruns-record=once '*::test_walks'"
    result.stdout.fnmatch_lines([f"cassette 'nightly': there is no recording at {place}; {how}"])
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("mark", "arguments", "words"),
    [
        ("cassette='nightly'", ["--localruns-record=once"], "*found a cassette to be recorded without vendor=*"),
        (
            "cassette='n', vendor='naver-nsml'",
            ["--localruns-record=all"],
            "*found no platform to record, expected upstream=*",
        ),
        ("'empty', cassette='n'", [], "mark localruns: found cassette and scenario, expected one of them"),
        ("cassette='quickstart'", [], "*quickstart.yaml is no recording, expected one with the key 'recording'"),
        ("cassette=5", [], "mark localruns: cassette is 5, expected a name or a path"),
        ("cassette='n', vendor='naver'", [], "mark localruns: found the vendor 'naver', expected *"),
    ],
)
def test_a_cassette_that_cannot_be_used_is_one_clear_message(
    run_tests: Run, mark: str, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOCALRUNS_UPSTREAM", raising=False)
    result = run_tests(f"@pytest.mark.localruns({mark})\ndef test_it(localruns):\n    pass\n", *arguments)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([words])
    assert "Traceback" not in result.stdout.str()


def test_what_a_broken_run_left_behind_without_exchanges_is_recorded_once(
    run_tests: Run, pytester: pytest.Pytester, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALRUNS_UPSTREAM", platform)
    place = pytester.path / "recordings" / "nightly.yaml"
    place.parent.mkdir()
    for left in ("recording: nightly\nexchanges:\n", ""):
        place.write_text(left, "utf-8")
        run_tests(WALK, "--localruns-record=once").assert_outcomes(passed=1)
        run_tests(WALK, "--localruns-record=once").assert_outcomes(passed=1)
        run_tests(WALK).assert_outcomes(passed=1)


def test_a_cassette_is_found_by_path_and_by_name(run_tests: Run, pytester: pytest.Pytester) -> None:
    item = "- request: {method: GET, target: /api/v1/runs}\n  answer: {status: 204}\n  took_ms: 1\n"
    text = f"recording: mine\nexchanges:\n{item}"
    for folder, name in (("data", "mine.yaml"), ("recordings", "named.yaml"), ("others", "shared.yaml")):
        (pytester.path / folder).mkdir()
        (pytester.path / folder / name).write_text(text, "utf-8")
    run_tests(
        """
        @pytest.mark.localruns("empty")
        class TestAll:
            @pytest.mark.parametrize("_", [0])
            @pytest.mark.localruns(cassette="data/mine.yaml")
            def test_by_path(self, localruns, _):
                assert len(localruns.unplayed()) == 1

            @pytest.mark.localruns(cassette="named")
            def test_beside(self, localruns):
                assert len(localruns.unplayed()) == 1

            @pytest.mark.localruns(cassette="shared")
            def test_of_a_folder(self, localruns):
                assert len(localruns.unplayed()) == 1

            @pytest.mark.localruns(cassette="pai-nightly-sync.recording")
            def test_shipped(self, localruns):
                assert len(localruns.unplayed()) == 4

            def test_the_scenario_of_the_class(self, localruns):
                assert localruns.call("GET", "health")["scenario"] == "empty"
        """,
        "--localruns-scenarios=others",
    ).assert_outcomes(passed=5)


def test_while_recording_nothing_of_ours_can_be_steered(
    run_tests: Run, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOUNDRY_TOKEN", "real-token-of-mine")
    run_tests(
        f"""
        import time
        from localruns.errors import ConfigError

        @pytest.mark.localruns(cassette="one", vendor="palantir-foundry", upstream={platform!r})
        def test_it(localruns, virtual_time):
            assert localruns.credentials() == {{**localruns.credentials(), "token": "real-token-of-mine"}}
            started = time.monotonic()
            time.sleep(0.05)
            assert time.monotonic() - started >= 0.05
            for steer in (
                lambda: localruns.fault("palantir-foundry", refuse="throttled"),
                lambda: localruns.load("empty"),
                lambda: localruns.walks(),
                lambda: localruns.clock.advance(1),
                lambda: localruns.reset(),
            ):
                with pytest.raises(ConfigError, match="a recording is being made"):
                    steer()
        """,
        "--localruns-record=all",
    ).assert_outcomes(passed=1)


def test_a_shared_server_is_sent_the_cassette(run_tests: Run, platform: str) -> None:
    run_tests(
        """
        @pytest.mark.localruns(cassette="pai-nightly-sync.recording")
        def test_it(localruns):
            assert len(localruns.unplayed()) == 4
        """,
        f"--localruns-url={platform}",
    ).assert_outcomes(passed=1)


def test_what_the_recording_leaves_out_fails_the_test(
    run_tests: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = "qZ7f0PxB3vK9sLmW2yTnR8cHdJ5gUe1A"
    with upstreams.platform(lambda call: call.answer(json.dumps({"blob": odd}).encode())) as platform:
        monkeypatch.setenv("LOCALRUNS_UPSTREAM", platform.url)
        result = run_tests(
            """
            @pytest.mark.localruns(cassette="odd", vendor="naver-nsml")
            def test_it(localruns):
                assert ask(localruns).status_code == 200
            """,
            "--localruns-record=once",
        )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*1 exchanges are not in it", "*GET /nsml/v1/projects/runs*: answer.body.blob: random text*"]
    )
    assert odd not in (pytester.path / "recordings" / "odd.yaml").read_text("utf-8")
