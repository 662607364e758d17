"""The fields that a form offers are paths of the operation's answer, and such that an agreement takes."""

from __future__ import annotations

from typing import Any

import pytest

from lienthong.console.finding.answers import MOST_FIELDS, fields_of
from lienthong.kit.field_paths import steps

TEXT = {"type": "string"}


def document(schema: object, **components: Any) -> dict[str, Any]:  # noqa: ANN401
    answer = {"content": {"application/json": {"schema": schema}}}
    return {
        "paths": {"/x": {"get": {"responses": {"404": {}, "200": answer}}}},
        "components": {"schemas": components},
    }


def an_object(**members: object) -> dict[str, Any]:
    return {"type": "object", "properties": members}


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        (an_object(id=TEXT, name=TEXT), ["id", "name"]),
        (an_object(mother=an_object(fullName=TEXT, id=TEXT)), ["mother.fullName", "mother.id"]),
        ({"type": "array", "items": an_object(id=TEXT)}, ["[*].id"]),
        (an_object(items={"type": "array", "items": an_object(id=TEXT)}), ["items[*].id"]),
        (an_object(tags={"type": "array", "items": TEXT}), ["tags[*]"]),
        ({"allOf": [{"$ref": "#/components/schemas/Base"}, an_object(more=TEXT)]}, ["id", "more"]),
        ({"$ref": "#/components/schemas/Base"}, ["id"]),
        (an_object(**{"họ tên": TEXT, "a.b": TEXT, "x\ty": TEXT, "": TEXT}), ['["họ tên"]', '["a.b"]']),
        (TEXT, []),
        (5, []),
        ({"$ref": "#/nowhere"}, []),
    ],
)
def test_fields_are_those_of_the_answer(schema: object, fields: list[str]) -> None:
    found = fields_of(document(schema, Base=an_object(id=TEXT)), "GET", "/x")
    assert found == fields
    for path in found:
        steps(path)


def test_a_schema_within_itself_ends() -> None:
    person = an_object(name=TEXT, parent={"$ref": "#/components/schemas/Person"})
    found = fields_of(document({"$ref": "#/components/schemas/Person"}, Person=person), "GET", "/x")
    assert found == ["name", "parent.name", "parent.parent.name", "parent.parent.parent"]


def test_there_are_no_more_than_a_form_has_room_for() -> None:
    many = {f"member{number}": TEXT for number in range(MOST_FIELDS * 2)}
    assert len(fields_of(document(an_object(**many)), "GET", "/x")) == MOST_FIELDS


def test_a_document_without_an_answer_has_none() -> None:
    assert fields_of({}, "GET", "/x") == []
    assert fields_of({"paths": {"/x": {"get": {"responses": {"200": {"content": 5}}}}}}, "GET", "/x") == []
