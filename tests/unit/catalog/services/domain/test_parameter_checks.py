"""What parameters are checked against, as an OpenAPI document says it, or why they cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lienthong.catalog.domain.checks import ParameterForm, ParameterForms, ParameterShape, Spelling
from lienthong.catalog.domain.persons import ParameterLocation
from lienthong.catalog.domain.resources import ServiceOperation
from lienthong.catalog.services.domain import checks, openapi, value_types
from lienthong.catalog.services.domain.checks import MAX_BYTES, MAX_NAMES, MAX_PARAMETERS
from lienthong.catalog.services.domain.value_types import MAX_MEMBERS, MAX_STEPS
from lienthong.catalog.services.schemas import ServiceSpec
from lienthong.kit.json_pointer import pointer

QUERY = ParameterLocation.QUERY
PARAMETERS = "/paths/~1people~1{id}/get/parameters"
TEXT, NUMBER, BOOLEAN = Spelling(), Spelling(numbers=True), Spelling(booleans=True)
POINT = {"type": "object", "properties": {"x": {"type": "number"}, "name": {"type": "string"}}}
MEMBERS = (("x", NUMBER), ("name", TEXT))


def document(*parameters: Any, version: str = "3.1.0", **components: Any) -> dict[str, Any]:  # noqa: ANN401
    operation = {"operationId": "op", "parameters": list(parameters)}
    return {
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "paths": {"/people/{id}": {"get": operation}},
        "components": components,
    }


def query(schema: Any, /, **members: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"name": "a", "in": "query", "schema": schema, **members}


def forms(found: dict[str, Any], **options: Any) -> ParameterForms:  # noqa: ANN401
    (operation,), wrong = openapi.read(found, check_requests=True, **options)
    assert wrong == ()
    assert ServiceOperation.read(json.loads(json.dumps(operation.stored()))) == operation
    assert operation.checks is not None
    assert operation.checks.parameters is not None
    return operation.checks.parameters


def form(found: dict[str, Any]) -> ParameterForm:
    [one] = forms(found).parameters
    return one


def wrong(found: dict[str, Any]) -> list[str]:
    return [pointer(one.path) for one in openapi.read(found, check_requests=True)[1]]


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        ({"type": "string"}, TEXT),
        ({}, TEXT),
        (True, TEXT),
        ({"pattern": "^a"}, TEXT),
        ({"type": "integer"}, NUMBER),
        ({"type": ["number", "null"]}, NUMBER),
        ({"type": "boolean"}, BOOLEAN),
        ({"type": ["number", "boolean"]}, Spelling(numbers=True, booleans=True)),
        ({"enum": [1, 2.5]}, NUMBER),
        ({"enum": ["a", None]}, TEXT),
        ({"const": True}, BOOLEAN),
        ({"$ref": "#/components/schemas/N"}, NUMBER),
        ({"$ref": "#/components/schemas/Deep/properties/n"}, NUMBER),
        ({"allOf": [{"$ref": "#/components/schemas/N"}, {"maximum": 5}]}, NUMBER),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, NUMBER),
        ({"oneOf": [{"type": "integer", "maximum": 1}, {"type": "number", "minimum": 5}]}, NUMBER),
        ({"type": ["string", "number"], "enum": ["a"]}, TEXT),
        ({"type": "integer", "not": {"const": 5}}, NUMBER),
        ({"not": {"enum": ["a", None]}, "minLength": 1}, TEXT),
    ],
)
def test_what_text_stands_for_is_told_from_the_schema(schema: Any, values: Spelling) -> None:  # noqa: ANN401
    found = document(
        query(schema),
        schemas={"N": {"type": "integer"}, "Deep": {"properties": {"n": {"type": "number"}}}},
    )
    assert form(found) == ParameterForm(QUERY, "a", values=values)


@pytest.mark.parametrize(
    ("stated", "shape", "separator"),
    [
        ({}, ParameterShape.LIST, ""),
        ({"explode": False}, ParameterShape.LIST, ","),
        ({"style": "spaceDelimited"}, ParameterShape.LIST, " "),
        ({"style": "pipeDelimited", "explode": False}, ParameterShape.LIST, "|"),
        ({"style": "pipeDelimited", "explode": True}, ParameterShape.LIST, ""),
        ({"in": "header"}, ParameterShape.LIST, ","),
        ({"in": "header", "explode": True}, ParameterShape.LIST, ","),
        ({"in": "path", "name": "id"}, ParameterShape.LIST, ","),
    ],
)
def test_lists_by_their_style(stated: dict[str, Any], shape: ParameterShape, separator: str) -> None:
    items = {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}
    for schema in (items, {"anyOf": [items, {"type": "null"}]}):
        found = form(document(query(schema, **stated)))
        assert (found.shape, found.separator, found.values) == (shape, separator, NUMBER)


@pytest.mark.parametrize(
    ("stated", "shape", "separator"),
    [
        ({}, ParameterShape.MEMBERS, ""),
        ({"explode": False}, ParameterShape.ALTERNATING, ","),
        ({"style": "spaceDelimited"}, ParameterShape.ALTERNATING, " "),
        ({"style": "pipeDelimited"}, ParameterShape.ALTERNATING, "|"),
        ({"style": "deepObject", "explode": True}, ParameterShape.BRACKETS, ""),
        ({"style": "deepObject"}, ParameterShape.BRACKETS, ""),
        ({"in": "header"}, ParameterShape.ALTERNATING, ","),
        ({"in": "path", "name": "id", "explode": True}, ParameterShape.PAIRS, ","),
    ],
)
def test_objects_by_their_style(stated: dict[str, Any], shape: ParameterShape, separator: str) -> None:
    found = form(document(query(POINT, **stated)))
    assert (found.shape, found.separator, found.members) == (shape, separator, MEMBERS)


def test_members_are_found_wherever_the_schema_names_them() -> None:
    schema = {
        "allOf": [{"$ref": "#/components/schemas/P"}],
        "properties": {"n": {"type": "boolean"}},
        "additionalProperties": {"type": "integer"},
    }
    found = form(document(query(schema | {"type": "object"}, style="deepObject"), schemas={"P": POINT}))
    assert dict(found.members) == {"n": BOOLEAN, **dict(MEMBERS)}
    assert found.values == NUMBER


def test_all_parameters_are_one_schema_with_all_that_they_refer_to() -> None:
    point = {"$ref": "#/components/schemas/P"}
    found = document(
        query(point, style="deepObject", required=True),
        {"$ref": "#/components/parameters/Id"},
        {"name": "X-N", "in": "header", "schema": {"type": "integer"}},
        schemas={"P": POINT},
        parameters={"Id": {"name": "id", "in": "path", "required": True, "schema": {"minLength": 2}}},
    )
    found["paths"]["/people/{id}"]["parameters"] = [query({"type": "integer"}), query({}, name="b")]
    read = forms(found)
    assert [(one.location.value, one.name, one.required) for one in read.parameters] == [
        ("query", "a", True),
        ("path", "id", True),
        ("header", "X-N", False),
        ("query", "b", False),
    ]
    assert json.loads(read.schema) == {
        "properties": {
            "query": {"properties": {"a": {"$ref": "#/$defs/P"}, "b": {}}},
            "path": {"properties": {"id": {"minLength": 2}}},
            "header": {"properties": {"X-N": {"type": "integer"}}},
        },
        "$defs": {"P": POINT},
    }


def test_parameters_of_3_0_are_rewritten() -> None:
    schema = {"type": "integer", "nullable": True, "minimum": 0, "exclusiveMinimum": True}
    read = forms(document(query(schema), version="3.0.3"))
    assert read.parameters == (ParameterForm(QUERY, "a", values=NUMBER),)
    assert json.loads(read.schema)["properties"]["query"]["properties"]["a"] == {
        "type": ["integer", "null"],
        "exclusiveMinimum": 0,
    }


def test_content_is_json_or_not_looked_into() -> None:
    def content(media_type: str, one: Any) -> dict[str, Any]:  # noqa: ANN401
        return document({"name": "a", "in": "query", "content": {media_type: one}}, version="3.2.0")

    read = forms(content("application/json", {"schema": POINT}))
    assert read.parameters == (ParameterForm(QUERY, "a", shape=ParameterShape.JSON),)
    assert json.loads(read.schema)["properties"]["query"]["properties"]["a"] == POINT
    for other in (content("text/csv", {"schema": POINT}), content("application/json", {})):
        assert form(other) == ParameterForm(QUERY, "a")


@pytest.mark.parametrize("name", ["Accept", "content-type", "AUTHORIZATION", "LGSP-User", "X-Api-Key"])
def test_fields_that_callers_are_not_asked_for_are_not_looked_at(name: str) -> None:
    found = document({"name": name, "in": "header", "required": True})
    (operation,), wrong = openapi.read(found, check_requests=True, shown={"x-api-key"})
    assert wrong == ()
    assert operation.checks is not None
    assert operation.checks.parameters is None


def test_what_a_manifest_has_shown_is_not_asked_of_callers() -> None:
    key = {"name": "X-Api-Key", "in": "header", "required": True, "schema": {"type": "string"}}
    fields = {
        "openapi": document(key),
        "checks": {"requests": "enforce"},
        "name": {"vi": "T", "en": "T"},
        "upstreams": ["http://10.0.0.5:8201"],
    }
    shown = {"credentials": [{"kind": "header", "secret": "core", "header": "X-Api-Key"}]}
    for more, count in ((fields, 1), (fields | shown, 0)):
        spec = ServiceSpec.model_validate(more)
        declared = ServiceSpec.declared({name: getattr(spec, name) for name in type(spec).model_fields})
        [operation] = declared.operations or ()
        assert operation.checks is not None
        parameters = operation.checks.parameters
        assert len(parameters.parameters if parameters is not None else ()) == count


def test_nothing_is_read_of_parameters_where_requests_are_not_checked() -> None:
    found = document(query({"$ref": "elsewhere.yaml"}))
    (operation,), wrong = openapi.read(found, check_answers=True)
    assert wrong == ()
    assert operation.checks is not None
    assert operation.checks.parameters is None


def test_checks_that_were_stored_before_have_no_parameters() -> None:
    stored = {"id": "a", "method": "GET", "path": "/", "checks": {"request": None, "answers": []}}
    checks = ServiceOperation.read(stored).checks
    assert checks is not None
    assert checks.parameters is None


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        (query({}, style="label", name="id") | {"in": "path"}, "style 'label'"),
        (query({}, style="simple"), "style 'simple'"),
        (query({}, style="cookie"), "style 'cookie'"),
        ({"name": "a", "in": "header", "schema": {}, "style": "form"}, "style 'form'"),
        ({"name": "a", "in": "cookie", "schema": {}}, "cookies do not pass"),
        ({"name": "a", "in": "querystring", "content": {"text/plain": {}}}, "parameters are in"),
        ({"name": "other", "in": "path", "schema": {}}, "the path has no"),
        ({"in": "query", "schema": {}}, "has no name"),
        ({"name": ["a"], "in": "query", "schema": {}}, "has no name"),
        ({"name": "a", "in": ["query"], "schema": {}}, "parameters are in"),
        ({"name": "a", "in": {}, "schema": {}}, "parameters are in"),
        ({"name": "a", "in": "query"}, "either a 'schema'"),
        (query(False), "either a 'schema'"),
        (query({}, content={"text/plain": {}}), "either a 'schema'"),
        ({"name": "a", "in": "query", "content": {"text/plain": {}, "text/csv": {}}}, "either a 'schema'"),
        ({"name": "a", "in": "query", "content": {"json": {}}}, "no media type"),
        (query({}, allowEmptyValue=True), "allowEmptyValue"),
        (query({"type": ["string", "integer"]}), "number, string"),
        (query({"anyOf": [{"type": "string"}, {"type": "array"}]}), "array, string"),
        (query({"type": "null"}), "no text can be"),
        (query({"type": "string", "enum": [1]}), "no text can be"),
        (query({"type": "array", "items": {"type": "array"}}), "inside a parameter's"),
        (query({"type": "array", "items": POINT}), "inside a parameter's"),
        (query({"type": "object", "properties": {"b": POINT}}, style="deepObject"), "inside a parameter's"),
        (query({"type": "array", "prefixItems": [{}]}), "'prefixItems'"),
        (query({"type": "object", "patternProperties": {"a": {}}}, explode=False), "'patternProperties'"),
        (query({"if": {"const": "1"}}), "'if'"),
        (query(POINT | {"dependencies": {"x": {}}}), "'dependencies'"),
        *(
            (query({word: value}), f"'{word}' says nothing of text")
            for word, value in {
                "minimum": 0,
                "maximum": 100,
                "multipleOf": 2,
                "items": {"type": "integer"},
                "maxItems": 2,
                "properties": {"x": {"type": "integer"}},
                "required": ["x"],
            }.items()
        ),
        (query({"allOf": [{"anyOf": [{"pattern": "a"}, {"maximum": 1}]}]}), "'maximum' says nothing"),
        (query({"$ref": "#/components/schemas/Most"}), "'maximum' says nothing"),
        (query({"type": "array", "items": {"maximum": 9}}), "'maximum' says nothing"),
        (query({"type": "object", "properties": {"b": {"minimum": 0}}}), "'minimum' says nothing"),
        (
            query({"type": "object", "additionalProperties": {"minimum": 0}}, style="deepObject"),
            "'minimum' says nothing",
        ),
        (query({"not": {"const": 5}}), "is of no text"),
        (query({"not": {"enum": ["a", True]}}), "is of no text"),
        (query(POINT | {"not": {"properties": {"name": {"const": 7}, "y": {"const": 7}}}}), "is of no text"),
        (
            query({"type": "object", "properties": {"b": {}}, "not": {"properties": {"b": {"const": 7}}}}),
            "is of no text",
        ),
        (query({}, name="id}/{", **{"in": "path"}), "the path has no"),
        (query({}, name="X\r\nY: z", **{"in": "header"}), "a header field has a name"),
        (query({}, name="X-Ký", **{"in": "header"}), "a header field has a name"),
        *(
            (query({}, name=name, required=True, **{"in": "header"}), "never passes")
            for name in ("Host", "X-Real-IP", "x_forwarded_for", "X-Forwarded-Proto", "Cookie", "Forwarded")
        ),
        (query({"type": "object"}), "members that the schema does not name"),
        (query(POINT | {"additionalProperties": {}}), "members that the schema does not name"),
        (query(POINT, style="pipeDelimited", explode=True), "are not exploded"),
        (query({"type": "array"}, style="deepObject"), "is for objects"),
        (query({"$ref": "elsewhere.yaml"}), "is followed only where"),
        (query({"$ref": "#/components/schemas/None"}), "refers to nothing"),
        (query({"type": "strin"}), "not valid JSON Schema"),
        (query({"pattern": "(?=a)"}), "must be matched in one pass"),
        (query({"$ref": "#/components/schemas/Round"}), "refers to itself"),
        (
            query({"type": "object", "properties": {f"m{n}": {} for n in range(MAX_MEMBERS + 1)}}),
            f"more than {MAX_MEMBERS} members",
        ),
    ],
)
def test_what_cannot_be_checked_is_refused_with_its_place(parameter: dict[str, Any], reason: str) -> None:
    found = document(
        query({}, name="before"),
        parameter,
        schemas={"Most": {"maximum": 1}, "Round": {"allOf": [{"$ref": "#/components/schemas/Round"}]}},
    )
    [violation] = openapi.read(found, check_requests=True)[1]
    # Of what two schemas make together, the place is that of the list.
    assert pointer(violation.path) in {f"{PARAMETERS}/1", PARAMETERS}
    assert reason in violation.text.en


def test_a_reference_to_a_parameter_that_leads_nowhere_is_refused() -> None:
    assert wrong(document({"$ref": "#/components/parameters/None"})) == [PARAMETERS]


def test_so_many_parameters_are_checked_and_no_more() -> None:
    parameters = [query({}, name=f"p{n}") for n in range(MAX_PARAMETERS + 1)]
    assert len(forms(document(*parameters[1:])).parameters) == MAX_PARAMETERS
    assert wrong(document(*parameters)) == [PARAMETERS]


def test_the_schemas_of_all_parameters_have_a_size() -> None:
    large = {"description": "x" * 60_000}
    found = document()
    found["paths"] = {
        f"/{n}": {"get": {"operationId": f"o{n}", "parameters": [query(large | {"title": f"{n}"})]}}
        for n in range(2 * MAX_BYTES // 60_000)
    }
    [violation] = openapi.read(found, check_requests=True)[1]
    assert violation.path == ("paths", f"/{MAX_BYTES // 60_000}", "get", "parameters")


def objects(members: int, length: int) -> dict[str, Any]:
    """So many parameters with members of names so long, all of one schema: names that no schema repeats."""
    named: dict[str, Any] = {f"{n:03}".ljust(length, "x"): {} for n in range(MAX_MEMBERS)}
    deep = {"style": "deepObject"}
    found = [query({"$ref": "#/components/schemas/P"}, name=f"p{n:02}", **deep) for n in range(members // 64)]
    if more := members % MAX_MEMBERS:
        rest = dict(list(named.items())[:more])
        found.append(query({"type": "object", "properties": rest}, name="p99", **deep))
    return document(*found, schemas={"P": {"type": "object", "properties": named}})


@pytest.mark.parametrize(
    ("within", "beyond", "reason"),
    [
        ((checks.MAX_MEMBERS, 3), (checks.MAX_MEMBERS + 1, 3), f"more than {checks.MAX_MEMBERS} members"),
        ((MAX_MEMBERS, 255), (MAX_MEMBERS, 256), f"more than {MAX_NAMES} bytes together"),
    ],
    ids=["members", "names"],
)
def test_what_gateways_keep_of_the_parameters_of_an_operation_has_a_size(
    within: tuple[int, int], beyond: tuple[int, int], reason: str
) -> None:
    assert forms(objects(*within)).parameters
    [violation] = openapi.read(objects(*beyond), check_requests=True)[1]
    assert pointer(violation.path) == PARAMETERS
    assert reason in violation.text.en


def test_the_names_of_members_count_with_the_schemas() -> None:
    found = objects(MAX_MEMBERS, 200)
    [operation] = [item["get"] for item in found["paths"].values()]
    found["paths"] = {
        f"/{n}": {"get": operation | {"operationId": f"o{n}"}} for n in range(MAX_BYTES // 20_000)
    }
    [violation] = openapi.read(found, check_requests=True)[1]
    assert f"more than {MAX_BYTES} bytes together" in violation.text.en


def test_a_document_whose_parameters_refer_to_too_much_is_refused_in_time() -> None:
    """Each reference leads to two more: what is looked at is counted, over the whole document."""
    schemas: dict[str, Any] = {
        f"S{n}": {"allOf": [{"$ref": f"#/components/schemas/S{n + 1}"} for _ in range(2)]} for n in range(10)
    }
    schemas["S10"] = {"type": "string"}
    found = document(schemas=schemas)
    found["paths"] = {
        f"/{n}": {
            "get": {
                "operationId": f"o{n}",
                "parameters": [query({"$ref": "#/components/schemas/S0", "title": f"{n}"})],
            }
        }
        for n in range(100)
    }
    wrong = openapi.read(found, check_requests=True)[1]
    assert len(wrong) > 100 - MAX_STEPS // 2**11
    assert all("refer to too much" in one.text.en for one in wrong)


def test_an_enum_that_is_referred_to_often_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """15 references to 15 references to it: how often it is come to is counted, not how long it is."""
    read: list[int] = []
    own_types = value_types._own_types

    def noted(node: dict[str, Any]) -> value_types.Types:
        read.append(id(node))
        return own_types(node)

    monkeypatch.setattr(value_types, "_own_types", noted)
    schemas: dict[str, Any] = {"A": {"type": "integer", "enum": [*range(1000)]}}
    for name, of in ("BA", "CB", "DC"):
        schemas[name] = {"allOf": [{"$ref": f"#/components/schemas/{of}"} for _ in range(15)]}
    assert form(document(query({"$ref": "#/components/schemas/D"}), schemas=schemas)).values == NUMBER
    assert len(read) == len(set(read))


def test_a_long_chain_of_references_is_refused() -> None:
    schemas: dict[str, Any] = {f"S{n}": {"$ref": f"#/components/schemas/S{n + 1}"} for n in range(100)}
    schemas["S100"] = {"type": "string"}
    found = document(query({"$ref": "#/components/schemas/S0"}), schemas=schemas)
    assert wrong(found) == [f"{PARAMETERS}/0"]
