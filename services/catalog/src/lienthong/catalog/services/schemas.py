"""The manifest of a service."""

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError
from typing_extensions import override

from lienthong.catalog.domain.drafts import Reference
from lienthong.catalog.domain.resources import ResourceKind, ServiceOperation
from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.schemas.answers import AnswerModel, ResourceManifest, ResourceStatus
from lienthong.catalog.schemas.fields import (
    LocalizedName,
    PersonalData,
    Requires,
    Statement,
    StrictModel,
    checked,
    unique,
)
from lienthong.catalog.schemas.lifecycle import LifecycleAnswer, LifecycleSpec
from lienthong.catalog.schemas.limits import ServiceLimitsAnswer, ServiceLimitsSpec
from lienthong.catalog.schemas.messages import pydantic_error
from lienthong.catalog.schemas.resilience import (
    BreakerAnswer,
    BreakerSpec,
    BulkheadAnswer,
    BulkheadSpec,
    HealthCheckAnswer,
    HealthCheckSpec,
    IdempotencyAnswer,
    IdempotencySpec,
    Weights,
)
from lienthong.catalog.schemas.specs import Declared, Fields, ProvidedSpec
from lienthong.catalog.services.domain import shown, wsdl
from lienthong.catalog.services.domain.documents import Described, described
from lienthong.catalog.services.domain.origins import check_origins, origin
from lienthong.catalog.services.domain.upstreams import repeated_paths, upstream
from lienthong.kit.text import BilingualText

Upstreams = Annotated[
    list[Annotated[str, checked(upstream)]], Field(min_length=1, max_length=16), AfterValidator(unique)
]
Origins = Annotated[
    list[Annotated[str, checked(origin)]],
    Field(min_length=1, max_length=32),
    AfterValidator(unique),
    checked(check_origins),
]


_ONE_DOCUMENT = BilingualText(
    "a service is described by one document: give 'openapi' or, where it speaks SOAP, 'wsdl'",
    "dịch vụ được mô tả bằng một tài liệu: nêu 'openapi' hoặc, với dịch vụ SOAP, 'wsdl'",
)


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


SecretName = Annotated[str, checked(shown.secret_name)]


class CredentialSpec(StrictModel):
    """Something that the gateway shows to the provider; which fields belong to it depends on its kind."""

    kind: Literal["header", "basic", "oauth2", "lgspaccesstoken"]
    secret: SecretName
    header: Annotated[str, checked(shown.header_name)] | None = None
    token_url: Annotated[str, checked(shown.token_url)] | None = None
    scope: Annotated[str, checked(shown.scope)] | None = None
    client_authentication: Literal["basic", "body"] | None = None

    @model_validator(mode="after")
    def _fields_of_the_kind(self) -> Self:
        if self.kind == "header" and self.header is None:
            raise pydantic_error(
                InvalidValueError(
                    "'header' is missing: the field that carries the secret",
                    "còn thiếu 'header': trường mang bí mật",
                )
            )
        if self.kind == "oauth2" and self.token_url is None:
            raise pydantic_error(
                InvalidValueError(
                    "'tokenUrl' is missing: where access tokens are issued",
                    "còn thiếu 'tokenUrl': nơi cấp mã truy cập",
                )
            )
        if self.kind != "header" and self.header is not None:
            raise _not_of(self.kind, "header")
        if self.kind != "oauth2":
            for name in ("token_url", "scope", "client_authentication"):
                if getattr(self, name) is not None:
                    raise _not_of(self.kind, to_camel(name))
        return self

    @property
    def field(self) -> str:
        """The header field that it takes."""
        if self.kind == "header":
            return self.header or ""
        return "lgspaccesstoken" if self.kind == "lgspaccesstoken" else "authorization"


def _not_of(kind: str, field: str) -> PydanticCustomError:
    return pydantic_error(
        InvalidValueError(
            f"'{field}' does not belong to the kind '{kind}'; leave it out",
            f"'{field}' không thuộc loại '{kind}'; hãy bỏ đi",
        )
    )


def _one_of_each_field(credentials: list[CredentialSpec]) -> list[CredentialSpec]:
    fields = [credential.field for credential in credentials]
    for field in fields:
        if fields.count(field) > 1:
            raise pydantic_error(
                InvalidValueError(
                    f"two of them are shown in the field '{field}'; keep one",
                    f"hai mục cùng dùng trường '{field}'; chỉ giữ một",
                )
            )
    return credentials


class TlsSpec(StrictModel):
    """TLS to the provider."""

    certificate: SecretName | None = None
    authority: SecretName | None = None


