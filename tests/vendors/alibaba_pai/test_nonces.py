"""The memory of nonces."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from localruns.vendors.alibaba_pai import nonces
from localruns.vendors.alibaba_pai.nonces import Nonces

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=900)


def test_a_nonce_is_taken_once_until_its_time_is_over() -> None:
    seen = Nonces()
    assert seen.take(("key", "n"), NOW, LATER)
    assert not seen.take(("key", "n"), NOW, LATER)
    assert seen.take(("other", "n"), NOW, LATER)
    assert not seen.take(("key", "n"), LATER - timedelta(seconds=1), LATER)
    assert seen.take(("key", "n"), LATER, LATER + timedelta(seconds=900))
    assert len(seen) == 1


def test_a_nonce_behind_one_that_lasts_longer_is_over_in_its_own_time() -> None:
    seen = Nonces()
    assert seen.take(("key", "long"), NOW, LATER + timedelta(seconds=900))
    assert seen.take(("key", "short"), NOW, LATER)
    assert seen.take(("key", "short"), LATER, LATER + timedelta(seconds=900))
    assert not seen.take(("key", "long"), LATER, LATER + timedelta(seconds=900))


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "MAX_NONCES", 10)
    seen = Nonces()
    assert all(seen.take(("key", str(n)), NOW, LATER) for n in range(50))
    assert len(seen) == 10
    assert not seen.take(("key", "49"), NOW, LATER)


def test_of_many_threads_one_gets_a_nonce() -> None:
    seen = Nonces()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda n: seen.take(("key", str(n % 50)), NOW, LATER), range(2000)))
    assert sum(taken) == 50
