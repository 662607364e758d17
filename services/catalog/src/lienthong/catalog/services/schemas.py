"""The manifest of a service."""

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field
from typing_extensions import override

from lienthong.catalog.domain.resources import ResourceKind, ServiceOperation
from lienthong.catalog.errors import Violation
from lienthong.catalog.schemas.answers import AnswerModel, ResourceManifest, ResourceStatus
from lienthong.catalog.schemas.fields import LocalizedName, Requires, Statement, StrictModel, checked, unique
from lienthong.catalog.schemas.specs import Fields, ProvidedSpec
from lienthong.catalog.services.domain import openapi
from lienthong.catalog.services.domain.origins import check_origins, origin
from lienthong.catalog.services.domain.upstreams import upstream

Upstreams = Annotated[
    list[Annotated[str, checked(upstream)]], Field(min_length=1, max_length=16), AfterValidator(unique)
]
Origins = Annotated[
    list[Annotated[str, checked(origin)]],
    Field(min_length=1, max_length=32),
    AfterValidator(unique),
    checked(check_origins),
]


class CorsSpec(StrictModel):
    """Which pages of other origins browsers let read the service's answers."""

    origins: Origins
    max_age_s: Annotated[int, Field(ge=0, le=86_400)] = 600


class TimeoutsSpec(StrictModel):
    """How long the provider may take for the parts of an exchange, in milliseconds."""

    connect_ms: Annotated[int, Field(ge=10, le=60_000)] | None = None
    first_byte_ms: Annotated[int, Field(ge=10, le=600_000)] | None = None
    idle_ms: Annotated[int, Field(ge=10, le=3_600_000)] | None = None
    total_ms: Annotated[int, Field(ge=10, le=86_400_000)] | None = None


class ServiceSpec(ProvidedSpec):
    """An API that a system provides."""

    kind = ResourceKind.SERVICE

    name: LocalizedName
    upstreams: Upstreams
    timeout_ms: Annotated[int, Field(ge=10, le=600_000)] = 10_000
    timeouts: TimeoutsSpec | None = None
    max_request_bytes: Annotated[int, Field(ge=1, le=1024**3)] = 10_485_760
    write_ahead: bool = False
    cors: CorsSpec | None = None
    requires: Requires | None = None
    assertion: bool | None = None
    openapi: dict[str, Any]

    @override
    @classmethod
    def violations(
        cls, resource_id: str | None, fields: Fields, given: Collection[str]
    ) -> Iterator[Violation]:
        del resource_id, given
        if "openapi" in fields:
            yield from (violation.under("openapi") for violation in openapi.read(fields["openapi"])[1])

    @override
    @classmethod
    def declared_operations(cls, fields: Fields) -> tuple[ServiceOperation, ...]:
        operations, wrong = openapi.read(fields["openapi"]) if "openapi" in fields else ((), ())
        return operations if not wrong else ()


class CorsAnswer(AnswerModel):
    """Which pages of other origins browsers let read the service's answers."""

    origins: list[str]
    max_age_s: int


class TimeoutsAnswer(AnswerModel):
    """How long the provider may take for the parts of an exchange, in milliseconds."""

    connect_ms: int | None = None
    first_byte_ms: int | None = None
    idle_ms: int | None = None
    total_ms: int | None = None


class ServiceSpecAnswer(AnswerModel):
    """The spec of a service as it is shown.

    `upstreams` is shown to its agency and the operator only; lists leave out `openapi`.
    """

    name: LocalizedName
    upstreams: Upstreams | None = None
    timeout_ms: int
    timeouts: TimeoutsAnswer | None = None
    max_request_bytes: int
    write_ahead: bool
    cors: CorsAnswer | None = None
    requires: list[Statement] | None = None
    assertion: bool | None = None
    openapi: dict[str, Any] | None = None


class OperationAnswer(BaseModel):
    """An operation of a service, as its OpenAPI document describes it."""

    id: Annotated[str, Field(description="The operationId.")]
    method: str
    path: Annotated[str, Field(description="The path template.")]


class ServiceManifest(ResourceManifest):
    """A service."""

    kind: Literal["Service"]
    spec: ServiceSpecAnswer
    status: ResourceStatus
    operations: list[OperationAnswer]