class XRoadSpec(StrictModel):
    """The gateway as a client behind a security server of X-Road."""

    client: Annotated[str, checked(shown.x_road_client)]
    service: Annotated[str, checked(shown.x_road_service)]


CheckMode = Literal["enforce", "report", "off"]


class ChecksSpec(StrictModel):
    """Whether requests and answers are checked against the service's OpenAPI document."""

    requests: CheckMode = "off"
    answers: CheckMode = "off"


class ServiceSpec(ProvidedSpec):
    """An API that a system provides."""

    kind = ResourceKind.SERVICE

    name: LocalizedName
    lifecycle: LifecycleSpec | None = None
    upstreams: Upstreams
    weights: Weights | None = None
    breaker: BreakerSpec | None = None
    bulkhead: BulkheadSpec | None = None
    health_check: HealthCheckSpec | None = None
    idempotency: IdempotencySpec | None = None
    timeout_ms: Annotated[int, Field(ge=10, le=600_000)] = 10_000
    timeouts: TimeoutsSpec | None = None
    max_request_bytes: Annotated[int, Field(ge=1, le=1024**3)] = 10_485_760
    write_ahead: bool = False
    cors: CorsSpec | None = None
    requires: Requires | None = None
    assertion: bool | None = None
    credentials: (
        Annotated[list[CredentialSpec], Field(min_length=1, max_length=4), AfterValidator(_one_of_each_field)]
        | None
    ) = None
    tls: TlsSpec | None = None
    x_road: XRoadSpec | None = None
    personal_data: PersonalData | None = None
    limits: ServiceLimitsSpec | None = None
    checks: ChecksSpec | None = None
    openapi: dict[str, Any] | None = None
    wsdl: Annotated[str, Field(min_length=1)] | None = None

    @override
    @classmethod
    def violations(
        cls, resource_id: str | None, fields: Fields, given: Collection[str]
    ) -> Iterator[Violation]:
        yield from _own_successor(resource_id, fields)
        tls, upstreams = fields.get("tls"), fields.get("upstreams", ())
        if tls is not None and not any(name.startswith("https:") for name in upstreams):
            yield Violation(
                ("tls",),
                BilingualText(
                    "no address of the service is 'https'; leave it out, or change 'upstreams'",
                    "không địa chỉ nào của dịch vụ là 'https'; hãy bỏ đi, hoặc sửa 'upstreams'",
                ),
            )
        weights = fields.get("weights")
        if weights is not None and upstreams and len(weights) != len(upstreams):
            yield Violation(
                ("weights",),
                BilingualText(
                    f"there are {len(upstreams)} addresses and {len(weights)} weights; write one for each, in"
                    " the order of 'upstreams'",
                    f"có {len(upstreams)} địa chỉ nhưng {len(weights)} trọng số; hãy viết mỗi địa chỉ một"
                    " trọng số, theo thứ tự của 'upstreams'",
                ),
            )
        if ("openapi" in given) == ("wsdl" in given):
            yield Violation((), _ONE_DOCUMENT)
        if "checks" in given and "wsdl" in given:
            yield Violation(
                ("checks",),
                BilingualText(
                    "calls of SOAP are not checked; leave it out",
                    "lời gọi SOAP không được kiểm tra; hãy bỏ đi",
                ),
            )

    @override
    @classmethod
    def references(cls, fields: Fields) -> Iterator[Reference]:
        lifecycle = fields.get("lifecycle")
        if lifecycle is not None and lifecycle.successor is not None:
            yield ("lifecycle", "successor"), (ResourceKind.SERVICE, lifecycle.successor)

    @override
    @classmethod
    def declared(cls, fields: Fields) -> Declared:
        operations: tuple[ServiceOperation, ...] = ()
        wrong: list[Violation] = []
        kept: dict[str, Any] = {}
        if (document := fields.get("openapi")) is not None:
            found_in = _described(document, fields)
            operations, kept = found_in.operations, {"openapi": found_in.document}
            wrong += (violation.under("openapi") for violation in found_in.violations)
        elif (text := fields.get("wsdl")) is not None:
            operations, found = wsdl.read(text)
            wrong += (violation.under("wsdl") for violation in found)
            if operations:
                repeated = repeated_paths(fields.get("upstreams", ()), operations[0].path)
                wrong += (violation.under("upstreams") for violation in repeated)
        else:
            return Declared()
        if wrong:
            return Declared(None, tuple(wrong))
        return Declared(operations, tuple(_unknown_operations(fields, operations)), kept)


