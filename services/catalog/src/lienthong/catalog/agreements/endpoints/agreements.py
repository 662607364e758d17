"""REST: agreements."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lienthong.catalog.agreements.domain.agreement import AgreementResource
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.agreements.schemas import (
    AgreementHistory,
    AgreementManifest,
    AgreementRequest,
    AgreementSpec,
    StepRequest,
)
from lienthong.catalog.agreements.service.agreements import AgreementService
from lienthong.catalog.agreements.service.rights import demand_somewhere
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import (
    BODY_PROBLEMS,
    DEFAULT_LIMIT,
    PREFIX,
    After,
    AnyActor,
    Limit,
    StatedVersion,
    chosen,
    encode_cursor,
    etag,
    json_body,
    page_document,
    path_id,
    read_small_json,
)
from lienthong.catalog.errors import Violation, invalid_cursor
from lienthong.catalog.schemas.answers import ManifestPage
from lienthong.catalog.schemas.fields import AgencyCode, ProvidedRef, SystemRef
from lienthong.kit.actors import Actor
from lienthong.kit.clock import Clock
from lienthong.kit.openapi import problems
from lienthong.kit.policy import Action
from lienthong.kit.problems.catalog import (
    CHANGED_SINCE,
    CONFLICT,
    NOT_ALLOWED,
    TOO_MANY_OPEN_REQUESTS,
    UNKNOWN_RESOURCE,
)
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
ConsumerAgencyFilter = Annotated[
    AgencyCode | None,
    Query(alias="consumer_agency", description="Only agreements of calling systems of this agency."),
]
WaitingForFilter = Annotated[
    Literal["owner", "consumer"] | None,
    Query(
        alias="waiting_for",
        description="Only agreements that, or an amendment of which, the owner is to decide on; or the "
        "consumer to submit or answer.",
    ),
]

DECISION: dict[str, Any] = {
    "response_model": AgreementManifest,
    "responses": problems(
        *BODY_PROBLEMS, NOT_ALLOWED, UNKNOWN_RESOURCE, CONFLICT, CHANGED_SINCE, RATE_LIMITED
    ),
}


def routes(agreements: AgreementService, clock: Clock) -> APIRouter:
    """Build the routes of agreements; `clock` tells whether they are in force."""
    router = APIRouter(prefix=f"{PREFIX}/agreements", tags=["agreements"], route_class=StrictRoute)

    def show(agreement: AgreementResource) -> dict[str, Any]:
        return agreement.manifest_at(clock.now(), agreements.decide_within)

    def show_with_warnings(agreement: AgreementResource, more: Sequence[Violation] = ()) -> dict[str, Any]:
        return shown_with_warnings(agreement, clock.now(), agreements.decide_within, more)

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
        consumer_agency: ConsumerAgencyFilter = None,
        waiting_for: WaitingForFilter = None,
    ) -> JSONResponse:
        """List agreements, in the order of their ids; drafts are for those of the consumer's agency."""
        filters = chosen(
            status=status,
            consumer=consumer,
            service=service,
            event_type=event_type,
            provider=provider,
            consumer_agency=consumer_agency,
            waiting_for=waiting_for,
        )
        page = await agreements.seen_page(filters, actor, after=after, limit=limit)
        return JSONResponse(page_document(page, show))

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
        agreement = await agreements.seen(agreement_path_id(agreement_id), actor)
        return JSONResponse(show(agreement), headers=etag(agreement))

    @router.get(
        "/{agreement_id}/history", response_model=AgreementHistory, responses=problems(UNKNOWN_RESOURCE)
    )
    async def get_agreement_history(
        agreement_id: str, actor: AnyActor, after: After, limit: Limit = DEFAULT_LIMIT
    ) -> JSONResponse:
        """Show all that was done with an agreement, the oldest first: who, when, old and new terms."""
        if not after.isdecimal() and after:
            raise invalid_cursor()
        found, last = await agreements.history(
            agreement_path_id(agreement_id), actor, after=int(after[:18] or 0), limit=limit
        )
        cursor = None if last is None else encode_cursor(str(last))
        return JSONResponse({"items": [step.history_document() for step in found], "next": cursor})

    @router.put(
        "/{agreement_id}",
        response_model=AgreementManifest,
        responses=problems(
            *BODY_PROBLEMS, NOT_ALLOWED, UNKNOWN_RESOURCE, CONFLICT, CHANGED_SINCE, RATE_LIMITED
        ),
        openapi_extra=json_body(AgreementRequest),
    )
    async def change_agreement(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Change the terms of what is not decided yet; who approved already has to approve again."""
        resource_id = agreement_path_id(agreement_id)
        if actor.is_person:
            actor.demand_somewhere(Action.REQUEST_AGREEMENTS)
        changed = await agreements.change(resource_id, await read_small_json(request), actor, stated)
        return JSONResponse(show_with_warnings(changed), headers=etag(changed))

    async def take(
        agreement_id: str, action: AgreementAction, request: Request, actor: Actor, stated: int | None
    ) -> JSONResponse:
        resource_id = agreement_path_id(agreement_id)
        demand_somewhere(actor, action)
        body = await read_small_json(request, empty={})
        taken = await agreements.take(resource_id, action, body, actor, stated)
        return JSONResponse(show_with_warnings(taken), headers=etag(taken))

    optional, needed = json_body(StepRequest, required=False), json_body(StepRequest)

    @router.post("/{agreement_id}/submit", openapi_extra=optional, **DECISION)
    async def submit_agreement(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Ask the owner for what was a draft."""
        return await take(agreement_id, AgreementAction.SUBMIT, request, actor, stated)

    @router.post("/{agreement_id}/answer", openapi_extra=needed, **DECISION)
    async def answer_question(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Answer what the owner asked about a request."""
        return await take(agreement_id, AgreementAction.ANSWER, request, actor, stated)

    @router.post("/{agreement_id}/withdraw", openapi_extra=optional, **DECISION)
    async def withdraw_agreement(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Take a request back, or give an agreement up, as the system that calls."""
        return await take(agreement_id, AgreementAction.WITHDRAW, request, actor, stated)

    @router.post("/{agreement_id}/ask", openapi_extra=needed, **DECISION)
    async def ask_about_agreement(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Ask who requests an agreement for more information."""
        return await take(agreement_id, AgreementAction.ASK, request, actor, stated)

    @router.post("/{agreement_id}/approve", openapi_extra=optional, **DECISION)
    async def approve_agreement(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Approve a requested agreement whose period has not ended; of personal data two people do."""
        return await take(agreement_id, AgreementAction.APPROVE, request, actor, stated)

    @router.post("/{agreement_id}/reject", openapi_extra=needed, **DECISION)
    async def reject_agreement(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Reject a requested agreement, naming the legal ground."""
        return await take(agreement_id, AgreementAction.REJECT, request, actor, stated)

    @router.post("/{agreement_id}/suspend", openapi_extra=needed, **DECISION)
    async def suspend_agreement(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Stop an approved agreement for a time, giving the reason."""
        return await take(agreement_id, AgreementAction.SUSPEND, request, actor, stated)

    @router.post("/{agreement_id}/resume", openapi_extra=optional, **DECISION)
    async def resume_agreement(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Let a suspended agreement go on."""
        return await take(agreement_id, AgreementAction.RESUME, request, actor, stated)

    @router.post("/{agreement_id}/revoke", openapi_extra=needed, **DECISION)
    async def revoke_agreement(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Revoke an approved agreement, giving the reason."""
        return await take(agreement_id, AgreementAction.REVOKE, request, actor, stated)

    return router


def shown_with_warnings(
    agreement: AgreementResource, now: datetime, decide_within: timedelta, more: Sequence[Violation] = ()
) -> dict[str, Any]:
    """Return the manifest of an agreement with what someone who changes it should know."""
    warnings = [notice.document() for notice in (*agreement.notices(now), *more)]
    return agreement.manifest_at(now, decide_within) | ({"warnings": warnings} if warnings else {})


def agreement_path_id(agreement_id: str) -> str:
    """Return the canonical id of the agreement that a path segment names."""
    return path_id(ResourceKind.AGREEMENT, AgreementSpec.canonical_id, agreement_id)
