"""The contract for other tools: documents and schemas under `/__admin`."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin

import pytest
import referencing
import referencing.jsonschema
from jsonschema import Draft202012Validator
from werkzeug.test import Client

from localruns import schemas
from localruns.engine.emulator import Emulator, Options
from localruns.paths import cache_dir
from localruns.reports import control
from localruns.surfaces.http import App
from localruns.vendors import IDS, all_vendors
from tests.clients.pagers import PAGERS

MakeApp = Callable[..., App]


@pytest.fixture
def client(make_app: MakeApp) -> Client:
    return make_app("quickstart").test_client()


def test_every_control_call_is_in_the_document_and_nothing_else(make_app: MakeApp) -> None:
    served = {
        (method, str(rule).replace("<", "{").replace(">", "}"))
        for rule in make_app("quickstart").url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if str(rule) != "/"
    }
    described = {(method, "/__admin" + path) for method, path in control.CALLS}
    assert served == described, "describe the call in reports/control.py"


@pytest.mark.parametrize("vendor", IDS)
def test_each_vendor_has_its_document(client: Client, vendor: str) -> None:
    answer = client.get(f"/__admin/openapi/{vendor}.json")
    assert answer.content_type == "application/json"
    assert answer.json["openapi"].startswith("3.1.")
    assert answer.json["info"]["title"] == all_vendors()[vendor].title
    assert answer.json["servers"] == [{"url": "/"}]


def test_an_unknown_vendor_is_a_problem_that_lists_the_known_ones(client: Client) -> None:
    answer = client.get("/__admin/openapi/aws.json")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert all(vendor in answer.json["detail"] for vendor in IDS)


def test_the_paths_of_a_namespaces_document_begin_at_the_namespace(make_app: MakeApp) -> None:
    app = make_app("quickstart")
    app.emulator.open_space("b", "empty")
    for call in ("/ns/b/__admin/openapi/naver-nsml.json", "/__admin/openapi/naver-nsml.json?namespace=b"):
        assert app.test_client().get(call).json["servers"] == [{"url": "/ns/b"}]


def test_every_schema_file_is_listed_and_served_as_it_stands(client: Client) -> None:
    listed = client.get("/__admin/schemas").json["schemas"]
    assert [each["name"] for each in listed] == schemas.names()
    for each in listed:
        assert client.get(each["path"]).json == schemas.raw(each["name"])


def test_references_of_a_raw_schema_resolve_from_where_it_is(client: Client) -> None:
    def retrieve(uri: str) -> referencing.Resource[object]:
        return referencing.jsonschema.DRAFT202012.create_resource(client.get(uri.removeprefix("http://x")).json)

    registry: referencing.Registry[object] = referencing.Registry(retrieve=retrieve)  # type: ignore[call-arg]
    base = "http://x/__admin/schemas/scenario.schema.json"
    raw = {"$id": base, **client.get("/__admin/schemas/scenario.schema.json").json}
    checker = Draft202012Validator(raw, registry=registry)
    good = {"scenario": "a", "vendors": {"naver-nsml": {"runs": [{"generate": 1}]}}}
    assert checker.is_valid(good)
    good["vendors"]["naver-nsml"]["auth"] = "nonsense"  # type: ignore[index]
    assert not checker.is_valid(good)
    assert urljoin(base, "naver-nsml/scenario.json").endswith("/__admin/schemas/naver-nsml/scenario.json")


def test_a_bundled_schema_needs_no_other(client: Client) -> None:
    page = next(each for each in PAGERS if each.vendor == "palantir-foundry").page(client, 3).body
    bundled = client.get("/__admin/schemas/palantir-foundry/list-runs.json?bundled=true").json
    Draft202012Validator(bundled).validate(page)
    assert not Draft202012Validator(bundled).is_valid({**page, "data": [{}]})


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("/__admin/schemas/x.json", 404),
        ("/__admin/schemas/alibaba-pai/x.json", 404),
        ("/__admin/schemas/../../pyproject.toml", 404),
        ("/__admin/schemas/%2e%2e/pyproject.toml", 404),
        ("/__admin/schemas/problem.json?bundled=maybe", 400),
        ("/__admin/openapi.json?namespace=nowhere", 404),
        ("/__admin/openapi.json?x=1", 400),
    ],
)
def test_what_is_not_there_is_a_problem(client: Client, call: str, status: int) -> None:
    answer = client.get(call)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_the_contract_needs_the_token_when_there_is_one() -> None:
    options = Options(cache=cache_dir(), admin_token="t")
    client = App(Emulator(all_vendors(), "quickstart", options)).test_client()
    for call in ("openapi.json", "openapi/naver-nsml.json", "schemas", "schemas/problem.json"):
        assert client.get(f"/__admin/{call}").status_code == 401
        assert client.get(f"/__admin/{call}", headers={"Authorization": "Bearer t"}).status_code == 200


def test_only_the_vendors_that_are_served_have_documents() -> None:
    options = Options(cache=cache_dir(), vendors=["naver-nsml"])
    client = App(Emulator(all_vendors(), "quickstart", options)).test_client()
    assert client.get("/__admin/openapi/naver-nsml.json").status_code == 200
    assert client.get("/__admin/openapi/oracle-aidp.json").status_code == 404
