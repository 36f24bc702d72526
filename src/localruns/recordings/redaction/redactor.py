"""Secrets out of an exchange before it is written anywhere, each replaced by a placeholder of its own.

All values that are secret by their name or form are collected from the whole exchange first; then they are replaced
wherever they stand, in whatever encoding, here and in the exchanges after it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace

from localruns import placeholders
from localruns.engine.message import Request
from localruns.engine.recorded.exchange import Exchange
from localruns.recordings.redaction import encodings, forms, parts
from localruns.recordings.redaction.judging import DEPTH, judge, passwords
from localruns.recordings.redaction.key import redaction_key
from localruns.recordings.redaction.known import Known
from localruns.recordings.redaction.parts import Place
from localruns.recordings.redaction.rules import Rules, load_rules

__all__ = ["ENVIRONMENT", "Redactor", "Rules", "load_rules", "redaction_key"]

ENVIRONMENT = (
    *("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"),
    *("ALICLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECURITY_TOKEN", "ALIBABA_CLOUD_BEARER_TOKEN"),
    *("OCI_CLI_USER", "OCI_CLI_TENANCY", "OCI_CLI_FINGERPRINT", "OCI_CLI_KEY_CONTENT", "OCI_CLI_PASSPHRASE"),
    *("OCI_CLI_SECURITY_TOKEN", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_PASSWORD"),
    *("NCLOUD_ACCESS_KEY", "NCLOUD_ACCESS_KEY_ID", "NCLOUD_SECRET_KEY", "NCLOUD_API_KEY", "NCLOUD_APIGW_API_KEY"),
    *("FOUNDRY_TOKEN", "FOUNDRY_CLIENT_ID", "FOUNDRY_CLIENT_SECRET", "LOCALRUNS_ADMIN_TOKEN"),
)


_MOST_PLAIN, _LONGEST_PLAIN = 50_000, 200


class Redactor:
    """Takes secrets out of exchanges and remembers them, so that they go wherever they turn up later.

    Placeholders depend on the secret and on `key` alone; without a key, on one of this object's own. What the
    environment variables of the vendors' SDKs and of the rules hold is secret from the start.
    """

    def __init__(
        self, rules: Rules | None = None, key: bytes | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self.rules = rules or Rules()
        self._key = key or os.urandom(32)
        self._known = Known()
        self._lock = threading.Lock()
        # Names and values of fields that tell nothing, so that they are looked at once only.
        self._plain: set[tuple[str, str]] = set()
        self._by_name_alone = not (self.rules.body or self.rules.keep)
        environ = os.environ if environ is None else environ
        for name in (*ENVIRONMENT, *self.rules.env):
            self._known.always(environ.get(name, ""))

    def exchange(self, exchange: Exchange) -> Exchange:
        """The exchange with a placeholder for each secret; one without secrets comes back equal."""
        with self._lock:
            self._known.begin()
            texts = self._collect(exchange)
            self._known.look_for(texts)
            return parts.edited(exchange, self._replaced)

    def learn(self, exchange: Exchange) -> None:
        """Remember the secrets of an exchange, so that those before it can be rid of them too."""
        with self._lock:
            self._collect(exchange)

    def request(self, request: Request) -> Request:
        """A request with placeholders, for holding it against recorded ones."""
        with self._lock:
            self._known.begin()
            texts: list[str] = []
            parts.edited_request(request, lambda place: self._noticed(place, texts))
            self._known.look_for(texts)
            return parts.edited_request(request, self._replaced)

    def text(self, text: str) -> str:
        """Any text without the secrets that are known or have the form of one."""
        with self._lock:
            texts: list[str] = []
            place = Place("text", (), "", text)
            parts.nested(place, lambda inner: self._noticed(inner, texts))
            self._known.look_for(texts)
            return parts.nested(place, self._replaced)

    def _collect(self, exchange: Exchange) -> list[str]:
        texts: list[str] = []
        parts.edited(exchange, lambda place: self._noticed(place, texts))
        return texts

    def _noticed(self, place: Place, texts: list[str], depth: int = 0) -> str:
        """Remember what is secret in a text, and in what is encoded in it."""
        texts.append(place.value)
        if place.where == "whole" or (place.name, place.value) in self._plain:
            return place.value
        found = self._learned(place)
        meanings = list(encodings.runs(place.value)) if depth < DEPTH and place.is_text else []
        for _, _, meaning, _ in meanings:
            inner = replace(place, name="", value=meaning)
            parts.nested(inner, lambda deep: self._noticed(deep, texts, depth + 1))
        plain = not found and not meanings and place.where in ("body", "key")
        if plain and self._by_name_alone and len(place.value) <= _LONGEST_PLAIN:
            if len(self._plain) > _MOST_PLAIN:
                self._plain.clear()
            self._plain.add((place.name, place.value))
        return place.value

    def _learned(self, place: Place) -> bool:
        """Remember what is secret in a text; whether there was anything."""
        hits = judge(place, self.rules)
        for hit in hits:
            value = place.value[hit.start : hit.end]
            if hit.kind == "account":
                self._known.learn_id(value)
            elif hit.kind == "basic credentials":
                for part in (value, passwords(value)[1]):
                    self._known.learn(part)
            elif hit.lasting:
                self._known.learn(value)
            else:
                self._known.note(value)
        return bool(hits)

    def _replaced(self, place: Place, depth: int = 0) -> str:
        text = place.value
        spans = list(self._known.spans(text))
        if not spans and (place.name, text) in self._plain:
            return text
        spans += [(hit.start, hit.end, text[hit.start : hit.end]) for hit in judge(place, self.rules)]
        if not place.is_text:
            return placeholders.stand_in(text, self._key) if spans and text.isdigit() else text
        pieces, at = [], 0
        for start, end, secret in _merged(text, spans):
            pieces += [self._decoded(place, text[at:start], depth), self._stand_in(secret)]
            at = end
        return "".join([*pieces, self._decoded(place, text[at:], depth)])

    def _decoded(self, place: Place, text: str, depth: int) -> str:
        """A text without secrets of its own, with what is encoded in it changed where there is one."""
        if depth == DEPTH or place.where == "whole":
            return text
        pieces, at = [], 0
        for start, end, meaning, encode in encodings.runs(text):
            inner = replace(place, name="", value=meaning)
            new = parts.nested(inner, lambda deep: self._replaced(deep, depth + 1))
            if new != meaning:
                pieces += [text[at:start], encode(new)]
                at = end
        return "".join([*pieces, text[at:]])

    def _stand_in(self, secret: str) -> str:
        return secret if forms.is_masked(secret) else placeholders.stand_in(secret, self._key)


def _merged(text: str, spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Spans in order; of those that overlap one over all of them."""
    merged: list[tuple[int, int, str]] = []
    for start, end, secret in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not merged or start >= merged[-1][1]:
            merged.append((start, end, secret))
        elif end > merged[-1][1]:
            merged[-1] = (merged[-1][0], end, text[merged[-1][0] : end])
    return merged
