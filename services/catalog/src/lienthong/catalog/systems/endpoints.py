"""REST: systems."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lienthong.catalog.domain.resources import ResourceKind, agency_of
from lienthong.catalog.endpoints import (
    BODY_PROBLEMS,
    DEFAULT_LIMIT,
    PREFIX,
    Administrator,
    After,
    AgencyFilter,
    AnyActor,
    Limit,
    StatedVersion,
    chosen,
    etag,
    json_body,
    page_document,
    path_id,
    read_small_json,
)
from lienthong.catalog.schemas.answers import ManifestPage
from lienthong.catalog.systems.domain.system import SystemResource
from lienthong.catalog.systems.schemas import KeyList, NewKey, SystemManifest, SystemSpec, key_list
from lienthong.catalog.systems.service.keys import SystemKeys
from lienthong.catalog.systems.service.systems import SystemService
from lienthong.kit.actors import Actor
from lienthong.kit.openapi import problems
from lienthong.kit.policy import Action
from lienthong.kit.problems.catalog import CHANGED_SINCE, CONFLICT, SUSPENDED_BY_PLATFORM, UNKNOWN_RESOURCE
from lienthong.kit.problems.general import TOO_COSTLY
from lienthong.kit.rest import StrictRoute


def routes(systems: SystemService, keys: SystemKeys) -> APIRouter:
    """Build the routes of systems."""
    router = APIRouter(prefix=f"{PREFIX}/systems", tags=["systems"], route_class=StrictRoute)

    @router.get("", response_model=ManifestPage[SystemManifest])
    async def list_systems(
        actor: AnyActor, after: After, limit: Limit = DEFAULT_LIMIT, agency: AgencyFilter = None
    ) -> JSONResponse:
        """List systems, in the order of their ids."""
        page = await systems.page(chosen(agency=agency), after=after, limit=limit)
        return JSONResponse(page_document(page, partial(_shown_to, actor)))

    @router.get("/{agency}/{system}", response_model=SystemManifest, responses=problems(UNKNOWN_RESOURCE))
    async def get_system(agency: str, system: str, actor: AnyActor) -> JSONResponse:
        """Show a system."""
        found = await systems.get(_id(agency, system))
        return JSONResponse(_shown_to(actor, found), headers=etag(found))

    @router.post(
        "/{agency}/{system}/suspend",
        response_model=SystemManifest,
        responses=problems(UNKNOWN_RESOURCE, CHANGED_SINCE),
    )
    async def suspend_system(
        agency: str, system: str, actor: Administrator, stated: StatedVersion
    ) -> JSONResponse:
        """Suspend a system, with everything that it provides: for the platform by those who may suspend the
        systems of all agencies, for its agency by others."""
        system_id = _demanded(actor, Action.SUSPEND_SYSTEMS, agency, system)
        changed = await systems.suspend(system_id, actor, stated)
        return JSONResponse(changed.manifest(), headers=etag(changed))

    @router.post(
        "/{agency}/{system}/resume",
        response_model=SystemManifest,
        responses=problems(UNKNOWN_RESOURCE, SUSPENDED_BY_PLATFORM, CHANGED_SINCE),
    )
    async def resume_system(
        agency: str, system: str, actor: Administrator, stated: StatedVersion
    ) -> JSONResponse:
        """Let a suspended system take part again. What the platform has suspended, it alone resumes."""
        system_id = _demanded(actor, Action.SUSPEND_SYSTEMS, agency, system)
        changed = await systems.resume(system_id, actor, stated)
        return JSONResponse(changed.manifest(), headers=etag(changed))

    @router.get("/{agency}/{system}/keys", responses=problems(UNKNOWN_RESOURCE))
    async def list_keys(response: Response, agency: str, system: str, actor: AnyActor) -> KeyList:
        """List the public keys of a system, in the order in which they were added."""
        del actor
        found = await systems.get(_id(agency, system))
        response.headers.update(etag(found))
        return key_list(found)

    @router.post(
        "/{agency}/{system}/keys",
        status_code=201,
        responses={
            200: {"model": KeyList, "description": "The system has had this key already."},
            **problems(*BODY_PROBLEMS, UNKNOWN_RESOURCE, CONFLICT, CHANGED_SINCE, TOO_COSTLY),
        },
        response_description="The keys of the system; the older ones stay good.",
        openapi_extra=json_body(NewKey),
    )
    async def add_key(
        request: Request,
        response: Response,
        agency: str,
        system: str,
        actor: Administrator,
        stated: StatedVersion,
    ) -> KeyList:
        """Add a public key to a system. The older keys stay good until they are retired: so a system changes
        over without a moment in which none of its keys is accepted."""
        system_id = _demanded(actor, Action.MANAGE_SYSTEMS, agency, system)
        changed, new = await keys.add(system_id, await read_small_json(request), actor, stated)
        response.headers.update(etag(changed))
        response.status_code = 201 if new else 200
        return key_list(changed)

    @router.delete(
        "/{agency}/{system}/keys/{thumbprint}",
        response_description="The keys that are left.",
        responses=problems(UNKNOWN_RESOURCE, CONFLICT, CHANGED_SINCE),
    )
    async def retire_key(
        response: Response,
        agency: str,
        system: str,
        thumbprint: str,
        actor: Administrator,
        stated: StatedVersion,
    ) -> KeyList:
        """Retire a key of a system, by its RFC 7638 thumbprint; the last one stays."""
        system_id = _demanded(actor, Action.MANAGE_SYSTEMS, agency, system)
        changed = await keys.retire(system_id, thumbprint, actor, stated)
        response.headers.update(etag(changed))
        return key_list(changed)

    return router


def _id(agency: str, system: str) -> str:
    return path_id(ResourceKind.SYSTEM, SystemSpec.canonical_id, agency, system)


def _demanded(actor: Actor, action: Action, agency: str, system: str) -> str:
    """The id of a system whose agency's systems the actor may do `action` to; it is not looked up."""
    system_id = _id(agency, system)
    actor.demand(action, agency_of(system_id))
    return system_id


def _shown_to(actor: Actor, system: SystemResource) -> dict[str, Any]:
    """Show a system: where it calls from concerns its agency and the operators only."""
    manifest = system.manifest()
    if not actor.belongs_to(system.provider_agency):
        manifest["spec"] = {name: value for name, value in manifest["spec"].items() if name != "xroad"}
    return manifest
