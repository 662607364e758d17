"""Each department's running application does what its written OpenAPI document says, and nothing else."""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI
from jsonschema import Draft202012Validator, FormatChecker

from binh_thuan.departments.__main__ import create_app
from binh_thuan.departments.ports import PORTS
from binh_thuan.departments.web import DOCUMENTS, Surroundings, load_document

Schema = dict[str, Any]
TODAY = date(2025, 6, 30)


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Yield path, method and operation of a document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def resolved(document: Schema, node: Schema) -> Schema:
    """Follow references."""
    while "$ref" in node:
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def shape(document: Schema, schema: Schema) -> Schema:
    """Return what a schema allows, in one form however it was written, without what is only said of it."""
    schema = resolved(document, schema)
    options = schema.get("anyOf")
    if options is None and isinstance(schema.get("type"), list):
        options = [{**schema, "type": one} for one in schema["type"]]
    if options is not None:
        found = [shape(document, {k: v for k, v in one.items() if k != "anyOf"}) for one in options]
        nullable = {"type": "null"} in found
        rest = [one for one in found if one != {"type": "null"}]
        return {"nullable": nullable, "options": rest}
    if schema.get("type") == "null":
        return {"type": "null"}
    kept = ("type", "enum", "format", "pattern", "minimum", "maximum", "minLength", "maxLength", "default")
    result: Schema = {key: schema[key] for key in kept if key in schema}
    if "properties" in schema:
        result["properties"] = {k: shape(document, v) for k, v in schema["properties"].items()}
        result["required"] = sorted(schema.get("required", []))
        result["closed"] = schema.get("additionalProperties") is False
    if "items" in schema:
        result["items"] = shape(document, schema["items"])
    return result


def given(shaped: Schema) -> Schema:
    """Return the shape of a query parameter's value; leaving it out is the same as null."""
    value: Schema = shaped["options"][0] if "options" in shaped else shaped
    return value


def parameters(document: Schema, operation: Schema) -> dict[tuple[str, str], tuple[bool, Schema]]:
    found = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
    return {
        (one["in"], one["name"]): (one.get("required", False), given(shape(document, one["schema"])))
        for one in found
    }


def answer_schema(document: Schema, operation: Schema) -> tuple[str, Schema]:
    status = next(status for status in operation["responses"] if status.startswith("2"))
    return status, resolved(document, operation["responses"][status])["content"]["application/json"]["schema"]


@pytest.fixture(params=list(PORTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(name: str) -> FastAPI:
    return create_app(name, Surroundings(None, lambda: TODAY))


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://department") as opened:
        yield opened


def test_the_application_has_exactly_the_operations_of_the_document(name: str, app: FastAPI) -> None:
    app.openapi_url = "/openapi.json"
    written, running = load_document(name), app.openapi()
    assert sorted((path, method, op["operationId"]) for path, method, op in operations(written)) == sorted(
        (path, method, op["operationId"]) for path, method, op in operations(running)
    )


def test_parameters_bodies_and_answers_have_the_shape_of_the_document(name: str, app: FastAPI) -> None:
    written, running = load_document(name), app.openapi()
    for path, method, operation in operations(written):
        generated = running["paths"][path][method]
        assert parameters(written, operation) == parameters(running, generated), path
        status, schema = answer_schema(written, operation)
        other_status, other_schema = answer_schema(running, generated)
        assert status == other_status
        assert shape(written, schema) == shape(running, other_schema), operation["operationId"]
        if "requestBody" in operation or "requestBody" in generated:
            body, other = (
                shape(document, op["requestBody"]["content"]["application/json"]["schema"])
                for document, op in ((written, operation), (running, generated))
            )
            assert body == other, operation["operationId"]


def example_request(document: Schema, operation: Schema) -> tuple[dict[str, str], object]:
    """Return path parameters and body as the document's own examples give them."""
    given_parameters = [resolved(document, one) for one in operation.get("parameters", [])]
    values = {one["name"]: one["example"] for one in given_parameters if one["in"] == "path"}
    if "requestBody" not in operation:
        return values, None
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    return values, next(iter(examples.values()))["value"]


async def test_the_documents_examples_are_answered_as_the_document_says(
    name: str, client: httpx.AsyncClient
) -> None:
    document = load_document(name)
    writes_first = sorted(operations(document), key=lambda one: one[1] != "post")
    for path, method, operation in writes_first:
        status, schema = answer_schema(document, operation)
        values, body = example_request(document, operation)
        answer = await client.request(method, path.format(**values), json=body)
        assert answer.status_code == int(status), answer.text
        assert answer.headers["content-type"] == "application/json"
        whole = {**schema, "components": document["components"]}
        Draft202012Validator(whole, format_checker=FormatChecker()).validate(answer.json())
        if operation["operationId"].startswith("list"):
            assert answer.json()["items"]
        assert answer.json().get("verified", True)


async def test_the_documents_example_searches_find_something(name: str, client: httpx.AsyncClient) -> None:
    document = load_document(name)
    for path, _method, operation in operations(document):
        for parameter in (resolved(document, one) for one in operation.get("parameters", [])):
            if parameter["in"] == "query" and "example" in parameter and "{" not in path:
                found = await client.get(path, params={parameter["name"]: parameter["example"]})
                assert found.json()["total"] > 0, (path, parameter["name"])


async def test_the_document_is_served_as_it_was_written(name: str, client: httpx.AsyncClient) -> None:
    text = (await client.get("/openapi.yaml")).content
    assert text == (DOCUMENTS / f"{name}.yaml").read_bytes()
    assert (await client.get("/openapi.json")).json() == yaml.safe_load(text)


async def test_what_is_not_there_is_a_problem_in_both_languages(name: str, client: httpx.AsyncClient) -> None:
    document = load_document(name)
    path = next(path for path, method, _ in operations(document) if method == "get" and "{" in path)
    missing = {
        "personalId": "0" * 12, "householdNumber": "0" * 10, "procedureCode": "9.999999", "parcelId": "1-1-1",
    }  # fmt: skip
    url = path
    for parameter in (path.split("{")[1].split("}")[0],):
        url = path.replace(f"{{{parameter}}}", missing.get(parameter, "X"))
    answer = await client.get(url)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert " · " in answer.json()["detail"]


async def test_a_page_size_out_of_bounds_is_refused_by_name(name: str, client: httpx.AsyncClient) -> None:
    document = load_document(name)
    path = next(
        path for path, _, op in operations(document) if op["operationId"].startswith(("list", "search"))
    )
    answer = await client.get(path, params={"pageSize": 101})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/pageSize"


def test_every_operation_speaks_both_languages(name: str) -> None:
    document = load_document(name)
    assert document["openapi"].startswith("3.1")
    for _path, _method, operation in operations(document):
        vietnamese, _, english = operation["summary"].partition(" · ")
        assert vietnamese
        assert english
