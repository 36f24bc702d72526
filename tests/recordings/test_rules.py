"""Rules of one's own, and the key of the machine."""

from __future__ import annotations

import logging
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from localruns import schemas
from localruns.engine.recorded.exchange import json_of
from localruns.errors import ConfigError
from localruns.recordings.redaction.redactor import Redactor, Rules, load_rules, redaction_key
from tests.recordings.canaries import exchange

RULES = """\
headers: [X-Plan]
query: [who]
body: [info.user_id, Nick]
patterns:
- {kind: ticket, match: 'TCK-[0-9]+'}
- {match: 'desk (\\w+)'}
env: [MY_SECRET]
keep:
  names: [team.contact, x-api-key]
  values: [ann@corp-mail.io]
"""


@pytest.fixture
def redactor(tmp_path: Path) -> Redactor:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return Redactor(load_rules(path), b"key", {"MY_SECRET": "lily-71-lily"})


def test_rules_add_headers_parameters_fields_patterns_and_variables(redactor: Redactor) -> None:
    clean = redactor.exchange(
        exchange(
            "/x?who=daphne&what=daphne",
            [("x-plan", "gold"), ("x-other", "gold")],
            {"info": {"user_id": "al", "run_id": "al"}, "user_id": "al", "params": [{"key": "nick", "value": "bo"}]},
            {"text": "TCK-71 at desk four says lily-71-lily"},
        )
    )
    asked, told = json_of(clean.request.body), json_of(clean.reply.body)
    assert clean.request.target.startswith("/x?who=redacted-")
    assert clean.request.target.endswith("&what=daphne")
    assert [value[:9] for _, value in clean.request.headers] == ["redacted-", "gold"]
    assert (asked["info"]["user_id"][:9], asked["info"]["run_id"], asked["user_id"]) == ("redacted-", "al", "al")
    assert asked["params"][0]["value"].startswith("redacted-")
    assert [word[:9] for word in told["text"].split()] == ["redacted-", "at", "desk", "redacted-", "says", "redacted-"]


def test_rules_keep_what_would_go(redactor: Redactor) -> None:
    content = {"team": {"contact": "bob@corp-mail.io"}, "contact": "ann@corp-mail.io"}
    same = exchange(headers=[("x-api-key", "q7Xv2LmN9pRt")], answer=content)
    assert redactor.exchange(same) == same
    assert b"bob" not in redactor.exchange(exchange(answer={"contact": "bob@corp-mail.io"})).reply.body


def test_a_secret_that_is_known_goes_where_it_would_be_kept(redactor: Redactor) -> None:
    content = {"team": {"contact": "q7Xv2LmN9pRt4KwZ"}}
    clean = redactor.exchange(exchange(headers=[("authorization", "Bearer q7Xv2LmN9pRt4KwZ")], answer=content))
    assert b"q7Xv" not in clean.reply.body


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("header: [x]\n", ":1: header: found unknown key 'header', did you mean 'headers'?"),
        ("keep:\n  name: [x]\n", ":2: keep.name: found unknown key 'name', did you mean 'names'?"),
        ("query: x\n", ":1: query: found 'x', expected a list"),
        ("env: ['1X']\n", ":1: env[0]: found '1X', expected text of the form"),
        ("env:\n- A\npatterns:\n- match: '(x'\n", ":4: patterns[0].match: found '(x', expected a regular expression"),
        ("patterns: [{kind: x}]\n", ":1: patterns[0]: found no 'match', expected it beside kind"),
    ],
)
def test_a_mistake_in_the_rules_is_told_with_its_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_rules(path)
    assert f"{path}{words}" in str(caught.value)


def test_no_file_means_the_rules_that_always_hold(tmp_path: Path) -> None:
    assert load_rules(None) == Rules()
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load_rules(tmp_path / "none.yaml")


def test_every_key_of_the_rules_has_a_description() -> None:
    def check(node: object) -> None:
        if isinstance(node, dict):
            for inner in node.get("properties", {}).values():
                assert "description" in inner
            for inner in node.values():
                check(inner)

    check(schemas.raw("redaction.schema.json"))


# --- the key


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = redaction_key(tmp_path / "cache")
    assert len(key) == 32
    assert redaction_key(tmp_path / "cache") == key != redaction_key(tmp_path / "other")
    [file] = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        keys = set(pool.map(redaction_key, [tmp_path / "cache"] * 16))
    assert len(keys) == 1


def test_what_is_no_key_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "redaction.key").write_bytes(b"short")
    assert redaction_key(tmp_path) == redaction_key(tmp_path)
    assert len((tmp_path / "redaction.key").read_bytes()) == 32


def test_an_unwritable_cache_costs_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        key = redaction_key(tmp_path / "file")
    assert key == redaction_key(tmp_path / "file")
    assert "cannot be kept" in caplog.text
