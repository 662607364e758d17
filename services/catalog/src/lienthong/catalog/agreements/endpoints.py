"""REST: agreements."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from lienthong.catalog.agreements.domain.lifecycle import DecisionAction
from lienthong.catalog.agreements.schemas import AgreementSpec
from lienthong.catalog.agreements.service import AgreementService
from lienthong.catalog.domain.actors import Actor
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import (
    DEFAULT_LIMIT,
    PREFIX,
    After,
    AnyActor,
    Limit,
    manifest_of,
    page_document,
    path_id,
    read_json,
)
from lienthong.kit.rest import StrictRoute


def routes(agreements: AgreementService) -> APIRouter:
    """Build the routes of agreements."""
    router = APIRouter(prefix=f"{PREFIX}/agreements", tags=["agreements"], route_class=StrictRoute)

    @router.get("")
    async def list_agreements(actor: AnyActor, after: After, limit: Limit = DEFAULT_LIMIT) -> JSONResponse:
        """List agreements, in the order of their ids."""
        del actor
        page = await agreements.page({}, after=after, limit=limit)
        return JSONResponse(page_document(page, manifest_of))

    @router.post("")
    async def request_agreement(request: Request, actor: AnyActor) -> JSONResponse:
        """Request an agreement: a system for itself, the operator for any."""
        agreement, new = await agreements.request(await read_json(request), actor)
        location = f"{PREFIX}/agreements/{agreement.id}"
        return JSONResponse(agreement.manifest(), 201 if new else 200, {"Location": location})

    @router.get("/{agreement_id}")
    async def get_agreement(agreement_id: str, actor: AnyActor) -> JSONResponse:
        """Show an agreement with the decisions on it."""
        del actor
        return JSONResponse((await agreements.get(_id(agreement_id))).manifest())

    async def decide(
        agreement_id: str, action: DecisionAction, request: Request, actor: Actor
    ) -> JSONResponse:
        resource_id = _id(agreement_id)
        body = await read_json(request, empty={})
        return JSONResponse((await agreements.decide(resource_id, action, body, actor)).manifest())

    @router.post("/{agreement_id}/approve")
    async def approve_agreement(agreement_id: str, request: Request, actor: AnyActor) -> JSONResponse:
        """Approve a requested agreement."""
        return await decide(agreement_id, DecisionAction.APPROVE, request, actor)

    @router.post("/{agreement_id}/reject")
    async def reject_agreement(agreement_id: str, request: Request, actor: AnyActor) -> JSONResponse:
        """Reject a requested agreement, naming the legal ground."""
        return await decide(agreement_id, DecisionAction.REJECT, request, actor)

    @router.post("/{agreement_id}/revoke")
    async def revoke_agreement(agreement_id: str, request: Request, actor: AnyActor) -> JSONResponse:
        """Revoke an approved agreement, giving the reason."""
        return await decide(agreement_id, DecisionAction.REVOKE, request, actor)

    return router


def _id(agreement_id: str) -> str:
    return path_id(ResourceKind.AGREEMENT, AgreementSpec.canonical_id, agreement_id)
