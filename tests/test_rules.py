"""Rules of the house: directions of imports, sizes, and that everything a user can say is documented."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from localruns import schemas
from localruns.surfaces.cli import cli
from localruns.vendors import all_vendors
from tests.docs_tables import DOCS, PAGES

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "localruns"
FILES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 300
MAX_STATEMENTS = 30

# What each layer may import; later ones stand above earlier ones.
LAYERS = {"ground": {"ground"}, "engine": {"ground", "engine"}, "vendors": {"ground", "engine", "vendors"}}
LAYERS["reports"] = {*LAYERS["vendors"], "reports"}
LAYERS["recordings"] = {*LAYERS["reports"], "recordings"}
LAYERS["surfaces"] = {*LAYERS["recordings"], "surfaces"}

# Each third-party library is imported in one place of the package.
ONE_PLACE = {
    "flask": "surfaces/",
    "werkzeug": "surfaces/",
    "click": "surfaces/",
    "rich": "surfaces/console",
    "uvicorn": "surfaces/edge/",
    "httptools": "surfaces/edge/",
    "uvloop": "surfaces/edge/",
    "yaml": "yaml",
    "faker": "engine/rows/pools.py",
    "ijson": "recordings/reading/jsonstream.py",
    "jsonschema": "schemas.py",
    "jsonschema_rs": "schemas.py",
    "cryptography": "vendors/oracle_aidp/",
    "trustme": "surfaces/tls.py",
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module in ("localruns", "localruns.engine", "localruns.surfaces"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _layer(module: str) -> str:
    part = [*module.split("."), "", ""][1]
    return part if part in LAYERS else "ground"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    own = path.relative_to(SOURCE).parts[0]
    layer = own if own in LAYERS else "ground"
    if own == "testing":
        layer = "surfaces"
    for module in _imports(path):
        if module.startswith("localruns."):
            assert _layer(module) in LAYERS[layer], f"{path.name} imports {module}"
        place = ONE_PLACE.get(module.split(".")[0])
        assert place is None or str(path.relative_to(SOURCE)).startswith(place), f"{path.name} imports {module}"


def test_the_engine_names_no_vendor() -> None:
    names = [name for vendor in all_vendors() for name in (vendor, vendor.replace("-", "_"), vendor.split("-")[0])]
    for path in (SOURCE / "engine").rglob("*.py"):
        text = path.read_text("utf-8").lower()
        assert not [name for name in names if re.search(rf"\b{name}\b", text)], path.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= MAX_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            statements = sum(isinstance(inner, ast.stmt) for inner in ast.walk(node)) - 1
            assert statements <= MAX_STATEMENTS + 5, f"{node.name} has {statements} statements"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_what_is_public_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), path.name
    for node in tree.body:
        named = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        assert not named or ast.get_docstring(node), f"{path.name}: {node.name}"  # type: ignore[union-attr, arg-type]


def test_every_command_and_option_is_documented() -> None:
    page = (DOCS / "cli.md").read_text("utf-8")
    for name, command in cli.commands.items():
        assert f"localruns {name}" in page
        for option in (param for param in command.params if isinstance(param, click.Option)):
            assert f"`{option.opts[0]}" in page, f"{name} {option.opts[0]}"


def test_every_scenario_key_is_documented() -> None:
    page = (DOCS / "scenarios.md").read_text("utf-8")
    top = schemas.bundled("scenario.schema.json")["properties"]
    keys = [*top, *top["faults"]["items"]["properties"], *top["faults"]["items"]["properties"]["when"]["properties"]]
    keys += schemas.raw("scenario.schema.json")["$defs"]["chaos"]["properties"]
    keys += [*top["timeline"]["items"]["properties"], *top["fingerprint"]["properties"]]
    for vendor in all_vendors():
        properties = schemas.bundled(f"{vendor}/scenario.json")["properties"]
        keys += [*properties, *properties["credentials"]["items"]["properties"]]
    assert not [key for key in dict.fromkeys(keys) if f"`{key}`" not in page and f"{key}:" not in page]


def test_every_scenario_key_has_a_description() -> None:
    def check(node: object, path: str) -> None:
        if isinstance(node, dict):
            for name, inner in node.get("properties", {}).items():
                assert "description" in inner or "$ref" in inner, f"{path}.{name}"
            for key, inner in node.items():
                check(inner, f"{path}.{key}")

    for file in ["scenario.schema.json", *(f"{vendor}/scenario.json" for vendor in all_vendors())]:
        check(schemas.bundled(file), file)


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "run `python -m tests.docs_tables`"


def test_every_setting_is_used() -> None:
    for vendor in all_vendors():
        folder = SOURCE / "vendors" / vendor.replace("-", "_")
        text = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
        text += (ROOT / "fixtures" / vendor / "template.yaml").read_text("utf-8")
        text += "".join((SOURCE / "engine" / name).read_text("utf-8") for name in ("steps.py", "page_tokens.py"))
        settings = schemas.bundled(f"{vendor}/scenario.json")["properties"]["settings"]["properties"]
        assert not [name for name in settings if f'"{name}"' not in text and f"${name}" not in text], vendor


def test_documents_link_to_what_exists() -> None:
    for page in [ROOT / "README.md", *DOCS.glob("*.md"), *SOURCE.rglob("README.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name} -> {link}"


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_repository_holds_no_leftovers() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    files = listed.stdout.splitlines()
    assert not [name for name in files if re.search(r"\.(pyc|orig|rej|sqlite|part)$|__pycache__|\.egg-info", name)]
