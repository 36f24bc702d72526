"""What stands in the place of a secret: the same text for the same secret and key, and known as such without the key.

A placeholder keeps the form of what it replaces, so that an answer with placeholders still keeps the vendor's schema.
"""

from __future__ import annotations

import re
from hashlib import blake2b

WORD = r"redacted-[0-9a-f]{16}"
UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
EMAIL = r"[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
OCID = r"ocid1\.[a-z0-9]+\.[A-Za-z0-9-]*\.[A-Za-z0-9-]*\.(?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+"
RID = r"ri\.[a-z][a-z0-9-]*\.(?:[a-z0-9][a-z0-9-]*)?\.[a-z][a-z0-9-]*\.[A-Za-z0-9._-]+"
FINGERPRINT = r"(?:[0-9a-fA-F]{2}:){15}[0-9a-fA-F]{2}"
MEMBER = r"ncp-user-[0-9]+"

_UUID_MARK = "4edac7ed"
_FINGERPRINT_MARK = "4e:da:c7:ed"
_DOMAIN = "example.invalid"
_SHORTEST = 8  # digits; with fewer there is no room for a mark
_SHORT_LENGTH = 10
_CHECKED = re.compile(r"(?<![0-9])9[0-9]{7,}(?![0-9])")
_FIXED = re.compile(
    rf"{WORD}(?:@{re.escape(_DOMAIN)})?"
    rf"|{_UUID_MARK}-[0-9a-f]{{4}}-8[0-9a-f]{{3}}-8[0-9a-f]{{3}}-[0-9a-f]{{12}}"
    rf"|{_FINGERPRINT_MARK}(?::[0-9a-f]{{2}}){{12}}"
)
_FORMS = {name: re.compile(form) for name, form in (("uuid", UUID), ("email", EMAIL), ("member", MEMBER))}
_LAST_PART = re.compile(rf"(?:{OCID}|{RID})")
_PAIRS = re.compile(FINGERPRINT)


def stand_in(value: str, key: bytes) -> str:
    """The placeholder of a secret, in its own form: digits, UUID, e-mail, OCID, RID, key fingerprint, else a word."""
    digest = blake2b(value.encode("utf-8", "surrogatepass"), key=key[:64], digest_size=32).hexdigest()
    word = f"redacted-{digest[:16]}"
    if value.isascii() and value.isdigit():
        return _digits(digest, len(value) if len(value) >= _SHORTEST else _SHORT_LENGTH)
    if _FORMS["uuid"].fullmatch(value):
        return f"{_UUID_MARK}-{digest[:4]}-8{digest[4:7]}-8{digest[7:10]}-{digest[10:22]}"
    if _FORMS["email"].fullmatch(value):
        return f"{word}@{_DOMAIN}"
    if _FORMS["member"].fullmatch(value):
        return "ncp-user-" + _digits(digest, _SHORT_LENGTH)
    if _PAIRS.fullmatch(value):
        return ":".join([_FINGERPRINT_MARK, *(digest[i : i + 2] for i in range(0, 24, 2))])
    if _LAST_PART.fullmatch(value):
        head, last = _split(value)
        return head + (stand_in(last, key) if _FORMS["uuid"].fullmatch(last) else word)
    return word


def is_placeholder(text: str) -> bool:
    """Whether a text holds nothing but placeholders, alone or as the last part of an OCID, a RID or a member's name."""
    if _LAST_PART.fullmatch(text):
        text = _split(text)[1]
    return bool(text) and not without(text.removeprefix("ncp-user-"))


def holds(text: str) -> bool:
    """Whether there is a placeholder somewhere in a text."""
    return without(text) != text


def without(text: str) -> str:
    """A text with its placeholders cut out."""
    text = _FIXED.sub("", text) if "redacted-" in text or "4e" in text else text
    return _CHECKED.sub(lambda found: "" if _is_checked(found[0]) else found[0], text)


def like(text: str) -> re.Pattern[str]:
    """What a text may have been before its placeholders stood in it."""
    found = [*_FIXED.finditer(text), *(number for number in _CHECKED.finditer(text) if _is_checked(number[0]))]
    pattern, end = "", 0
    for start, stop in sorted(each.span() for each in found):
        if start >= end:
            pattern, end = f"{pattern}{re.escape(text[end:start])}.+", stop
    return re.compile(pattern + re.escape(text[end:]), re.DOTALL)


def _split(value: str) -> tuple[str, str]:
    """An OCID or RID cut before its last part, the fifth."""
    parts = value.split(".", 4)
    return ".".join([*parts[:4], ""]), parts[4]


def _digits(digest: str, length: int) -> str:
    """A 9, digits of the secret's own, and at the end some that follow from those before."""
    own = str(int(digest, 16)).rjust(80, "0")[-length:]
    start = ("9" + own)[: length - _check_length(length)]
    return start + _check(start, length)


def _is_checked(digits: str) -> bool:
    cut = len(digits) - _check_length(len(digits))
    return digits[cut:] == _check(digits[:cut], len(digits))


def _check_length(length: int) -> int:
    return 4 if length >= 12 else 3


def _check(start: str, length: int) -> str:
    number = int.from_bytes(blake2b(start.encode(), digest_size=8, person=b"localruns").digest())
    size = _check_length(length)
    return str(number % 10**size).rjust(size, "0")
