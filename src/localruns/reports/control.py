"""The control API as an OpenAPI 3.1 document; a call that is served and not listed here fails a test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localruns.engine.described import Operation, Parameter
from localruns.reports import openapi
from localruns.vendors import IDS

_PREFIX = "/__admin"
_ANSWERS = "admin/answers.json#/$defs/"
_ABOUT = """\
Inspects and steers the emulator. `namespace`, the path prefix `/ns/NAME` or the header `X-Localruns-Namespace` selects
a namespace, `default` without one. What cannot be done is a problem of RFC 9457. The token is needed beyond loopback
only."""
_STATUSES = {
    "400": "A parameter or the body cannot be used.",
    "401": "The token is missing or wrong.",
    "404": "No such namespace, or no such thing in it.",
    "405": "The path does not take this method.",
    "409": "There is a namespace of that name already, or it is the one that cannot go.",
    "413": "The body is too large.",
    "422": "The scenario has problems, a line for each.",
    "429": "There are too many namespaces.",
    "500": "A defect of the emulator.",
}


def _query(name: str, about: str, **schema: Any) -> Parameter:
    return Parameter(name, "query", about, schema)


def _path(name: str, about: str, **schema: Any) -> Parameter:
    return Parameter(name, "path", about, {"type": "string", "minLength": 1, **schema}, required=True)


def _call(about: str, answer: str, *parameters: Parameter, **more: Any) -> Operation:
    return Operation(about, _ANSWERS + answer, (*parameters, _SPACE), **more)


_SPACE = _query("namespace", "Which namespace.", type="string")
_OF_VENDOR = _query("vendor", "Those of this vendor.", type="string", enum=list(IDS))
_KEYS = _query("keys", "All row keys uncut, or the first of long lists.", type="string", enum=["all", "some"])
_FILTERS = (
    _OF_VENDOR,
    _query("status", "Requests answered with this status.", type="integer", minimum=0, maximum=999_999_999),
    _query("walk", "Requests of the walk with this id.", type="integer", minimum=0, maximum=999_999_999),
    _query("since", "Requests behind the one with this id.", type="integer", minimum=0, maximum=999_999_999),
)
_LIMIT = _query("limit", "The newest so many.", type="integer", minimum=0, maximum=999_999_999)
_FORMAT = _query("format", "JSON, an archive of HTTP (HAR 1.2), or a curl line each.", enum=["json", "har", "curl"])
_LINES = {"text/plain": _ANSWERS + "Lines"}
_BUNDLED = _query("bundled", "Whether what it refers to is in it; else as it stands.", type="boolean")
_NAME = _path("name", "The namespace.", pattern="^[^/]+$")
_NUMBER = _path("number", "Its id.", pattern="^[0-9]{1,9}$")
_FILE = _path("file", "The file.", pattern="^[^/]+$")
_VENDOR = _path("vendor", "The vendor.", pattern="^[^/]+$")

CALLS: Mapping[tuple[str, str], Operation] = {
    ("GET", "/health"): _call("Whether scenarios are loaded.", "Health"),
    ("GET", "/version"): _call("The version.", "Version"),
    ("GET", "/scenarios"): _call("What can be loaded.", "Scenarios"),
    ("PUT", "/scenario"): _call("Loads another scenario.", "Selected", body="admin/scenario-choice.json"),
    ("GET", "/recording"): _call("What of a recording has been played.", "Recording"),
    ("POST", "/reset"): _call("Starts the namespace over.", "Selected"),
    ("POST", "/namespaces"): _call(
        "Makes a namespace.", "Namespace", body="admin/new-namespace.json", body_needed=False, status=201
    ),
    ("GET", "/namespaces"): _call("All namespaces.", "Namespaces"),
    ("GET", "/namespaces/{name}"): _call("A namespace, and what its clients present.", "Namespace", _NAME),
    ("DELETE", "/namespaces/{name}"): _call("Deletes a namespace.", "Deleted", _NAME),
    ("GET", "/clock"): _call("Virtual time.", "Clock"),
    ("PUT", "/clock"): _call("Changes virtual time.", "Clock", body="admin/clock-change.json"),
    ("GET", "/faults"): _call("Armed faults, and how often each fired.", "Faults"),
    ("POST", "/faults"): _call(
        "Arms a fault, or those of a chaos profile.", "Armed", body="admin/new-fault.json", status=201
    ),
    ("DELETE", "/faults/{number}"): _call("Takes a fault away.", "Fault", _NUMBER),
    ("GET", "/walks"): _call("What each client's pass through the pages saw.", "Walks", _OF_VENDOR),
    ("GET", "/walks/{number}"): _call("One walk.", "Walk", _NUMBER, _KEYS),
    ("GET", "/requests"): _call("The journal.", "Journal", *_FILTERS, _LIMIT, _FORMAT, other_types=_LINES),
    ("GET", "/requests/unmatched"): _call(
        "Requests that matched no endpoint.", "Journal", *_FILTERS, _LIMIT, _FORMAT, other_types=_LINES
    ),
    ("GET", "/requests/count"): _call("How many requests there are.", "Count", *_FILTERS),
    ("GET", "/requests/{number}"): _call("One request.", "Entry", _NUMBER),
    ("DELETE", "/requests"): _call("Forgets the journal.", "Forgotten"),
    ("GET", "/ca.pem"): _call("The authority of an HTTPS server.", "Certificate", answer_type="application/x-pem-file"),
    ("GET", "/schemas"): _call("The schema files.", "Schemas"),
    ("GET", "/schemas/{file}"): _call("A schema of the emulator's own.", "Schema", _FILE, _BUNDLED),
    ("GET", "/schemas/{vendor}/{file}"): _call("A schema of a vendor.", "Schema", _VENDOR, _FILE, _BUNDLED),
    ("GET", "/openapi.json"): _call("This document.", "Document"),
    ("GET", "/openapi/{vendor}.json"): _call("The document of a vendor.", "Document", _VENDOR),
}


def document(server: str = "/") -> openapi.Node:
    """The document of the control API. `server` is where its paths begin."""
    paths: openapi.Node = {}
    for (method, path), call in CALLS.items():
        paths.setdefault(_PREFIX + path, {})[method.lower()] = _operation(method, path, call)
    references = [
        openapi.PROBLEM,
        *(name for call in CALLS.values() for name in (call.answer, *call.other_types.values())),
    ]
    components = {
        "schemas": openapi.components_of([*references, *(call.body for call in CALLS.values() if call.body)]),
        "responses": {
            status: {"description": about, "content": openapi.problem_content()} for status, about in _STATUSES.items()
        },
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    }
    return openapi.skeleton("localruns control API", _ABOUT, server, paths, components, [{}, {"token": []}])


def _operation(method: str, path: str, call: Operation) -> openapi.Node:
    identity = re.sub(r"\W+", "_", f"{method.lower()}{path}").strip("_")
    node: openapi.Node = {"operationId": identity, "summary": call.about}
    node["parameters"] = [openapi.parameter(each) for each in call.parameters]
    if call.body:
        node["requestBody"] = openapi.request_body(call)
    refused = {status: {"$ref": f"#/components/responses/{status}"} for status in _STATUSES}
    node["responses"] = {str(call.status): {"description": "Done.", "content": openapi.answer_content(call)}, **refused}
    return node
