"""Samples of a call say what the document says, and nothing that a provider writes is more than a value."""

from __future__ import annotations

import ast
import json
import shlex
from typing import Any, Final

import pytest

from lienthong.console.finding.samples import PURPOSE, request_of, samples

GATEWAY, SERVICE = "https://lgsp.example.vn", "H11.05/land/parcels-v1"
DOCUMENT: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "paths": {
        "/parcels/{parcelId}/changes": {
            "parameters": [{"$ref": "#/components/parameters/Parcel"}],
            "get": {
                "parameters": [
                    {"name": "year", "in": "query", "required": True, "schema": {"enum": [2024, 2025]}},
                    {"name": "page", "in": "query", "schema": {"default": 1}},
                ]
            },
            "post": {"requestBody": {"$ref": "#/components/requestBodies/Change"}},
        },
        "/zones/{zone}": {"get": {}},
    },
    "components": {
        "parameters": {
            "Parcel": {"name": "parcelId", "in": "path", "examples": {"one": {"value": "59301-6-159"}}}
        },
        "requestBodies": {
            "Change": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Change"}}}}
        },
        "schemas": {"Change": {"type": "object", "example": {"kind": "đính chính"}}},
    },
}
HOSTILE: Final = "'; rm -rf ~; '\" $(id) `id` \\ </pre>\n{0} ${x}"


def call(method: str, path: str, document: dict[str, Any] = DOCUMENT) -> dict[str, str]:
    found = request_of(GATEWAY, SERVICE, document, method, path)
    return {one.language.partition(" ")[0]: one.text for one in samples(found)}


def test_a_call_has_the_examples_of_its_document() -> None:
    address = f"{GATEWAY}/api/{SERVICE}/parcels/59301-6-159/changes?year=2024"
    texts = call("GET", "/parcels/{parcelId}/changes")
    assert list(texts) == ["lienthong", "curl", "Python", "JavaScript", "Java", "C#"]
    for language in ("curl", "JavaScript", "Java", "C#"):
        assert address in texts[language], language
    assert all(PURPOSE in text for text in texts.values())
    words = shlex.split(texts["lienthong"].replace("\\\n", " "))
    assert words[:4] == ["lienthong", "call", "GET", f"{SERVICE}/parcels/59301-6-159/changes?year=2024"]


def test_without_an_example_the_name_stands_there() -> None:
    assert f"{SERVICE}/zones/ZONE " in call("GET", "/zones/{zone}")["lienthong"]


def test_a_body_is_the_example_of_its_schema() -> None:
    texts = call("POST", "/parcels/{parcelId}/changes")
    body = json.dumps({"kind": "đính chính"}, ensure_ascii=False)
    assert shlex.split(texts["curl"].replace("\\\n", " "))[-2:] == ["-d", body]
    assert f"json=json.loads({json.dumps(body)})" in texts["Python"]
    for language in ("JavaScript", "Java", "C#"):
        assert json.dumps(body) in texts[language], language


def hostile() -> dict[str, Any]:
    path = "/x/{a}"
    operation = {
        "parameters": [
            {"name": "a", "in": "path", "example": HOSTILE},
            {"name": HOSTILE, "in": "query", "required": True, "example": HOSTILE},
        ],
        "requestBody": {"content": {"application/json": {"example": {"x": HOSTILE}}}},
    }
    return {"paths": {path: {"post": operation}}}


def test_what_a_provider_writes_is_no_command_of_a_shell() -> None:
    texts = call("POST", "/x/{a}", hostile())
    for language in ("lienthong", "curl"):
        lines = texts[language].replace("\\\n", " ").splitlines()
        words = shlex.split(" ".join(lines[-1:]) if language == "lienthong" else "\n".join(lines))
        assert ";" not in words
        assert "rm" not in words
        assert json.loads(words[-1]) == {"x": HOSTILE}


def test_what_a_provider_writes_is_a_literal_of_the_language() -> None:
    texts = call("POST", "/x/{a}", hostile())
    tree = ast.parse(texts["Python"])
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names == {"Client", "client", "answer", "json", "print"}
    (body,) = [
        ast.literal_eval(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "json.loads"
    ]
    assert json.loads(body) == {"x": HOSTILE}
    literal = json.dumps(json.dumps({"x": HOSTILE}))
    for language in ("JavaScript", "Java", "C#"):
        assert literal in texts[language], language
        assert HOSTILE not in texts[language]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"paths": {"/x": {"get": {"parameters": [5, {"$ref": "#/x"}, {"name": 1, "in": 2}]}}}},
        {"paths": {"/x": {"$ref": "#/paths/~1x"}}},
        {"paths": {"/x": {"get": {"requestBody": {"content": {"application/json": 5}}}}}},
    ],
)
def test_a_document_that_says_little_has_a_plain_call(document: dict[str, Any]) -> None:
    assert f"{GATEWAY}/api/{SERVICE}/x" in call("GET", "/x", document)["curl"]
