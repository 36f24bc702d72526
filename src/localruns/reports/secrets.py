"""What of a request must not be shown: values of headers, query and form fields that let somebody in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote_plus, urlencode

from localruns.engine.message import Request

Kind = Literal["secret", "signature", "key", "account", "page token", ""]

GONE = "(not kept)"
_MARKS = ("secret", "password", "passwd", "signature", "apikey", "authorization", "bearer", "cookie", "assertion")
_PAGING = ("pagetoken", "nexttoken", "continuationtoken", "nextpage", "cursor")
_HARMLESS = ("signaturenonce", "signaturemethod", "signatureversion", "signaturetype")
_KEYS = ("accesskey", "accesskeyid", "accountkey", "privatekey", "passphrase", "keycontent", "clientid", "credential")
_SESSIONS = ("sessionid", "jsessionid", "sessid", "csrf", "xsrf", "codeverifier", "sig", "sid", "jwt")
_WORDS = re.compile(r"(bos|eos|pad|unk|mask|sep|cls|stop|end|start|image|special|newline)token$")
_ACCOUNTS = (
    *("ownerid", "userid", "accountid", "tenantid", "tenancyid", "compartmentid", "customerid", "subscriptionid"),
    *("userno", "memberno", "memberid", "principalid", "uid", "userrid", "username", "user", "owner", "creator"),
    *("startedby", "createdby", "updatedby", "modifiedby", "authprincipalownerid", "authprincipaldisplayname"),
    *("dhuserprincipal", "mlflowuser"),
)
_PAIR = re.compile(r"(?<=[?&;])([^=&;#]*)=([^&;#]*)")
_USER = re.compile(r"://[^/?#]*@")
_SIGNED = re.compile(r"\bsignature=\"?([^\",\s]+)", re.IGNORECASE)
_SHORTEST = 6  # below that a value is too common a text to be cut out of sentences
_FORM_BYTES = 10_000


def is_secret(name: str) -> bool:
    """Whether the value of a header or parameter of that name is for the vendor's eyes only."""
    plain = _plain(name)
    if plain.endswith((*_PAGING, *_HARMLESS)) or _WORDS.search(plain):
        return False
    return plain.endswith(("token", "pwd")) or any(mark in plain for mark in _MARKS)


@lru_cache(4096)
def kind(name: str) -> Kind:
    """What the value of a name tells of the caller: more than `is_secret`, since a recording is read by others."""
    plain = _plain(name)
    if plain.endswith(_PAGING):
        return "page token"
    if "signature" in plain and is_secret(name):
        return "signature"
    if is_secret(name) or plain.endswith(_SESSIONS[:-3]) or plain in _SESSIONS:
        return "secret"
    if plain.endswith(_KEYS):
        return "key"
    return "account" if plain in _ACCOUNTS else ""


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def header(name: str, value: str) -> str:
    """A header's value as it may be shown; of `Authorization` the scheme stays."""
    if not is_secret(name):
        return value
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {GONE}" if space and name == "authorization" else GONE


def stand_in(name: str, value: str, word: str) -> str:
    """A header's value with `word` in the place of the secret; what stands beside a signature stays."""
    if not is_secret(name):
        return value
    if signed := _SIGNED.search(value):
        return value.replace(signed[1], word)
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {word}" if space and name == "authorization" else word


def content(value: Any) -> Any:
    """The JSON of a body, without the values of keys that are secret."""
    if isinstance(value, list):
        return [content(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: GONE if inner and is_secret(key) else content(inner) for key, inner in value.items()}


def body(request: Request, word: str = GONE) -> str | None:
    """The body of a request with `word` for each secret in it, or None when it is not text."""
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        return None
    if "form" in (request.header("content-type") or ""):
        pairs = parse_qsl(text, keep_blank_values=True)
        if any(is_secret(name) for name, _ in pairs):
            text = urlencode([(name, word if value and is_secret(name) else value) for name, value in pairs])
    return without(text, request)


def target(text: str) -> str:
    """A request target as it may be shown."""

    def shown(pair: re.Match[str]) -> str:
        return f"{pair[1]}={GONE}" if pair[2] and is_secret(unquote_plus(pair[1])) else pair[0]

    return _USER.sub(f"://{GONE}@", _PAIR.sub(shown, text))


def credential(name: str, request: Request) -> str:
    """Who asked: an id as it is, a token by the first digits of its hash."""
    if name in {value for value in _values(request) if value}:
        return f"token {sha256(name.encode()).hexdigest()[:8]}"
    return name if len(name) <= 200 else name[:197] + "..."


def without(text: str, request: Request) -> str:
    """A sentence about a request, its secrets cut out of it, whole or shortened."""
    for value in _values(request):
        if len(value) >= _SHORTEST:
            text = re.sub(re.escape(value[:12]) + r"[^\s'\",;]*", GONE, text)
    return text


def _values(request: Request) -> Iterator[str]:
    for name, value in request.headers:
        if is_secret(name):
            yield from _SIGNED.findall(value) or [value.partition(" ")[2].strip() or value]
    yield from (value for name, value in request.args if is_secret(name))
    if len(request.body) <= _FORM_BYTES and "form" in (request.header("content-type") or ""):
        pairs = parse_qsl(request.body.decode("latin-1"), errors="replace")
        yield from (value for name, value in pairs if is_secret(name))
