"""Redaction: what is secret leaves no trace, what is not stays as it is."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from localruns.engine.exchange import Exchange
from localruns.engine.recording import as_text
from localruns.recordings.redaction import Redactor
from tests.recordings.canaries import CANARIES, Canary

KEY = b"the key of this machine, 32 bytes"


def redactor(key: bytes = KEY, **environ: str) -> Redactor:
    return Redactor(key=key, environ=environ)


def traces(secret: str) -> set[bytes]:
    """All byte strings that would tell the secret, made without the code under test."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), json.dumps(secret)[1:-1].encode()}
    found |= {quote(secret, safe="").encode(), quote_plus(secret).encode(), quote(secret).encode()}
    found |= {"".join(f"%{byte:02{case}}" for byte in raw).encode() for case in "xX"}
    found |= {secret.encode("utf-16-le"), json.dumps(secret, ensure_ascii=False)[1:-1].encode()}
    for skip in range(3):
        # Whole groups of three bytes only, so that it does not matter what stands before and behind.
        inner = raw[skip : skip + (len(raw) - skip) // 3 * 3]
        found |= {base64.b64encode(inner), base64.urlsafe_b64encode(inner)}
    return {trace for trace in found if len(trace) >= 5}


def all_bytes(exchange: Exchange) -> bytes:
    request, reply = exchange.request, exchange.reply
    headers = [f"{name}: {value}" for name, value in (*request.headers, *reply.headers)]
    texts = [request.target, *headers, as_text(exchange), exchange.failed]
    return b"\n".join([*(text.encode() for text in texts), request.body, reply.body])


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_a_planted_secret_leaves_no_trace(canary: Canary) -> None:
    planted = canary.plant(canary.secret, canary.secret)
    clean = redactor().exchange(planted)
    assert any(trace in all_bytes(planted) for trace in traces(canary.secret)), "it was planted"
    assert not [trace for trace in traces(canary.secret) if trace in all_bytes(clean)], all_bytes(clean)


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_redacting_again_changes_nothing_whatever_the_key(canary: Canary) -> None:
    clean = redactor().exchange(canary.plant(canary.secret, canary.secret))
    assert redactor().exchange(clean) == clean
    assert redactor(b"another key").exchange(clean) == clean
