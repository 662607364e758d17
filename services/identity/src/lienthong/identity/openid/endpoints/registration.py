"""REST: which clients people may sign in to, for the platform's operators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, status

from lienthong.identity.openid.schemas import ApplicationPage, ApplicationSpec, ApplicationView
from lienthong.identity.openid.service.applications import Applications
from lienthong.identity.people.endpoints import PREFIX, SignedInBy, actor_of
from lienthong.kit.actors import Actor
from lienthong.kit.openapi import problems
from lienthong.kit.problems import people as kinds
from lienthong.kit.rest import StrictRoute

_ONE = "/applications/{client_id:path}"
_MAX_LIMIT = 200

Cursor = Annotated[str, Query(max_length=255, description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=_MAX_LIMIT, description="How many applications at most.")]


def routes(applications: Applications, signed_in_by: SignedInBy) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix=PREFIX, tags=["applications"], route_class=StrictRoute)
    Operator = Annotated[Actor, Depends(actor_of(signed_in_by))]  # noqa: N806  a type

    @router.get("/applications", responses=problems(kinds.ROLE_REQUIRED))
    async def list_applications(actor: Operator, cursor: Cursor = "", limit: Limit = 50) -> ApplicationPage:
        """List the applications in which people sign in, in the order of their ids."""
        found = await applications.page(actor, after=cursor, limit=limit)
        last = found[-1].client_id if len(found) == limit else None
        return ApplicationPage(items=[ApplicationView.of(one) for one in found], next=last)

    known = problems(kinds.ROLE_REQUIRED, kinds.UNKNOWN_APPLICATION)

    @router.get(_ONE, responses=known)
    async def get_application(actor: Operator, client_id: str) -> ApplicationView:
        """Show an application."""
        return ApplicationView.of(await applications.get(actor, client_id))

    @router.put(_ONE, responses=known)
    async def put_application(actor: Operator, client_id: str, wanted: ApplicationSpec) -> ApplicationView:
        """Let people sign in to a client, a system of the catalog or the console, or change the addresses to
        which their browsers are sent back."""
        return ApplicationView.of(await applications.put(actor, wanted.application(client_id)))

    @router.delete(
        _ONE,
        status_code=status.HTTP_204_NO_CONTENT,
        response_class=Response,
        response_description="Nobody can sign in to it any more.",
        responses=known,
    )
    async def delete_application(actor: Operator, client_id: str) -> None:
        """Let nobody sign in to a client any more; what came of earlier sign-ins ends."""
        await applications.remove(actor, client_id)

    return router
