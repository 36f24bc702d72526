"""A vendor's operations as an OpenAPI 3.1 document, made from the same schemas that its answers are checked against."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import localruns
from localruns import schemas
from localruns.engine.described import Header, Operation, Parameter
from localruns.engine.message import ErrorRow
from localruns.engine.vendor import Endpoint, Vendor

Node = dict[str, Any]
PROBLEM = "problem.json"
PROBLEM_TYPE = "application/problem+json"
_OURS = {
    400: "The header Prefer asks for an error that is not in the vendor's table.",
    404: "The path prefix or the header X-Localruns-Namespace names no namespace.",
    500: "A defect of the emulator.",
    501: "The scenario holds no data for this vendor, or what is asked for is not emulated.",
}
_ABOUT = """\
What the emulator localruns answers for {title}.

A code marked *injected* comes only when a fault of the scenario, or the header `Prefer: code=STATUS; error=CODE`, asks
for it; with them every operation can answer with every error of the vendor. `application/problem+json` is the
emulator's own voice (RFC 9457), never the vendor's. Which credentials are looked at depends on the scenario's `auth`:
off, present or verify."""


def document(vendor: Vendor, server: str = "/") -> Node:
    """The document of a vendor. `server` is where its paths begin."""
    paths: Node = {}
    names: dict[str, int] = {}
    for endpoint in vendor.endpoints:
        names[endpoint.name] = names.get(endpoint.name, 0) + 1
        identity = _identifier(endpoint.name, names[endpoint.name])
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(vendor, endpoint, identity)
    components = {
        "schemas": components_of(_references(vendor)),
        "responses": _errors(vendor),
        "securitySchemes": {name: dict(scheme) for name, scheme in vendor.contract.schemes.items()},
    }
    security = _security(vendor.contract.security)
    return skeleton(vendor.title, _ABOUT.format(title=vendor.title), server, paths, components, security)


def skeleton(title: str, about: str, server: str, paths: Node, components: Node, security: list[Node]) -> Node:
    """The outermost keys of a document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": localruns.__version__, "description": about},
        "servers": [{"url": server}],
        "security": security,
        "paths": paths,
        "components": components,
    }


def components_of(references: Iterable[str]) -> Node:
    """All schemas behind these references by component name: `x.list-runs`, and `x.list-runs.Run` for a part of it."""
    found: Node = {}
    for reference in references:
        for file, schema in schemas.bundled(reference)["$defs"].items():
            parts = schema.get("$defs", {})
            whole = {key: value for key, value in schema.items() if key not in ("$schema", "$defs")}
            if whole:
                found[_name(file)] = _rewritten(whole)
            for part, inner in parts.items():
                found[f"{_name(file)}.{part}"] = _rewritten(inner)
    return dict(sorted(found.items()))


def reference_to(reference: str) -> Node:
    """A `$ref` to the component of a schema reference."""
    file, _, pointer = reference.partition("#")
    part, _, rest = (
        pointer.removeprefix("/$defs/").partition("/") if pointer.startswith("/$defs/") else ("", "", pointer)
    )
    inside = f"/{rest.removeprefix('/')}" if rest else ""
    return {"$ref": f"#/components/schemas/{_name(file)}{'.' + part if part else ''}{inside}"}


def parameter(described: Parameter) -> Node:
    """An OpenAPI parameter."""
    return {
        "name": described.name,
        "in": described.place,
        "description": described.about,
        "required": described.required,
        "schema": dict(described.schema),
    }


def request_body(described: Operation) -> Node:
    """The OpenAPI request body of an operation."""
    content = {described.body_type: {"schema": reference_to(described.body)}}
    return {"required": described.body_needed, "content": content}


def answer_content(described: Operation) -> Node:
    """The content of an operation's good answer."""
    types = {described.answer_type: described.answer, **described.other_types}
    return {name: {"schema": reference_to(schema)} for name, schema in types.items()}


def problem_content() -> Node:
    """The content of an answer in our own voice."""
    return {PROBLEM_TYPE: {"schema": reference_to(PROBLEM)}}


