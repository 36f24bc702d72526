"""Scanning: what looks like a secret is found, what does not is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from localruns.engine.recording import Head, Writer
from localruns.recordings.scanning import Finding, scan_exchange, scan_file
from localruns.vendors import all_vendors
from tests.recordings.canaries import CANARIES, KNOWN, Canary
from tests.recordings.test_redaction import redactor

VENDORS = all_vendors()


def scan(path: Path) -> list[Finding]:
    return list(scan_file(path, VENDORS))


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_a_redacted_exchange_scans_clean(canary: Canary) -> None:
    clean = redactor().exchange(canary.plant(canary.secret, canary.secret))
    assert scan_exchange(clean, VENDORS) == []


@pytest.mark.parametrize("number", range(len(CANARIES)), ids=[canary.name for canary in CANARIES])
def test_a_secret_put_back_by_hand_is_found(number: int, tmp_path: Path) -> None:
    canary, path = CANARIES[number], tmp_path / "edited.yaml"
    writer = Writer(path, Head("edited"))
    for at, other in enumerate(CANARIES):
        clean = redactor().exchange(other.plant(other.secret, other.secret))
        writer.add(other.plant(other.secret, KNOWN) if at == number else clean)
    writer.close()
    found = scan(path)
    assert found
    assert all(finding.where.startswith(f"exchanges[{number}].") for finding in found), found
    assert not [finding for finding in found if canary.secret in finding.where + finding.what]
    assert scan_exchange(canary.plant(canary.secret, KNOWN), VENDORS)
