"""REST: the systems as identity knows them, and the keys by which it authenticates them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from lienthong.identity.openid.schemas import ClientPage, ClientView
from lienthong.identity.people.endpoints import PREFIX, SignedInBy, actor_of
from lienthong.identity.service.clients import ClientRegistry
from lienthong.kit.actors import Action, Actor
from lienthong.kit.clock import Clock
from lienthong.kit.openapi import problems
from lienthong.kit.problems import people as kinds
from lienthong.kit.rest import StrictRoute

_MAX_LIMIT = 200

AgencyFilter = Annotated[
    str | None, Query(min_length=1, max_length=35, description="Only systems of this agency.")
]
Cursor = Annotated[str, Query(max_length=255, description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=_MAX_LIMIT, description="How many systems at most.")]


def routes(clients: ClientRegistry, signed_in_by: SignedInBy, clock: Clock) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix=PREFIX, tags=["clients"], route_class=StrictRoute)
    Administrator = Annotated[Actor, Depends(actor_of(signed_in_by))]  # noqa: N806  a type

    @router.get("/clients", responses=problems(kinds.ROLE_REQUIRED))
    async def list_clients(
        actor: Administrator, agency: AgencyFilter = None, cursor: Cursor = "", limit: Limit = 50
    ) -> ClientPage:
        """List the systems of the agencies whose systems the caller manages, with the keys that are accepted
        at this moment. Keys are changed in the catalog, which identity follows."""
        if agency is not None:
            actor.demand(Action.MANAGE_SYSTEMS, agency)
        else:
            actor.demand_somewhere(Action.MANAGE_SYSTEMS)
        agencies = actor.agencies(Action.MANAGE_SYSTEMS) if agency is None else [agency]
        found = await clients.systems(agencies, after=cursor, limit=limit)
        last = found[-1].client_id if len(found) == limit else None
        now = clock.now()
        return ClientPage(items=[ClientView.of(one, now) for one in found], next=last)

    return router
