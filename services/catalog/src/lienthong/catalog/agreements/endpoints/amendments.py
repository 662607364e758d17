"""REST: amendments of agreements."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from lienthong.catalog.agreements.domain.lifecycle import AgreementAction
from lienthong.catalog.agreements.endpoints.agreements import (
    DECISION,
    agreement_path_id,
    shown_with_warnings,
)
from lienthong.catalog.agreements.schemas import AmendmentRequest, StepRequest
from lienthong.catalog.agreements.service.agreements import AgreementService
from lienthong.catalog.agreements.service.amendments import AmendmentService
from lienthong.catalog.agreements.service.rights import demand_somewhere
from lienthong.catalog.endpoints import PREFIX, AnyActor, StatedVersion, etag, json_body, read_small_json
from lienthong.kit.actors import Actor
from lienthong.kit.clock import Clock
from lienthong.kit.rest import StrictRoute


def routes(agreements: AgreementService, amendments: AmendmentService, clock: Clock) -> APIRouter:
    """Build the routes of amendments; `clock` tells whether agreements are in force."""
    router = APIRouter(
        prefix=f"{PREFIX}/agreements/{{agreement_id}}/amendment", tags=["agreements"], route_class=StrictRoute
    )

    @router.post("", openapi_extra=json_body(AmendmentRequest), **DECISION)
    async def request_amendment(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Ask the owner for other terms of an approved agreement; those of before hold meanwhile."""
        resource_id = agreement_path_id(agreement_id)
        demand_somewhere(actor, AgreementAction.REQUEST)
        body = await read_small_json(request)
        asked = await amendments.request(resource_id, body, actor, stated)
        shown = shown_with_warnings(asked, clock.now(), agreements.decide_within)
        return JSONResponse(shown, headers=etag(asked))

    async def take(
        agreement_id: str, action: AgreementAction, request: Request, actor: Actor, stated: int | None
    ) -> JSONResponse:
        resource_id = agreement_path_id(agreement_id)
        demand_somewhere(actor, action)
        body = await read_small_json(request, empty={})
        taken = await amendments.take(resource_id, action, body, actor, stated)
        shown = shown_with_warnings(taken, clock.now(), agreements.decide_within)
        return JSONResponse(shown, headers=etag(taken))

    optional, needed = json_body(StepRequest, required=False), json_body(StepRequest)

    @router.post("/answer", openapi_extra=needed, **DECISION)
    async def answer_about_amendment(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Answer what the owner asked about an amendment."""
        return await take(agreement_id, AgreementAction.ANSWER, request, actor, stated)

    @router.post("/withdraw", openapi_extra=optional, **DECISION)
    async def withdraw_amendment(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Take an amendment back, as the system that calls."""
        return await take(agreement_id, AgreementAction.WITHDRAW, request, actor, stated)

    @router.post("/ask", openapi_extra=needed, **DECISION)
    async def ask_about_amendment(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Ask who requests an amendment for more information."""
        return await take(agreement_id, AgreementAction.ASK, request, actor, stated)

    @router.post("/approve", openapi_extra=optional, **DECISION)
    async def approve_amendment(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Approve an amendment: its terms become those of the agreement; of personal data two people do."""
        return await take(agreement_id, AgreementAction.APPROVE, request, actor, stated)

    @router.post("/reject", openapi_extra=needed, **DECISION)
    async def reject_amendment(
        agreement_id: str, request: Request, actor: AnyActor, stated: StatedVersion
    ) -> JSONResponse:
        """Reject an amendment, naming the legal ground; the agreement stays as it is."""
        return await take(agreement_id, AgreementAction.REJECT, request, actor, stated)

    return router
