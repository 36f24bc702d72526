"""What a secret looks like, wherever it stands: well-known prefixes, headers, keys, addresses, ids of people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from localruns import placeholders
from localruns.placeholders import EMAIL, FINGERPRINT, MEMBER, OCID, UUID
from localruns.reports import secrets

_START, _END = r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])"
_PEOPLE = r"(?=ocid1\.(?:user|tenancy|compartment|group|dynamicgroup|credential|apikey)\.)"
_FORMS = {
    "private_key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    "json_web_token": _START + r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*",
    "access_key": _START + r"(?:LTAI[A-Za-z0-9]{12,30}|(?:AKIA|ASIA)[A-Z0-9]{16}|ncp_iam_[A-Za-z0-9]{12,})" + _END,
    "session_token": _START + r"(?:STS\.[A-Za-z0-9]{16,}|ST\$[A-Za-z0-9._-]{16,})",
    "api_token": _START
    + r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|xox[abeposr]-[A-Za-z0-9-]{10,}|glpat-[\w-]{20,}"
    r"|[sr]k[-_](?:live[-_]|test[-_]|proj-|ant-)?[A-Za-z0-9_-]{20,}|AIza[\w-]{35}|ya29\.[\w-]{20,}|hf_[A-Za-z0-9]{30,}"
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{40,}|dapi[0-9a-f]{32}|SG\.[\w-]{16,}\.[\w-]{16,})",
    "password_in_url": r"(?<=://)[^/\s@\"'<>]+(?=@)",
    "bearer_token": r"(?:(?<=bearer )|(?<=Bearer )|(?<=BEARER )|(?<=Bearer%20)|(?<=Bearer\+))[A-Za-z0-9._~+/$-]{8,}=*",
    "basic_credentials": r"(?:(?<=Basic )|(?<=basic ))[A-Za-z0-9+/_-]{8,}={0,2}",
    "request_signature": r"(?:(?<=Signature=)|(?<=signature=)|(?<=signature=\"))[A-Za-z0-9+/_%-]{16,}={0,2}",
    "personal_ocid": _START + _PEOPLE + OCID,
    "account": rf"(?:(?<=acs:ram::)|(?<=acs:sts::)|(?<=:aws:iam::)|(?<=:aws:sts::))[0-9]{{8,}}|{_START}{MEMBER}{_END}",
    "key_fingerprint": rf"(?<![0-9A-Za-z:]){FINGERPRINT}(?![0-9A-Za-z:])",
    "email": rf"(?<![A-Za-z0-9._%+-]){EMAIL}{_END}",
}
_ANY = re.compile("|".join(f"(?P<{name}>{form})" for name, form in _FORMS.items()), re.DOTALL)
# Every form holds one of these, or the many colons of a fingerprint; looking for them is cheap.
_MARKS = (
    *(
        "@",
        "eyJ",
        "LTAI",
        "AKIA",
        "ASIA",
        "ncp_iam_",
        "ncp-user-",
        "STS.",
        "ST$",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
    ),
    *(
        "github_pat_",
        "xox",
        "glpat-",
        "sk-",
        "sk_",
        "rk-",
        "rk_",
        "AIza",
        "ya29.",
        "hf_",
        "npm_",
        "pypi-",
        "dapi",
        "SG.",
    ),
    *("ocid1.", "-----BEGIN", "earer", "EARER", "asic ", "ignature=", "acs:", "aws:"),
)
_COLONS = 15
_SIGN = re.compile(r"[A-Za-z0-9_.-]\\?[\"']? ?[=:>]")
_NAMED = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9_.-]{1,60})(?:\\?[\"'])?(?:(?P<sign>[=:>])(?!//)| (?P<spaced>[=:]))\s?(?:\\?[\"'])?"
    r"(?!\w{1,20}://)(?P<value>[^\s\"'&,;<>(){}\[\]|\\]{6,}+)(?![(\[])"  # an address is looked into, not taken whole
)
_ID = re.compile(rf"[0-9]{{7,}}|{UUID}|{MEMBER}|ocid1\.\S+|ri\.\S+|{FINGERPRINT}")
_SCHEME = re.compile(r"[A-Z0-9]+-HMAC-[A-Z0-9]+")
_CODE = re.compile(r"[A-Za-z]+(?:[._:$][A-Za-z._:$]*)+|(?:self|os|str|my|your|the|some)[._a-z-]*")
_MASKED = re.compile(
    r"[*x.•-]{3,}|<[^<>]*>|\[[^\]]*\]|\{+[^{}]*\}+|\$\w+|\$\{\w+\}|\(not kept\)"
    r"|(?:x+|redacted|filtered|removed|hidden|dummy|masked|placeholder|none|null|true|false|secret|token|password)",
    re.IGNORECASE,
)
_STAYS = ("bearer_token", "basic_credentials")


@dataclass(frozen=True, slots=True)
class Hit:
    """One secret in a text. Shape: `kind` what it looks like; `lasting` whether it is one wherever else it stands."""

    kind: str
    start: int
    end: int
    lasting: bool = False


def hits(text: str) -> Iterator[Hit]:
    """All that looks like a secret by its own form, but for placeholders, in order and without overlaps."""
    if not any(mark in text for mark in _MARKS) and text.count(":") < _COLONS:
        return
    for found in _ANY.finditer(text):
        kind = found.lastgroup or ""
        if is_masked(found[0]) or (kind in _STAYS and not looks_random(found[0])):
            continue
        lasting = kind in ("json_web_token", "access_key", "session_token", "api_token", "bearer_token", "private_key")
        yield Hit(kind.replace("_", " "), *found.span(), lasting)


def named(text: str) -> Iterator[Hit]:
    """Values in running text that stand behind the name of a secret, such as `password=...`."""
    if not _SIGN.search(text):
        return
    for found in _NAMED.finditer(text):
        kind = secrets.kind(found["name"])
        value = found["value"].rstrip(".`")
        if kind not in ("secret", "signature", "key") or is_masked(value) or _SCHEME.fullmatch(value):
            continue
        if found["sign"] == ">" and text[found.end("value") : found.end("value") + 2] != "</":
            continue  # the end of something else than an element of XML
        if looks_random(value) or (found["sign"] in ("=", ">") and not _CODE.fullmatch(value)):
            start = found.start("value")
            yield Hit(f"{kind} {found['name']}", start, start + len(value), kind != "signature" and len(value) >= 8)


def is_id(value: str) -> bool:
    """Whether a value under the name of a person or account is an id, not a plain name."""
    return _ID.fullmatch(value) is not None


def is_masked(value: str) -> bool:
    """Whether a value is empty, a placeholder of ours or what others write in the place of a secret."""
    value = value.strip()
    return not value or _MASKED.fullmatch(value) is not None or placeholders.is_placeholder(value)


def looks_random(value: str) -> bool:
    """Whether a text is rather a secret than a word: letters mixed with digits, or long."""
    kinds = [any(map(test, value)) for test in (str.isdigit, str.islower, str.isupper)]
    return (kinds[0] and (kinds[1] or kinds[2])) or len(value) >= 20
