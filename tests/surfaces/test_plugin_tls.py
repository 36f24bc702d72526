"""The fixture `localruns_tls`: a namespace per test, over HTTPS."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from localruns.surfaces.tls import file_of, tls_context
from localruns.testing import LocalRuns

Run = Callable[..., pytest.RunResult]
HEAD = """
    import ssl

    def fetch(handle, path="/nsml/v1/projects/runs"):
        names = ("x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-api-key", "x-ncp-apigw-signature-v2")
        context = ssl.create_default_context(cafile=handle.ca_pem)
        return httpx.get(handle.url + path, headers=dict.fromkeys(names, "any"), verify=context).json()
"""


def test_each_test_has_a_namespace_over_https(run_tests: Run) -> None:
    result = run_tests(f"""{HEAD}
    def test_one(localruns_tls):
        assert localruns_tls.url.startswith("https://127.0.0.1:")
        assert fetch(localruns_tls)["totalCount"] == 25
        assert len(localruns_tls.requests()) == 1

    @pytest.mark.localruns("empty")
    def test_two(localruns_tls):
        assert localruns_tls.requests() == []
        assert fetch(localruns_tls)["totalCount"] == 0

    @pytest.mark.localruns(vendors="all")
    def test_each(localruns_tls):
        assert localruns_tls.url.removeprefix("https://") in localruns_tls.url_for()

    def test_both(localruns, localruns_tls):
        assert localruns.ca_pem is None
        assert fetch(localruns_tls)["totalCount"] == 25
        assert (len(localruns.requests()), len(localruns_tls.requests())) == (0, 1)
    """)
    result.assert_outcomes(passed=7)


def test_a_failing_test_shows_what_came_over_https(run_tests: Run) -> None:
    result = run_tests(f"""{HEAD}
    def test_it(localruns_tls):
        fetch(localruns_tls)
        raise AssertionError
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*localruns: namespace test-it-*", "*naver-nsml*page 1 of runs*200*"])


def test_a_run_with_a_shared_server_has_an_https_one_of_its_own(run_tests: Run) -> None:
    with LocalRuns() as shared:
        result = run_tests(
            f"""{HEAD}
    def test_it(localruns, localruns_tls):
        assert fetch(localruns_tls)["totalCount"] == 25
        assert localruns.url.startswith("{shared.url}/")
    """,
            "--localruns-url",
            shared.url,
        )
    result.assert_outcomes(passed=1)


def test_a_private_server_can_speak_https_without_pytest() -> None:
    with LocalRuns("quickstart", tls=True) as emu:
        assert emu.ca_pem
        answer = requests.get(emu.url + "/__admin/ca.pem", verify=str(emu.ca_pem), timeout=10)
        assert answer.content == emu.ca_pem.read_bytes()
        assert emu.open("other").ca_pem == emu.ca_pem
    with LocalRuns("quickstart") as plain:
        assert plain.ca_pem is None


def test_without_a_cache_the_certificate_is_in_a_file_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    _, ca_pem = tls_context(tmp_path / "file")
    assert file_of(ca_pem, tmp_path / "file").read_bytes() == ca_pem
    _, kept = tls_context(tmp_path / "cache")
    assert file_of(kept, tmp_path / "cache") == tmp_path / "cache" / "tls" / "ca.pem"
    assert os.path.dirname(file_of(ca_pem, tmp_path / "cache")) != str(tmp_path / "cache" / "tls")
