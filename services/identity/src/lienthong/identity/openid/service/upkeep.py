"""What ends sign-ons beside those who ask for it: the end of a session, and time."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.openid.repository import sign_ons
from lienthong.identity.openid.service.logout_notices import LogoutNotices
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database

_AT_ONCE: Final = 500


class SignOnUpkeep:
    """Ends sign-ons; several replicas may do so at once."""

    def __init__(self, database: Database, notices: LogoutNotices, clock: Clock) -> None:
        self._database = database
        self._notices = notices
        self._clock = clock

    async def sessions_ended(self, session: AsyncSession, session_ids: list[str]) -> None:
        """End all that came of sessions, in the transaction that ends these; applications are told."""
        await self._notices.add(session, await sign_ons.end_of_sessions(session, session_ids))

    async def session_renewed(self, session: AsyncSession, session_id: str, expires_at: datetime) -> None:
        """Let what came of a session go on with it, in the transaction that renews this."""
        await sign_ons.prolong(session, session_id, expires_at)

    async def forget(self) -> None:
        """Delete requests, codes and sign-ons whose time is over; of the end of these, applications are told.

        Sign-ons end with their sessions, whose rows another timer deletes, mostly later, and finds none then.
        """
        while True:
            async with self._database.transaction() as session:
                gone = await sign_ons.forget(session, self._clock.now(), limit=_AT_ONCE)
                await self._notices.add(session, gone)
            if len(gone) < _AT_ONCE:
                return
