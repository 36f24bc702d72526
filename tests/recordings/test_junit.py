"""JUnit XML as the programs that read it want it: the format's own elements and attributes, counts that agree."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from localruns.recordings.junit import Case, junit

# What junit-10.xsd of Jenkins allows; GitLab, GitHub's reporters and pytest's own files keep to it, too.
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "file"},
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set[str](),
}
REQUIRED = {"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name"}}
CASES = [
    Case("naver-nsml", "holds"),
    Case("naver-nsml", "breaks", "2 breaking", "first\nsecond <&>"),
    Case("oracle-aidp", "left out", skipped="the platform did not answer"),
    Case("oracle-aidp", "tells", out="cosmetic: one\x1b[31m\x00\ud800 thing"),
]


def read(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode("utf-8"))


def test_elements_and_attributes_are_those_of_the_format() -> None:
    for node in read(junit("localruns drift", CASES)).iter():
        assert set(node.attrib) <= ATTRIBUTES[node.tag], node.tag
        assert set(node.attrib) >= REQUIRED.get(node.tag, set()), node.tag


def test_counts_agree_with_what_is_in_there() -> None:
    root = read(junit("localruns drift", CASES))
    for node in (root, *root):
        assert int(node.get("tests", "")) == len(list(node.iter("testcase")))
        assert int(node.get("failures", "")) == len(list(node.iter("failure")))
        assert int(node.get("errors", "")) == 0
    assert [(suite.get("name"), suite.get("skipped")) for suite in root] == [("naver-nsml", "0"), ("oracle-aidp", "1")]


def test_texts_come_back_as_they_were() -> None:
    root = read(junit("localruns drift", CASES))
    failure, skipped, out = (next(root.iter(tag)) for tag in ("failure", "skipped", "system-out"))
    assert (failure.get("message"), failure.text) == ("2 breaking", "first\nsecond <&>")
    assert skipped.get("message") == "the platform did not answer"
    assert out.text == "cosmetic: one?[31m?? thing"  # what XML cannot hold
    assert {case.get("classname") for case in root.iter("testcase")} == {
        "localruns drift.naver-nsml",
        "localruns drift.oracle-aidp",
    }


@pytest.mark.parametrize("cases", [[], CASES[:1]])
def test_a_report_of_little_is_one_too(cases: list[Case]) -> None:
    assert read(junit("localruns drift", cases)).get("tests") == str(len(cases))
