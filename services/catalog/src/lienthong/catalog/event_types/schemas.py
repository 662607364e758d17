"""The manifest of an event type."""

from collections.abc import Collection, Iterator
from typing import Any, Literal

from pydantic import BaseModel, Field
from typing_extensions import override

from lienthong.catalog.domain import json_schemas
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation
from lienthong.catalog.schemas.answers import ResourceManifest, ResourceStatus
from lienthong.catalog.schemas.fields import LocalizedName, PersonalData
from lienthong.catalog.schemas.specs import Fields, ProvidedSpec


class EventTypeSpec(ProvidedSpec):
    """A kind of event that a system publishes."""

    kind = ResourceKind.EVENT_TYPE

    name: LocalizedName
    personal_data: PersonalData | None = None
    data_schema: dict[str, Any]

    @override
    @classmethod
    def violations(
        cls, resource_id: str | None, fields: Fields, given: Collection[str]
    ) -> Iterator[Violation]:
        del resource_id, given
        if "data_schema" in fields:
            yield from (
                violation.under("dataSchema") for violation in json_schemas.violations(fields["data_schema"])
            )


class EventTypeManifest(ResourceManifest):
    """An event type."""

    kind: Literal["EventType"]
    spec: EventTypeSpec
    status: ResourceStatus


class AsyncApiDocument(BaseModel):
    """A document of AsyncAPI 3.0."""

    asyncapi: Literal["3.0.0"]
    id: str
    default_content_type: str = Field(alias="defaultContentType")
    info: dict[str, Any]
    servers: dict[str, Any]
    channels: dict[str, Any]
    operations: dict[str, Any]
    components: dict[str, Any]
