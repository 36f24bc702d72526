"""The fast checker of JSON Schema that serves and the well-known slow one give the same verdict, whatever the body."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

from localruns import schemas, yamlio
from localruns.paths import fixtures_dir
from localruns.surfaces.http import App
from localruns.vendors import IDS, all_vendors
from tests.clients.pagers import HEADERS, PAGERS, PLATFORM
from tests.contract.pieces import ODD_VALUES as ODD
from tests.contract.wire import Sent, send

MUTANTS = 400


def verdicts(reference: str, value: Any) -> tuple[bool, bool]:
    """(by the checker that serves, by the library jsonschema, which explains)."""
    return schemas.validator(reference).is_valid(value), schemas.explainer(reference).is_valid(value)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value inside a value, itself included."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def put(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body with another value in that place."""
    if not path:
        return value
    inner = put(body[path[0]], path[1:], value)
    if isinstance(body, list):
        return [*body[: path[0]], inner, *body[path[0] + 1 :]]
    return {**body, path[0]: inner}


def mutated(value: Any, chance: random.Random) -> Any:
    """The value with one to three things wrong, or differently right."""
    value = copy.deepcopy(value)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        path = chance.choice(list(places(value)))
        if not path:
            return chance.choice(ODD) if chance.random() < 0.1 else value
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        _spoil(holder, path[-1], chance)
    return value


def _spoil(holder: Any, key: Any, chance: random.Random) -> None:
    old = holder[key]
    way = chance.choice(["odd", "odd", "drop", "rename", "extra", "text", "character", "double", "wrap"])
    if way == "drop":
        del holder[key]
    elif way == "rename" and isinstance(holder, dict):
        holder[chance.choice([key.swapcase(), key + "_", key[1:]])] = holder.pop(key)
    elif way == "extra" and isinstance(old, dict):
        old[chance.choice(["extra", "", "é"])] = chance.choice(ODD)
    elif way == "double" and isinstance(old, list | str):
        holder[key] = old + old
    elif way == "character" and isinstance(old, str) and old:
        at = chance.randrange(len(old))
        holder[key] = old[:at] + chance.choice("0Zz-. :_é٣\u00a0\n") + old[at + chance.choice([0, 1]) :]
    elif way == "text":
        holder[key] = old if isinstance(old, str) else json.dumps(old)
    elif way == "wrap":
        holder[key] = [old]
    else:
        holder[key] = chance.choice(ODD)


def real_answers(app: App, vendor: str) -> Iterator[tuple[str, Any]]:
    """(schema, body) of pages, of each error and of what else the vendor answers."""
    client = app.test_client()
    for pager in (each for each in PAGERS if each.vendor == vendor):
        yield f"{vendor}/list-runs.json", pager.page(client, 3).body
    path = all_vendors()[vendor].prefixes[0] + "x"
    for row in all_vendors()[vendor].errors.rows:
        body = client.get(path, headers={"Prefer": f"code={row.status}; error={row.code}"}).data
        if body:
            yield all_vendors()[vendor].contract.error_schema(row), json.loads(body)
    if vendor == "oracle-aidp":
        base = f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/default/mlops/api/2.0/mlflow/experiments/"
        one = client.get(base + "get?experiment_id=1", headers=HEADERS[vendor])
        yield "oracle-aidp/get-experiment.json", one.json
        all_ = client.post(base + "search", json={}, headers={"Authorization": "Bearer any"})
        yield "oracle-aidp/search-experiments.json", all_.json
    if vendor == "palantir-foundry":
        form = b"grant_type=client_credentials&client_id=a&client_secret=b&scope=offline_access"
        yield (
            "palantir-foundry/token.json",
            json.loads(send(app, Sent("POST", "/multipass/api/oauth2/token", (), form)).body),
        )


def real_requests() -> Iterator[tuple[str, Any]]:
    """(schema, value) of what is sent and written by people."""
    search = {"experiment_ids": ["1"], "filter": "x", "max_results": 5, "order_by": ["a"], "run_view_type": "ALL"}
    yield "oracle-aidp/list-runs-request.json", search
    yield "oracle-aidp/search-experiments-request.json", {"max_results": 5, "view_type": "ALL", "filter": ""}
    grant = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "x"}
    yield "palantir-foundry/token-request.json", grant
    yield "palantir-foundry/revoke-token-request.json", {"token": "x", "client_id": "x"}
    for path in sorted(fixtures_dir().glob("*.yaml")):
        scenario = json.loads(json.dumps(yamlio.load(path)))
        yield "scenario.schema.json", scenario
        for vendor, site in scenario["vendors"].items():
            yield f"{vendor}/scenario.json", site or {}


@pytest.mark.parametrize("name", schemas.names())
def test_every_schema_file_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.raw(name))
    jsonschema.Draft202012Validator.check_schema(schemas.bundled(name))
    assert schemas.raw(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for value in ODD:
        fast, slow = verdicts(name, value)
        assert fast == slow, f"{value!r}"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("vendor", IDS)
def test_both_checkers_agree_on_spoilt_answers(make_app: Callable[..., App], vendor: str) -> None:
    chance = random.Random(f"1 {vendor}")
    bodies = list(real_answers(make_app("quickstart"), vendor))
    for reference, body in bodies:
        assert verdicts(reference, body) == (True, True)
    lists = [each for each in bodies if "list-runs" in each[0]]
    good = 0
    for number in range(MUTANTS * 3):
        reference, body = chance.choice(lists if number % 2 else bodies)
        wrong = mutated(body, chance)
        fast, slow = verdicts(reference, wrong)
        assert fast == slow, f"{reference}: {json.dumps(wrong)[:2000]}"
        good += fast
    assert 50 < good < MUTANTS * 3 - 300  # both verdicts occur


@pytest.mark.timeout(180)
@pytest.mark.parametrize("vendor", IDS)
def test_both_checkers_agree_on_any_value_in_any_place(make_app: Callable[..., App], vendor: str) -> None:
    for reference, body in dict(real_answers(make_app("quickstart"), vendor)).items():
        # Of a list the first item stands for all.
        for path in (path for path in places(body) if all(step in (0, str(step)) for step in path)):
            for value in ODD:
                wrong = put(body, path, value)
                fast, slow = verdicts(reference, wrong)
                assert fast == slow, f"{reference}: {value!r} at {path}"


@pytest.mark.timeout(180)
def test_both_checkers_agree_on_spoilt_requests_and_scenarios() -> None:
    chance = random.Random(2)
    for reference, value in real_requests():
        for _ in range(60):
            wrong = mutated(value, chance)
            fast, slow = verdicts(reference, wrong)
            assert fast == slow, f"{reference}: {json.dumps(wrong)[:2000]}"


def test_a_text_that_goes_on_behind_a_line_feed_is_refused_with_a_reason() -> None:
    reference = "naver-nsml/list-runs.json#/$defs/run/properties/runName"
    assert not schemas.validator(reference).is_valid("2\n")
    assert [words for _, words in schemas.explain(reference, "2\n")] == [
        "found '2\\n', expected text of the form ^[1-9][0-9]*$"
    ]
