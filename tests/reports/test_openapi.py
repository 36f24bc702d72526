"""OpenAPI documents: complete, valid, and of the schemas that answers are held against."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from openapi_spec_validator import validate

from localruns import schemas
from localruns.engine.described import Contract
from localruns.reports import control, openapi
from localruns.vendors import IDS, all_vendors

EACH_VENDOR = pytest.mark.parametrize("vendor", IDS)


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, each) for path, item in document["paths"].items() for method, each in item.items()]


@EACH_VENDOR
def test_every_endpoint_is_described(vendor: str) -> None:
    own = all_vendors()[vendor]
    found = {(method.upper(), path) for method, path, _ in operations(openapi.document(own))}
    assert found == {(endpoint.method, endpoint.path) for endpoint in own.endpoints}
    assert set(own.contract.operations) == {endpoint.name for endpoint in own.endpoints}


@EACH_VENDOR
def test_every_part_of_a_path_is_a_parameter(vendor: str) -> None:
    for _, path, operation in operations(openapi.document(all_vendors()[vendor])):
        described = [each["name"] for each in operation["parameters"] if each["in"] == "path"]
        assert described == re.findall(r"\{(\w+)\}", path)


@EACH_VENDOR
def test_every_error_is_named_under_its_status(vendor: str) -> None:
    own = all_vendors()[vendor]
    document = openapi.document(own)
    for row in own.errors.rows:
        response = document["components"]["responses"][str(row.status)]
        assert f"`{row.code}`" in response["description"]
        assert bool(own.contract.error_schema(row)) or "no body" in response["description"]
    for _, _, operation in operations(document):
        assert set(operation["responses"]) == {"200", *document["components"]["responses"]}


@EACH_VENDOR
def test_a_status_that_only_a_fault_brings_is_marked(vendor: str) -> None:
    own = all_vendors()[vendor]
    for status, response in openapi.document(own)["components"]["responses"].items():
        rows = [row for row in own.errors.rows if row.status == int(status)]
        assert response.get("x-injected-only", False) == (bool(rows) and all(row.injected for row in rows))


@EACH_VENDOR
def test_the_rows_schema_is_the_one_that_rows_are_held_against(vendor: str) -> None:
    own = all_vendors()[vendor]
    file, _, part = own.rows.schema.partition("#/$defs/")
    name = file.replace("/", ".").removesuffix(".json") + f".{part}"
    component = openapi.document(own)["components"]["schemas"][name]
    assert component["required"] == schemas.raw(file)["$defs"][part]["required"]


@EACH_VENDOR
def test_no_reference_leads_nowhere(vendor: str) -> None:
    for document in (openapi.document(all_vendors()[vendor]), control.document()):
        for pointer in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
            node: Any = document
            for step in pointer.split("/"):
                node = node[step]


def test_a_vendor_that_describes_nothing_has_a_document_all_the_same() -> None:
    document = openapi.document(replace(all_vendors()["naver-nsml"], contract=Contract()))
    validate(document)
    assert list(document["paths"]) == ["/nsml/v1/projects/runs"]


def test_the_operations_of_a_document_have_names_of_their_own() -> None:
    for document in (*map(openapi.document, all_vendors().values()), control.document()):
        names = [operation["operationId"] for _, _, operation in operations(document)]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"\w+", name) for name in names)
