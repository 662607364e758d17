"""The manifest of a service."""

from collections.abc import Collection, Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from typing_extensions import override

from lienthong.catalog.domain.resources import ResourceKind, ServiceOperation
from lienthong.catalog.errors import Violation
from lienthong.catalog.schemas.fields import LocalizedName, checked, unique
from lienthong.catalog.schemas.specs import Fields, ProvidedSpec
from lienthong.catalog.services.domain import openapi
from lienthong.catalog.services.domain.upstreams import upstream

Upstreams = Annotated[
    list[Annotated[str, checked(upstream)]], Field(min_length=1, max_length=16), AfterValidator(unique)
]


class ServiceSpec(ProvidedSpec):
    """An API that a system provides."""

    kind = ResourceKind.SERVICE

    name: LocalizedName
    upstreams: Upstreams
    timeout_ms: Annotated[int, Field(ge=10, le=600_000)] = 10_000
    max_request_bytes: Annotated[int, Field(ge=1, le=1024**3)] = 10_485_760
    write_ahead: bool = False
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
