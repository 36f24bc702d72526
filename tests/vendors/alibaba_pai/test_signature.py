"""Mode verify: mount prefixes, dates and nonces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localruns import clock


@pytest.mark.parametrize(("signs_prefix", "word"), [(False, "without"), (True, "with")])
def test_a_prefix_may_be_signed_or_not_and_the_journal_says_which(
    verifying: Any, signer: Any, signs_prefix: bool, word: str
) -> None:
    target, host = "/ns/default/api/v1/runs?PageSize=2", "127.0.0.1:8420/ns/default"
    headers = signer().headers(target, host=host, prefix="" if signs_prefix else "/ns/default")

    assert verifying.ask(target, headers).status_code == 200
    path = "/ns/default/api/v1/runs" if signs_prefix else "/api/v1/runs"
    assert verifying.why == f"the signature holds for the path {path!r}, {word} the prefix '/ns/default'"


def test_a_host_header_with_a_scheme_is_taken_as_it_is(verifying: Any, signer: Any) -> None:
    assert verifying.ask(headers=signer().headers(host="http://127.0.0.1:8420")).status_code == 200


def test_slashes_before_the_path_are_signed_as_sent(verifying: Any, signer: Any) -> None:
    assert verifying.ask("//api/v1/runs", signer().headers("//api/v1/runs")).status_code == 200


# --- dates and nonces


def at(signer: Any, moment: datetime) -> dict[str, str]:
    headers: dict[str, str] = signer(extra={"x-acs-date": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}).headers()
    return headers


@pytest.mark.parametrize("offset_s", [-900, -899, 0, 899, 900])
def test_a_date_within_the_window_is_taken(
    verifying: Any, signer: Any, monkeypatch: pytest.MonkeyPatch, offset_s: int
) -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall_now", lambda: now)
    assert verifying.ask(headers=at(signer, now + timedelta(seconds=offset_s))).status_code == 200


@pytest.mark.parametrize(("offset_s", "word"), [(-901, "behind"), (901, "ahead of")])
def test_a_date_outside_the_window_is_expired(
    verifying: Any, signer: Any, refused: Any, monkeypatch: pytest.MonkeyPatch, offset_s: int, word: str
) -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall_now", lambda: now)
    answer = verifying.ask(headers=at(signer, now + timedelta(seconds=offset_s)))
    assert refused(answer) == (
        400,
        "InvalidTimeStamp.Expired",
        "Specified time stamp or date value is expired.",
    )
    assert f"901 s {word} the wall time, signature_skew_s allows 900" in verifying.why


def test_the_window_is_a_setting_and_zero_refuses_every_date(
    make: Any, signer: Any, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall_now", lambda: now)
    api = make(runs=[], auth="verify", settings={"signature_skew_s": 0})
    assert refused(api.ask(headers=at(signer, now)))[1] == "InvalidTimeStamp.Expired"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-15T09:00:00",
        "2026-01-15T09:00:00.000Z",
        "2026-13-15T09:00:00Z",
        "Thu, 15 Jan 2026 09:00:00 GMT",
        "now",
    ],
)
def test_a_date_of_another_form_is_refused(verifying: Any, signer: Any, refused: Any, text: str) -> None:
    answer = verifying.ask(headers=signer(extra={"x-acs-date": text}).headers())
    assert refused(answer) == (
        400,
        "InvalidTimeStamp.Format",
        "Specified time stamp or date value is not well formatted.",
    )


def test_a_replay_is_refused_and_a_refused_request_uses_no_nonce_up(verifying: Any, signer: Any, refused: Any) -> None:
    wrong = signer(secret="wrong", extra={"x-acs-signature-nonce": "n1"})
    assert refused(verifying.ask(headers=wrong.headers()))[1] == "SignatureDoesNotMatch"
    headers = signer(extra={"x-acs-signature-nonce": "n1"}).headers()

    assert verifying.ask(headers=headers).status_code == 200
    assert refused(verifying.ask(headers=headers)) == (
        400,
        "SignatureNonceUsed",
        "Specified signature nonce was used already.",
    )
    assert "'n1' came before" in verifying.why


def test_a_nonce_belongs_to_its_key_and_is_forgotten_after_the_window(
    make: Any, signer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = make(runs=[], auth="verify", credentials=[{"id": "LTAI5tOther", "secret": "other"}])
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    statuses = []
    for later_s, key in ((0, {}), (0, {"key": "LTAI5tOther", "secret": "other"}), (899, {}), (901, {}), (902, {})):
        moment = now + timedelta(seconds=later_s)
        monkeypatch.setattr(clock, "wall_now", lambda moment=moment: moment)
        date = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        extra = {"x-acs-signature-nonce": "same", "x-acs-date": date}
        statuses.append(api.ask(headers=signer(**key, extra=extra).headers()).status_code)
    assert statuses == [200, 200, 400, 200, 400]
    assert len(api.app.emulator.space("default").states["alibaba-pai"].memory["nonces"]) == 1


def test_a_nonce_of_a_date_ahead_is_kept_until_that_date_is_stale(
    verifying: Any, signer: Any, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall_now", lambda: now)
    headers = at(signer, now + timedelta(seconds=900))
    assert verifying.ask(headers=headers).status_code == 200
    monkeypatch.setattr(clock, "wall_now", lambda: now + timedelta(seconds=1000))
    assert refused(verifying.ask(headers=headers))[1] == "SignatureNonceUsed"


def test_a_reset_forgets_the_nonces(verifying: Any, signer: Any) -> None:
    headers = signer().headers()
    assert verifying.ask(headers=headers).status_code == 200
    verifying.app.emulator.space("default").reset()
    assert verifying.ask(headers=headers).status_code == 200
