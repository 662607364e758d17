"""Services as messages of `Routes/Watch`, what the gateway's routing table is built of; and `Directory`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc
import structlog

from lienthong.catalog.domain.checks import ParameterShape
from lienthong.catalog.domain.persons import ParameterLocation
from lienthong.catalog.rpc import resource_status, statements, write_key
from lienthong.catalog.services.domain.lifecycle import ServiceStage
from lienthong.contracts.catalog.v1 import directory_pb2, directory_pb2_grpc, routes_pb2
from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping

    from lienthong.catalog.agencies.service import AgencyService
    from lienthong.catalog.domain.checks import BodyForms, OperationChecks, ParameterForms, Spelling
    from lienthong.catalog.domain.persons import PersonPlaces
    from lienthong.catalog.service.resources import ResourceService
    from lienthong.catalog.services.domain.lifecycle import Lifecycle
    from lienthong.catalog.services.domain.service import ServiceResource
    from lienthong.catalog.services.service import ServiceService
    from lienthong.catalog.systems.service.systems import SystemService
    from lienthong.contracts.catalog.v1 import routes_pb2 as pb
    from lienthong.kit.json_text import JsonObject

_TIME_LIMITS: Final = {
    "connectMs": "connect_ms",
    "firstByteMs": "first_byte_ms",
    "idleMs": "idle_ms",
    "totalMs": "total_ms",
}
_LOCATIONS: Final = {
    ParameterLocation.PATH: routes_pb2.PARAMETER_LOCATION_PATH,
    ParameterLocation.QUERY: routes_pb2.PARAMETER_LOCATION_QUERY,
    ParameterLocation.HEADER: routes_pb2.PARAMETER_LOCATION_HEADER,
}
_RESILIENCE: Final = {
    "failures": "failures",
    "failurePercent": "failure_percent",
    "minimumCalls": "minimum_calls",
    "windowS": "window_s",
    "openS": "open_s",
    "trials": "trials",
    "statuses": "statuses",
    "calls": "calls",
    "waiting": "waiting",
    "waitMs": "wait_ms",
    "path": "path",
    "intervalS": "interval_s",
    "timeoutMs": "timeout_ms",
    "healthyAfter": "healthy_after",
    "unhealthyAfter": "unhealthy_after",
    "operations": "operations",
    "required": "required",
    "retainS": "retain_s",
}
_SHAPES: Final = {
    ParameterShape.VALUE: routes_pb2.PARAMETER_SHAPE_VALUE,
    ParameterShape.JSON: routes_pb2.PARAMETER_SHAPE_JSON,
    ParameterShape.LIST: routes_pb2.PARAMETER_SHAPE_LIST,
    ParameterShape.ALTERNATING: routes_pb2.PARAMETER_SHAPE_ALTERNATING,
    ParameterShape.PAIRS: routes_pb2.PARAMETER_SHAPE_PAIRS,
    ParameterShape.MEMBERS: routes_pb2.PARAMETER_SHAPE_MEMBERS,
    ParameterShape.BRACKETS: routes_pb2.PARAMETER_SHAPE_BRACKETS,
}
_CHECK_MODES: Final = {
    "off": routes_pb2.CHECK_MODE_UNSPECIFIED,
    "report": routes_pb2.CHECK_MODE_REPORT,
    "enforce": routes_pb2.CHECK_MODE_ENFORCE,
}
_PORTION: Final = 500
"""Agencies, systems or services that are read at once."""

_log = structlog.get_logger(__name__)


class Directory(directory_pb2_grpc.DirectoryServicer):
    """Answers gateways what X-Road's and GovStack's metadata services show besides routes."""

    def __init__(self, agencies: AgencyService, systems: SystemService, services: ServiceService) -> None:
        self._agencies = agencies
        self._systems = systems
        self._services = services

    async def Clients(  # noqa: N802  the contract's name
        self,
        request: directory_pb2.ClientsRequest,
        context: grpc.aio.ServicerContext[
            directory_pb2.ClientsRequest, AsyncIterator[directory_pb2.ClientsResponse]
        ],
    ) -> AsyncIterator[directory_pb2.ClientsResponse]:
        """Send all agencies and systems."""
        del context
        _log.info("clients listed", node=request.node)
        async for page in _pages(self._agencies):
            yield directory_pb2.ClientsResponse(
                clients=[
                    directory_pb2.Client(
                        agency_code=agency.id,
                        member_class=agency.member_class,
                        name=agency.spec["name"]["vi"],
                    )
                    for agency in page
                ]
            )
        async for page in _pages(self._systems):
            yield directory_pb2.ClientsResponse(
                clients=[
                    directory_pb2.Client(
                        agency_code=system.provider_agency,
                        system_code=system.id.partition("/")[2],
                        member_class=system.member_class,
                        name=system.spec["name"]["vi"],
                    )
                    for system in page
                ]
            )

    async def Services(  # noqa: N802  the contract's name
        self,
        request: directory_pb2.ServicesRequest,
        context: grpc.aio.ServicerContext[
            directory_pb2.ServicesRequest, Awaitable[directory_pb2.ServicesResponse]
        ],
    ) -> directory_pb2.ServicesResponse:
        """Say which services a system provides."""
        del context
        return directory_pb2.ServicesResponse(ids=await self._services.ids_of(request.system_id))

    async def OpenApi(  # noqa: N802  the contract's name
        self,
        request: directory_pb2.OpenApiRequest,
        context: grpc.aio.ServicerContext[
            directory_pb2.OpenApiRequest, Awaitable[directory_pb2.OpenApiResponse]
        ],
    ) -> directory_pb2.OpenApiResponse:
        """Say the OpenAPI document of a service; NOT_FOUND where there is none."""
        try:
            document = await self._services.openapi(request.service_id)
        except ProblemError:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return directory_pb2.OpenApiResponse(document=document)


async def _pages(resources: ResourceService[Any]) -> AsyncIterator[list[Any]]:
    after: str | None = ""
    while after is not None:
        page = await resources.page({}, after=after, limit=_PORTION)
        yield list(page.items)
        after = page.last_id


_LIMITS: Final = {
    "perSecond": "per_second",
    "perMinute": "per_minute",
    "perDay": "per_day",
    "bytesPerDay": "bytes_per_day",
    "concurrent": "concurrent",
}


def write_message(service: ServiceResource, resource: pb.Resource) -> None:
    """Write a service into its message."""
    write_key(service, resource)
    message, spec = resource.service, service.spec
    message.id = service.id
    message.system_id, _, message.code = service.id.rpartition("/")
    message.status = resource_status(service)
    message.upstreams.extend(spec["upstreams"])
    for operation in service.operations:
        if (form := operation.soap) is None:
            written = message.operations.add(id=operation.id, method=operation.method, path=operation.path)
            if operation.persons is not None:
                _write_persons(operation.persons, written.persons)
            if operation.checks is not None:
                _write_checks(operation.checks, written)
            continue
        message.soap.path = operation.path
        message.soap.operations.add(
            id=operation.id, namespace=form.namespace, element=form.element, actions=form.actions
        )
    _write_time_limits(spec, message)
    _write_resilience(spec, message)
    message.max_request_bytes = spec["maxRequestBytes"]
    message.write_ahead = spec["writeAhead"]
    if (cors := spec.get("cors")) is not None:
        message.cors.origins.extend(cors["origins"])
        message.cors.max_age_s = cors["maxAgeS"]
    if required := spec.get("requires"):
        message.requires.extend(statements(required))
    message.assertion = spec.get("assertion", False)
    for credential in spec.get("credentials", ()):
        _write_credential(credential, message.credentials.add(secret=credential["secret"]))
    if (tls := spec.get("tls")) is not None:
        message.tls.SetInParent()
        message.tls.certificate = tls.get("certificate", "")
        message.tls.authority = tls.get("authority", "")
    if (x_road := spec.get("xRoad")) is not None:
        message.x_road.client, message.x_road.service = x_road["client"], x_road["service"]
    if (checks := spec.get("checks")) is not None:
        message.check_requests = _CHECK_MODES[checks["requests"]]
        message.check_answers = _CHECK_MODES[checks["answers"]]
    _write_ending(service.lifecycle, message)
    if (limits := spec.get("limits")) is not None:
        for stated, into in (("default", message.default_limits), ("maximum", message.maximum_limits)):
            for name, value in limits.get(stated, {}).items():
                setattr(into, _LIMITS[name], value)


def _write_ending(lifecycle: Lifecycle, message: pb.Service) -> None:
    retired = lifecycle.stage is ServiceStage.RETIRED
    if not retired and lifecycle.stage is not ServiceStage.DEPRECATED:
        return
    ending = message.ending
    ending.retired = retired
    if lifecycle.deprecated_at is not None:
        ending.deprecated_at.FromDatetime(lifecycle.deprecated_at)
    if lifecycle.sunset_at is not None:
        ending.sunset_at.FromDatetime(lifecycle.sunset_at)
    ending.successor, ending.link = lifecycle.successor, lifecycle.link


def _write_persons(places: PersonPlaces, message: pb.PersonPlaces) -> None:
    for one in places.parameters:
        message.parameters.add(location=_LOCATIONS[one.location], name=one.name, separator=one.separator)
    message.request.extend(places.request)
    message.answer.extend(places.answer)


def _write_checks(checks: OperationChecks, message: pb.Operation) -> None:
    if checks.request is not None:
        _write_forms(checks.request, message.request)
    for answer in checks.answers:
        _write_forms(answer, message.answers.add())
    if checks.parameters is not None:
        _write_parameters(checks.parameters, message.parameters)


def _write_forms(forms: BodyForms, message: pb.BodyForms) -> None:
    message.required, message.status = forms.required, forms.status
    for one in forms.media:
        message.media.add(media_type=one.media_type, schema=one.schema)


def _write_parameters(forms: ParameterForms, message: pb.ParameterForms) -> None:
    message.schema = forms.schema
    for one in forms.parameters:
        message.parameters.add(
            location=_LOCATIONS[one.location],
            name=one.name,
            required=one.required,
            shape=_SHAPES[one.shape],
            separator=one.separator,
            values=_spelling(one.values),
            members={name: _spelling(spelling) for name, spelling in one.members},
        )


def _spelling(spelling: Spelling) -> pb.Spelling:
    return routes_pb2.Spelling(numbers=spelling.numbers, booleans=spelling.booleans)


def _write_time_limits(spec: Mapping[str, Any], message: pb.Service) -> None:
    """Write what the provider states; `timeoutMs` is the older spelling of `timeouts.firstByteMs`."""
    stated = spec.get("timeouts", {})
    message.timeout_ms = stated.get("firstByteMs", spec["timeoutMs"])
    for member, field in _TIME_LIMITS.items():
        if member in stated:
            setattr(message.timeouts, field, stated[member])


def _write_resilience(spec: Mapping[str, Any], message: pb.Service) -> None:
    """Write how the addresses share calls, and what keeps a provider that fails or is slow from harm."""
    message.weights.extend(spec.get("weights", ()))
    parts = (
        ("breaker", message.breaker),
        ("bulkhead", message.bulkhead),
        ("healthCheck", message.health_check),
        ("idempotency", message.idempotency),
    )
    for member, into in parts:
        for name, value in spec.get(member, {}).items():
            if isinstance(value, list):
                getattr(into, _RESILIENCE[name]).extend(value)
            else:
                setattr(into, _RESILIENCE[name], value)


def _write_credential(credential: JsonObject, message: pb.Credential) -> None:
    match credential["kind"]:
        case "header":
            message.header.name = credential["header"]
        case "basic":
            message.basic.SetInParent()
        case "oauth2":
            message.oauth2.token_url = credential["tokenUrl"]
            message.oauth2.scope = credential.get("scope", "")
            message.oauth2.in_body = credential.get("clientAuthentication") == "body"
        case "lgspaccesstoken":
            message.lgsp_access_token.SetInParent()
