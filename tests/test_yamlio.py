"""YAML without its traps: scalars, duplicate keys, aliases, tags, sizes, and a place for every problem."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localruns import yamlio
from localruns.errors import ConfigError

TEXT = {"properties": {"a": {"type": "string"}}}


def value(text: str, schema: dict[str, Any] | None = None) -> Any:
    return yamlio.Document(text, "f.yaml").value(schema or {})


def problem(text: str, schema: dict[str, Any] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        value(text, schema)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@pytest.mark.parametrize(
    "scalar",
    ["no", "yes", "on", "Off", "012", "12:30:00", "1e3", "145883", "2026-01-14", "0x1F", "1_000", "true", ".inf", "~"],
)
def test_a_scalar_stays_text_where_the_schema_says_text(scalar: str) -> None:
    assert value(f"a: {scalar}", TEXT) == {"a": scalar}


@pytest.mark.parametrize(
    ("scalar", "meant"),
    [
        ("no", "no"),
        ("12:30:00", "12:30:00"),
        ("2026-01-14", "2026-01-14"),
        ("1_000", "1_000"),
        ("012", 12),
        ("-5", -5),
        ("0x1F", 31),
        ("0o17", 15),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("true", True),
        ("Null", None),
        ("", None),
        ("'5'", "5"),
        ("! 5", 5),
        ("!!str 5", "5"),
    ],
)
def test_where_no_schema_speaks_scalars_follow_yaml_1_2(scalar: str, meant: Any) -> None:
    found = value(f"a: {scalar}")["a"]
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("schema", "scalar", "meant"),
    [
        ({"type": ["string", "null"]}, "~", None),
        ({"type": ["string", "integer"]}, "012", 12),
        ({"enum": ["off", "present"]}, "off", "off"),
        ({"enum": [True, "auto"]}, "true", True),
        ({"enum": [429, "auto"]}, "429", 429),
        ({"const": "1"}, "1", "1"),
        ({"type": "integer"}, "1e3", 1000),
        ({"type": "integer"}, "1.5", 1.5),
        ({"type": "number"}, "1e3", 1000.0),
        ({"$ref": "#/$defs/t"}, "7", "7"),
        ({"anyOf": [{"type": "object"}, {"type": "string"}]}, "7", "7"),
        ({"if": {}, "then": {"type": "string"}, "else": {"type": "object"}}, "7", "7"),
        ({"x-guide": {"type": "string"}}, "7", "7"),
    ],
)
def test_the_schema_at_a_place_decides_wherever_it_stands(schema: dict[str, Any], scalar: str, meant: Any) -> None:
    found = value(f"a: {scalar}", {"properties": {"a": schema}, "$defs": {"t": {"type": "string"}}})["a"]
    assert (found, type(found)) == (meant, type(meant))


def test_items_and_additional_properties_are_guided_too() -> None:
    schema = {"properties": {"l": {"items": {"type": "string"}}}, "additionalProperties": {"type": "string"}}
    assert value("l: [no, 012]\nother: 1e3", schema) == {"l": ["no", "012"], "other": "1e3"}


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3: a: ", "duplicate key 'a', expected each key once"),
        ("a: &x [*x]", "f.yaml:1: a[0]: ", "an alias that contains itself"),
        ("a: &x {b: *x}", "f.yaml:1: a.b: ", "an alias that contains itself"),
        ("a: *nope", "f.yaml:1: ", "undefined alias"),
        ("x: 1\na: !!python/object:os.system {b: 1}", "f.yaml:2: a: ", "expected plain values"),
        ("!!python/object/apply:os.system [ls]", "f.yaml:1: (top level): ", "expected plain values"),
        ("a: !!binary aGk=", "f.yaml:1: a: ", "expected plain values"),
        ("a: !!set {b, c}", "f.yaml:1: a: ", "expected plain values"),
        ("a: !own:int 5", "f.yaml:1: a: ", "expected plain values"),
        ("a: !!int abc", "f.yaml:1: a: ", "found 'abc', expected an integer"),
        ("a: !!bool maybe", "f.yaml:1: a: ", "found 'maybe', expected true or false"),
        ("a: !!null x", "f.yaml:1: a: ", "found 'x', expected null"),
        ("a: " + "9" * 5000, "f.yaml:1: a: ", "expected an integer of at most 300 digits"),
        ("a: 1e400", "f.yaml:1: a: ", "found '1e400', expected a finite number"),
        ("b: 1\na: [1, .nan]", "f.yaml:2: a[1]: ", "found '.nan', expected a finite number"),
        ("a: 1\n---\nb: 2", "f.yaml:2: ", "expected a single document"),
        ("a:\n\tb: 1", "f.yaml:2: ", "not valid YAML"),
        ("? [x]\n: 1", "f.yaml:1: ", "a key that is a list or a mapping, expected text"),
        ("", "f.yaml:1: ", "the file is empty, expected a mapping"),
        ("# only words\n", "f.yaml:1: ", "the file is empty"),
        ("a: \0", "f.yaml: ", "control characters are not allowed"),
        ("a: \ud800", "f.yaml: ", "surrogates not allowed"),
        ('a: "\\ud800"', "f.yaml:1: ", "invalid Unicode"),
    ],
)
def test_a_trap_is_one_clear_line(text: str, where: str, words: str) -> None:
    found = problem(text)
    assert found.startswith(where)
    assert words in found
    assert len(found) < 300


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "[" * 900 + "]" * 900, "{a: " * 900 + "}" * 900, "\n".join(" " * i + "a:" for i in range(1500))],
)
def test_deep_nesting_is_refused_and_kills_no_process(text: str) -> None:
    assert "nesting too deep, expected at most 100 levels" in problem(text)


def test_deep_nesting_made_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 {x: 1}"] + [f"a{i}: &a{i} {{x: *a{i - 1}}}" for i in range(1, 2000)]
    assert "nesting too deep" in problem("\n".join(lines))


def test_aliases_that_explode_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    assert "aliases that expand to over 100,000 nodes" in problem("\n".join(lines))


def test_a_plain_alias_is_its_value() -> None:
    assert value("a: &x {b: 1}\nc: *x") == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize("raw", ["a: 1\n".encode("utf-16"), b"a: \xff", b"\x89PNG\r\n\x1a\n\0\0"])
def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError, match=r"x\.yaml: not UTF-8 text: byte \d+ is 0x"):
        yamlio.load(path)


def test_utf_16_without_a_mark_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("a: 1\n".encode("utf-16-le"))
    with pytest.raises(ConfigError, match="not valid YAML"):
        yamlio.load(path)


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb:\r\n  - c\r\n")
    assert yamlio.load(path) == {"a": 1, "b": ["c"]}


def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamlio, "MAX_BYTES", 10)
    path = tmp_path / "x.yaml"
    path.write_text("a: 12345678", "utf-8")
    with pytest.raises(ConfigError, match="found a file of over 10 bytes, expected at most that"):
        yamlio.load(path)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        yamlio.load(tmp_path / name)


def test_a_line_is_found_by_its_key_path() -> None:
    document = yamlio.Document("a:\n  - b: 1\n  -\n    c: 2\n", "f.yaml")
    paths: list[tuple[str | int, ...]] = [(), ("a", 0, "b"), ("a", 1, "c"), ("a", 1, "gone"), ("z",)]
    assert [document.line(path) for path in paths] == [1, 2, 4, 4, 1]


YAMLISH = st.text(alphabet=st.sampled_from("ab01 :-[]{},&*!?|>'\"#%\n\t~.eE+_<=\\ü\u2028\x85"), max_size=60)


@given(st.one_of(st.text(max_size=60), YAMLISH))
def test_any_text_gives_a_value_or_one_clear_problem(text: str) -> None:
    problems: tuple[str, ...] = ()
    found = None
    try:
        found = value(text, TEXT)
    except ConfigError as error:
        problems = error.problems
    assert all(line.startswith("f.yaml") for line in problems)
    assert not isinstance(found, float) or math.isfinite(found)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.text(max_size=9)
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=12,
    )
)
def test_what_is_dumped_is_read_back(content: Any) -> None:
    assert value(yamlio.dump({"a": content})) == {"a": content}
