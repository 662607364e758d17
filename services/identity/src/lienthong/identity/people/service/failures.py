"""Failures to sign in, counted so that a stranger's do not keep the owner out (decision 0059).

They are counted in the database, as several replicas would otherwise allow as many times as much.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.people import errors
from lienthong.identity.people.domain.accounts import Account
from lienthong.identity.people.domain.attempts import (
    FOR_AN_ACCOUNT,
    FOR_AN_ADDRESS,
    AttemptRules,
    account_key,
    address_key,
)
from lienthong.identity.people.domain.secrets import digest
from lienthong.identity.people.domain.sessions import Origin
from lienthong.identity.people.repository import sign_ins
from lienthong.identity.people.service.recording import IDENTITY, record
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.journal import AdminJournal


class Failures:
    """Attempts of all people: counted as failures until they have succeeded."""

    def __init__(self, database: Database, journal: AdminJournal, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    async def count(self, login: str, account: Account | None, origin: Origin, device: str | None) -> None:
        """Count an attempt for the account and, from a device that it does not know, for the address.

        Raises:
            ProblemError: 429 `sign-in-blocked`; then nothing is counted.
        """
        async with self._database.transaction() as session:
            known = None if account is None else await self._known(session, account, device)
            limits = [(account_key(login, known), FOR_AN_ACCOUNT)]
            if known is None:
                limits.append((address_key(origin.address), FOR_AN_ADDRESS))
            # Sorted, so that attempts at the same time cannot wait for each other in a circle.
            counts = {key: await self._count(session, key, rules) for key, rules in sorted(limits, key=_key)}
            if account is not None and counts[limits[0][0]] == FOR_AN_ACCOUNT.free:
                detail = {"device": "known" if known else "unknown"}
                await record(self._journal, session, IDENTITY, "person.block-sign-in", account.id, detail)

    async def give_back(
        self, session: AsyncSession, account: Account, origin: Origin, device: str | None
    ) -> None:
        """Take back what was counted for the address: this attempt was right, though more is needed."""
        if await self._known(session, account, device) is None:
            await sign_ins.give_back(session, address_key(origin.address))

    async def forgive(
        self, session: AsyncSession, account: Account, origin: Origin, device: str | None
    ) -> None:
        """Forget the failures of an account, by who has signed in, and take back this attempt."""
        known = await self._known(session, account, device)
        await sign_ins.forgive(session, account_key(account.login, known))
        if known is None:
            await sign_ins.give_back(session, address_key(origin.address))

    async def _count(self, session: AsyncSession, key: bytes, rules: AttemptRules) -> int:
        now = self._clock.now()
        before = await sign_ins.lock_attempts(session, key, now, self._database.dialect)
        if wait := before.wait(now):
            raise errors.sign_in_blocked(wait)
        after = before.tried(now, rules)
        await sign_ins.save_attempts(session, key, after)
        return after.failures

    async def _known(self, session: AsyncSession, account: Account, device: str | None) -> str | None:
        """The id of a device that the account knows."""
        if device is None:
            return None
        return await sign_ins.known_device(session, digest(device), account.id, self._clock.now())


def _key(limit: tuple[bytes, AttemptRules]) -> bytes:
    return limit[0]
