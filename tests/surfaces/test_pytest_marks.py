"""The mark of the pytest plugin, in test runs of its own."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

Run = Callable[..., pytest.RunResult]

SIX = {"scenario": "six", "vendors": {"naver-nsml": {"runs": [{"generate": 6}]}}}


def test_a_mark_says_what_a_test_begins_with(run_tests: Run, pytester: pytest.Pytester) -> None:
    pytester.mkdir("elsewhere")
    (pytester.path / "six.yaml").write_text(json.dumps(SIX), "utf-8")
    result = run_tests(f"""
        @pytest.mark.localruns("empty")
        class TestMarked:
            def test_of_the_class(self, localruns):
                assert ask(localruns).json()["totalCount"] == 0

            @pytest.mark.localruns("six.yaml")
            def test_the_closest_wins(self, localruns, monkeypatch):
                assert ask(localruns).json()["totalCount"] == 6
                monkeypatch.chdir("elsewhere")
                localruns.load("six.yaml")

        @pytest.mark.localruns({SIX!r})
        def test_of_a_mapping(localruns):
            assert ask(localruns).json()["totalCount"] == 6
            localruns.load("quickstart")
            assert ask(localruns).json()["totalCount"] == 25
    """)
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("'quickstrat'", "no scenario 'quickstrat', did you mean 'quickstart'?*"),
        ("'six.yaml'", "six.yaml: no such file, looked for it in *"),
        ("'a', 'b'", "mark localruns: found 'b', expected localruns(scenario, *, vendors, cassette, upstream, vendor)"),
        (
            "vendr='all'",
            "mark localruns: found vendr, expected localruns(scenario, *, vendors, cassette, upstream, vendor)",
        ),
        ("vendors=4", "mark localruns: vendors is 4, expected 'all' or a list of names"),
        ("vendors=['naver']", "*mark localruns: found the vendor 'naver', expected 'all' or of: alibaba-pai, *"),
    ],
)
def test_a_mark_that_cannot_be_used_is_one_clear_message(run_tests: Run, mark: str, words: str) -> None:
    result = run_tests(f"@pytest.mark.localruns({mark})\ndef test_it(localruns):\n    pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([words])
    assert "Traceback" not in result.stdout.str()
    assert "localruns_server" not in result.stdout.str()


def test_a_test_runs_once_per_vendor(run_tests: Run) -> None:
    result = run_tests(
        """
        @pytest.mark.localruns(vendors="all")
        def test_all(localruns):
            assert localruns.vendor
            assert localruns.credentials() == localruns.credentials(localruns.vendor)
            assert localruns.url_for() == localruns.url_for(localruns.vendor)

        @pytest.mark.localruns("empty", vendors=["naver-nsml", "oracle-aidp"])
        def test_two(localruns):
            pass

        def test_none(localruns):
            assert localruns.vendor == ""
        """,
        "-v",
    )
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(["*::test_all?palantir-foundry? PASSED*", "*::test_two?oracle-aidp? PASSED*"])