def _operation(vendor: Vendor, endpoint: Endpoint, identity: str) -> Node:
    described = vendor.contract.operations.get(endpoint.name, Operation(about=endpoint.name))
    known = [each for each in described.parameters if each.place != "path" or f"{{{each.name}}}" in endpoint.path]
    node: Node = {"operationId": identity, "summary": endpoint.name, "description": described.about}
    node["parameters"] = [parameter(each) for each in known]
    if described.body:
        node["requestBody"] = request_body(described)
    answers: Node = {str(described.status): _success(vendor, described)}
    for status in sorted(_statuses(vendor)):
        answers[str(status)] = {"$ref": f"#/components/responses/{status}"}
    node["responses"] = answers
    if described.security is not None:
        node["security"] = _security(described.security)
    return node


def _success(vendor: Vendor, described: Operation) -> Node:
    node: Node = {"description": "Done."}
    headers = [*(each for each in vendor.contract.headers if not each.statuses), *described.headers]
    if headers:
        node["headers"] = _headers(headers, promised=True)
    if described.answer:
        node["content"] = answer_content(described)
    return node


def _errors(vendor: Vendor) -> Node:
    """One shared response for each status of the error table, and for those of our own."""
    return {str(status): _error(vendor, status) for status in sorted(_statuses(vendor))}


def _error(vendor: Vendor, status: int) -> Node:
    rows = [row for row in vendor.errors.rows if row.status == status]
    words = [f"* {_in_words(row, vendor)}" for row in rows]
    if status in _OURS:
        words.append(f"* `{PROBLEM_TYPE}`: {_OURS[status]}")
    node: Node = {"description": f"{HTTPStatus(status).phrase}:\n\n" + "\n".join(words)}
    if rows and all(row.injected for row in rows):
        node["x-injected-only"] = True
    wanted = [each for each in vendor.contract.headers if not each.statuses or status in each.statuses]
    if wanted and rows:
        node["headers"] = _headers(wanted, promised=status not in _OURS)
    content = _error_content(vendor, rows) | (problem_content() if status in _OURS else {})
    if content:
        node["content"] = content
    return node


def _error_content(vendor: Vendor, rows: Sequence[ErrorRow]) -> Node:
    bodies = [reference_to(body) for body in sorted({vendor.contract.error_schema(row) for row in rows}) if body]
    if not bodies:
        return {}
    return {"application/json": {"schema": bodies[0] if len(bodies) == 1 else {"anyOf": bodies}}}


def _in_words(row: ErrorRow, vendor: Vendor) -> str:
    marks = ["*injected*"] if row.injected else []
    marks += [row.when] if row.when else []
    marks += [] if vendor.contract.error_schema(row) else ["no body"]
    return f"`{row.code}`: {'; '.join(marks) or row.message}"


def _headers(headers: Iterable[Header], promised: bool) -> Node:
    return {
        each.name: {"description": each.about, "required": each.always and promised, "schema": dict(each.schema)}
        for each in headers
    }


def _statuses(vendor: Vendor) -> set[int]:
    return {row.status for row in vendor.errors.rows} | set(_OURS)


def _references(vendor: Vendor) -> Iterator[str]:
    yield PROBLEM
    for described in vendor.contract.operations.values():
        yield from filter(None, (described.answer, described.body))
    yield from filter(None, map(vendor.contract.error_schema, vendor.errors.rows))


def _security(alternatives: Iterable[Mapping[str, Sequence[str]]]) -> list[Node]:
    return [{name: list(scopes) for name, scopes in each.items()} for each in alternatives]


def _identifier(name: str, times: int) -> str:
    return re.sub(r"\W+", "_", name) + (f"_{times}" if times > 1 else "")


def _name(file: str) -> str:
    """`alibaba-pai/list-runs.json` -> `alibaba-pai.list-runs`."""
    return file.removesuffix(".json").replace("/", ".")


def _rewritten(node: Any) -> Any:
    """`node` with the references of a bundle made to point at components."""
    if isinstance(node, list):
        return [_rewritten(value) for value in node]
    if not isinstance(node, dict):
        return node
    result = {key: _rewritten(value) for key, value in node.items()}
    if isinstance(node.get("$ref"), str):
        file, slash, pointer = node["$ref"].removeprefix("#/$defs/").partition("/")
        result |= reference_to(f"{file.replace('~1', '/').replace('~0', '~')}#{slash}{pointer}")
    return result
