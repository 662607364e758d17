"""An agency's event types as an AsyncAPI 3.0 document."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lienthong.catalog.domain.resources import Resource, ResourceKind
from lienthong.catalog.event_types.domain.asyncapi import document
from tests.unit.catalog.manifests import NOW

CHANGED, SOLD = "H11.05/land/parcel-changed-v1", "H11.05/land/parcel-sold-v2"
URL = "https://lgsp.example.vn"


def event_type(identity: str, **schema: object) -> Resource:
    """An event type."""
    return Resource(
        kind=ResourceKind.EVENT_TYPE,
        id=identity,
        spec={"name": {"vi": "Biến động", "en": "Change"}, "dataSchema": schema},
        status="active",
        version=7,
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.fixture
def made() -> dict[str, Any]:
    """The document of two event types."""
    parts = {"$defs": {"id": {"type": "string", "minLength": 3}}}
    changed = event_type(CHANGED, type="object", properties={"parcelId": {"$ref": "#/$defs/id"}}, **parts)
    return document("H11.05", {"vi": "Sở", "en": "Department"}, [changed, event_type(SOLD)], URL)


def found(document: dict[str, Any], reference: str) -> Any:  # noqa: ANN401 - any part of a document
    """What a reference within the document leads to."""
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_every_reference_leads_somewhere_and_each_event_type_has_channel_and_operation(
    made: dict[str, Any],
) -> None:
    assert {one["address"] for one in made["channels"].values()} == {
        f"/exchange/v1/events/{identity}" for identity in (CHANGED, SOLD)
    }
    assert len(made["operations"]) == 2
    for operation in made["operations"].values():
        [message] = operation["messages"]
        assert found(made, operation["channel"]["$ref"])["messages"]["event"] == found(made, message["$ref"])
    [security] = made["servers"]["gateway"]["security"]
    flows = found(made, security["$ref"])["flows"]
    assert flows["clientCredentials"]["tokenUrl"] == f"{URL}/oauth2/token"
    assert (made["servers"]["gateway"]["protocol"], made["servers"]["gateway"]["host"]) == (
        "https",
        "lgsp.example.vn",
    )


@pytest.mark.parametrize(("parcel", "good"), [("59301", True), ("5", False)])
def test_the_schema_of_an_event_is_read_with_the_parts_of_its_data(
    made: dict[str, Any], parcel: str, good: bool
) -> None:
    channel = made["channels"]["H11.05.land.parcel-changed-v1"]
    schema = channel["messages"]["event"]["payload"]["schema"]
    event = {"specversion": "1.0", "id": "1", "source": "/H11.05/land", "type": CHANGED}
    validator = Draft202012Validator(schema)
    assert validator.is_valid(event | {"data": {"parcelId": parcel}}) is good
    assert not validator.is_valid(event | {"data": {"parcelId": parcel}, "type": SOLD})


def test_an_agency_without_event_types_has_a_document_too() -> None:
    assert document("H11.05", {"vi": "Sở"}, [], URL)["channels"] == {}