def _own_successor(resource_id: str | None, fields: Fields) -> Iterator[Violation]:
    lifecycle = fields.get("lifecycle")
    if lifecycle is not None and resource_id is not None and lifecycle.successor == resource_id:
        yield Violation(
            ("lifecycle", "successor"),
            BilingualText("a service cannot succeed itself", "dịch vụ không thể tự thay thế chính mình"),
        )


def _unknown_operations(fields: Fields, declared: Collection[ServiceOperation]) -> Iterator[Violation]:
    """Yield each operation that `idempotency` names and the document does not have."""
    idempotency, known = fields.get("idempotency"), {operation.id for operation in declared}
    for index, name in enumerate((idempotency.operations if idempotency is not None else None) or ()):
        if name not in known:
            yield Violation(
                ("idempotency", "operations", index),
                BilingualText(
                    f"the document has no operation '{name}'", f"tài liệu không có thao tác '{name}'"
                ),
            )


def _described(document: dict[str, Any], fields: Fields) -> Described:
    checks = fields.get("checks") or ChecksSpec()
    return described(
        document,
        check_requests=checks.requests != "off",
        check_answers=checks.answers != "off",
        shown={credential.field for credential in fields.get("credentials") or ()},
    )


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


class CredentialAnswer(AnswerModel):
    """Something that the gateway shows to the provider; the secret is named, not told."""

    kind: Literal["header", "basic", "oauth2", "lgspaccesstoken"]
    secret: str
    header: str | None = None
    token_url: str | None = None
    scope: str | None = None
    client_authentication: Literal["basic", "body"] | None = None


class TlsAnswer(AnswerModel):
    """TLS to the provider, by the names of secrets."""

    certificate: str | None = None
    authority: str | None = None


class XRoadAnswer(AnswerModel):
    """The gateway as a client behind a security server of X-Road."""

    client: str
    service: str


class ChecksAnswer(AnswerModel):
    """Whether requests and answers are checked against the service's OpenAPI document."""

    requests: CheckMode
    answers: CheckMode


class ServiceSpecAnswer(AnswerModel):
    """The spec of a service as it is shown.

    `upstreams`, `weights`, `healthCheck`, `credentials`, `tls` and `xRoad` are shown to its agency and the
    operator only; lists leave out `openapi` and `wsdl`.
    """

    name: LocalizedName
    lifecycle: LifecycleAnswer | None = None
    upstreams: Upstreams | None = None
    weights: list[int] | None = None
    breaker: BreakerAnswer | None = None
    bulkhead: BulkheadAnswer | None = None
    health_check: HealthCheckAnswer | None = None
    idempotency: IdempotencyAnswer | None = None
    timeout_ms: int
    timeouts: TimeoutsAnswer | None = None
    max_request_bytes: int
    write_ahead: bool
    cors: CorsAnswer | None = None
    requires: list[Statement] | None = None
    assertion: bool | None = None
    credentials: list[CredentialAnswer] | None = None
    tls: TlsAnswer | None = None
    x_road: XRoadAnswer | None = None
    limits: ServiceLimitsAnswer | None = None
    checks: ChecksAnswer | None = None
    openapi: dict[str, Any] | None = None
    wsdl: str | None = None


class SoapAnswer(BaseModel):
    """How calls of an operation of SOAP are known."""

    namespace: Annotated[str, Field(description="Of the first element of the Body.")]
    element: Annotated[str, Field(description="The first element of the Body; empty where the Body is.")]
    actions: Annotated[list[str], Field(description="What a call may state as its action.")]


class ParameterAnswer(AnswerModel):
    """A parameter of an operation."""

    in_: Annotated[Literal["path", "query", "header"], Field(alias="in")]
    name: str
    separator: Annotated[str, Field(description="What stands between its values; empty where there is one.")]


class PersonsAnswer(BaseModel):
    """Which values of an operation's calls name a person: a keyed hash of each is recorded."""

    parameters: list[ParameterAnswer]
    request: Annotated[list[str], Field(description="Paths of fields of the request's JSON body.")]
    answer: Annotated[list[str], Field(description="Paths of fields of the answer's JSON body.")]


class OperationAnswer(AnswerModel):
    """An operation of a service, as its OpenAPI or WSDL document describes it."""

    id: Annotated[
        str,
        Field(description="The operationId, or without one method and path; in a WSDL document the name."),
    ]
    method: str
    path: Annotated[str, Field(description="The path template.")]
    soap: SoapAnswer | None = None
    persons: PersonsAnswer | None = None


class ServiceManifest(ResourceManifest):
    """A service."""

    kind: Literal["Service"]
    spec: ServiceSpecAnswer
    status: ResourceStatus
    operations: list[OperationAnswer]
