"""REST: agreements."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lienthong.catalog.agreements.domain.agreement import AgreementResource
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus, DecisionAction
from lienthong.catalog.agreements.schemas import (
    AgreementManifest,
    AgreementRequest,
    AgreementSpec,
    DecisionRequest,
)
from lienthong.catalog.agreements.service.agreements import AgreementService
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import (
    BODY_PROBLEMS,
    DEFAULT_LIMIT,
    PREFIX,
    After,
    AnyActor,
    Limit,
    chosen,
    json_body,
    page_document,
    path_id,
    read_small_json,
)
from lienthong.catalog.errors import Violation
from lienthong.catalog.schemas.answers import ManifestPage
from lienthong.catalog.schemas.fields import AgencyCode, ProvidedRef, SystemRef
from lienthong.kit.actors import Actor
from lienthong.kit.clock import Clock
from lienthong.kit.openapi import problems
from lienthong.kit.policy import Action
from lienthong.kit.problems.catalog import CONFLICT, NOT_ALLOWED, TOO_MANY_OPEN_REQUESTS, UNKNOWN_RESOURCE
from lienthong.kit.problems.general import RATE_LIMITED
from lienthong.kit.rest import StrictRoute

StatusFilter = Annotated[
    AgreementStatus | None, Query(alias="status", description="Only agreements with this status.")
]
ConsumerFilter = Annotated[
    SystemRef | None, Query(alias="consumer", description="Only agreements of this calling system.")
]
ServiceFilter = Annotated[
    ProvidedRef | None, Query(alias="service", description="Only agreements on this service.")
]
EventTypeFilter = Annotated[
    ProvidedRef | None, Query(alias="event_type", description="Only agreements on this event type.")
]
ProviderFilter = Annotated[
    AgencyCode | None,
    Query(alias="provider", description="Only agreements on what systems of this agency provide."),
]

_DECISION: dict[str, Any] = {
    "response_model": AgreementManifest,
    "responses": problems(*BODY_PROBLEMS, NOT_ALLOWED, UNKNOWN_RESOURCE, CONFLICT, RATE_LIMITED),
}


def routes(agreements: AgreementService, clock: Clock) -> APIRouter:
    """Build the routes of agreements; `clock` tells whether they are in force."""
    router = APIRouter(prefix=f"{PREFIX}/agreements", tags=["agreements"], route_class=StrictRoute)

    def show(agreement: AgreementResource) -> dict[str, Any]:
        return agreement.manifest_at(clock.now())

    def show_with_warnings(agreement: AgreementResource, more: Sequence[Violation] = ()) -> dict[str, Any]:
        warnings = [notice.document() for notice in (*agreement.notices(clock.now()), *more)]
        return show(agreement) | ({"warnings": warnings} if warnings else {})

    @router.get("", response_model=ManifestPage[AgreementManifest])
    async def list_agreements(
        actor: AnyActor,
        after: After,
        limit: Limit = DEFAULT_LIMIT,
        status: StatusFilter = None,
        consumer: ConsumerFilter = None,
        service: ServiceFilter = None,
        event_type: EventTypeFilter = None,
        provider: ProviderFilter = None,
    ) -> JSONResponse:
        """List agreements, in the order of their ids."""
        del actor
        filters = chosen(
            status=status, consumer=consumer, service=service, event_type=event_type, provider=provider
        )
        return JSONResponse(page_document(await agreements.page(filters, after=after, limit=limit), show))

    @router.post(
        "",
        status_code=201,
        response_model=AgreementManifest,
        responses={
            200: {"model": AgreementManifest, "description": "The same request was made before."},
            201: {"headers": {"Location": {"schema": {"type": "string"}}}},
            **problems(*BODY_PROBLEMS, NOT_ALLOWED, CONFLICT, TOO_MANY_OPEN_REQUESTS, RATE_LIMITED),
        },
        openapi_extra=json_body(AgreementRequest),
    )
    async def request_agreement(request: Request, actor: AnyActor) -> JSONResponse:
        """Request an agreement: a system for itself, a person for a system of the agency of the role, the
        operator for any."""
        if actor.is_person:
            actor.demand_somewhere(Action.REQUEST_AGREEMENTS)
        agreement, new = await agreements.request(await read_small_json(request), actor)
        location = f"{PREFIX}/agreements/{agreement.id}"
        document = show_with_warnings(agreement, await agreements.service_notices(agreement))
        return JSONResponse(document, 201 if new else 200, {"Location": location})

    @router.get("/{agreement_id}", response_model=AgreementManifest, responses=problems(UNKNOWN_RESOURCE))
    async def get_agreement(agreement_id: str, actor: AnyActor) -> JSONResponse:
        """Show an agreement with the decisions on it."""
        del actor
        return JSONResponse(show(await agreements.get(_id(agreement_id))))

    async def decide(
        agreement_id: str, action: DecisionAction, request: Request, actor: Actor
    ) -> JSONResponse:
        resource_id = _id(agreement_id)
        agreements.demand_right(actor, action)
        body = await read_small_json(request, empty={})
        return JSONResponse(show_with_warnings(await agreements.decide(resource_id, action, body, actor)))

    @router.post(
        "/{agreement_id}/approve", openapi_extra=json_body(DecisionRequest, required=False), **_DECISION
    )
    async def approve_agreement(agreement_id: str, request: Request, actor: AnyActor) -> JSONResponse:
        """Approve a requested agreement whose period has not ended."""
        return await decide(agreement_id, DecisionAction.APPROVE, request, actor)

    @router.post("/{agreement_id}/reject", openapi_extra=json_body(DecisionRequest), **_DECISION)
    async def reject_agreement(agreement_id: str, request: Request, actor: AnyActor) -> JSONResponse:
        """Reject a requested agreement, naming the legal ground."""
        return await decide(agreement_id, DecisionAction.REJECT, request, actor)

    @router.post("/{agreement_id}/revoke", openapi_extra=json_body(DecisionRequest), **_DECISION)
    async def revoke_agreement(agreement_id: str, request: Request, actor: AnyActor) -> JSONResponse:
        """Revoke an approved agreement, giving the reason."""
        return await decide(agreement_id, DecisionAction.REVOKE, request, actor)

    return router


def _id(agreement_id: str) -> str:
    return path_id(ResourceKind.AGREEMENT, AgreementSpec.canonical_id, agreement_id)
