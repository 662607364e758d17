"""Registering applications. Each change, and the audit record of it, is one transaction."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.domain.clients import ClientStatus
from lienthong.identity.domain.scopes import CONSOLE
from lienthong.identity.openid import errors
from lienthong.identity.openid.domain.applications import Application
from lienthong.identity.openid.repository import applications, sign_ons
from lienthong.identity.service.clients import ClientRegistry
from lienthong.kit.actors import Actor
from lienthong.kit.database import Database
from lienthong.kit.journal import AdminAct, AdminJournal
from lienthong.kit.policy import Action


class Applications:
    """The applications as operators see and change them."""

    def __init__(self, database: Database, clients: ClientRegistry, journal: AdminJournal) -> None:
        self._database = database
        self._clients = clients
        self._journal = journal

    async def page(self, actor: Actor, *, after: str, limit: int) -> list[Application]:
        """Applications after an id, in the order of their ids.

        Raises:
            ProblemError: 403 `role-required`.
        """
        _demand(actor)
        async with self._database.reading() as session:
            return await applications.page(session, after=after, limit=limit)

    async def get(self, actor: Actor, client_id: str) -> Application:
        """An application.

        Raises:
            ProblemError: 403 `role-required`, 404 `unknown-application`.
        """
        _demand(actor)
        found = await self.find(client_id)
        if found is None:
            raise errors.unknown_application()
        return found

    async def find(self, client_id: str) -> Application | None:
        """An application, for the service itself."""
        async with self._database.reading() as session:
            return await applications.find(session, client_id)

    async def put(self, actor: Actor, wanted: Application) -> Application:
        """Register an application, or change it.

        Raises:
            ProblemError: 403 `role-required`, 404 `unknown-application`: there is no such client.
        """
        _demand(actor)
        client = await self._clients.find(wanted.client_id)
        is_system = client is not None and ("/" in wanted.client_id or wanted.client_id == CONSOLE)
        if client is None or not is_system or client.status is ClientStatus.REMOVED:
            raise errors.unknown_client_for_application()
        async with self._database.transaction() as session:
            known = await applications.find(session, wanted.client_id, locked=True)
            if known == wanted:
                return wanted
            await applications.save(session, wanted)
            action = "application.register" if known is None else "application.change"
            await self._record(session, actor, action, wanted.client_id, _detail(wanted))
        return wanted

    async def remove(self, actor: Actor, client_id: str) -> None:
        """Let nobody sign in to an application any more; what came of earlier sign-ins ends.

        Raises:
            ProblemError: 403 `role-required`, 404 `unknown-application`.
        """
        _demand(actor)
        async with self._database.transaction() as session:
            if await applications.find(session, client_id, locked=True) is None:
                raise errors.unknown_application()
            ended = await sign_ons.end_of_client(session, client_id)
            await applications.remove(session, client_id)
            await self._record(session, actor, "application.remove", client_id, {"sign_ons": len(ended)})

    async def _record(
        self, session: AsyncSession, actor: Actor, action: str, client_id: str, detail: dict[str, Any]
    ) -> None:
        act = AdminAct(
            actor.name, action, f"Application/{client_id}", actor.recorded(detail), actor.transaction_id
        )
        await self._journal.add(session, act)


def _demand(actor: Actor) -> None:
    # Where browsers are sent with codes is the platform's own matter, not an agency's.
    actor.demand(Action.MANAGE_SYSTEMS)


def _detail(application: Application) -> dict[str, Any]:
    return {
        "redirect_uris": list(application.redirects),
        "post_logout_redirect_uris": list(application.after_sign_out),
        "backchannel_logout_uri": application.logout or "",
        "acts_for_people": application.acts_for_people,
    }
