"""Timers of accounts: idle ones are locked, what has ended by itself is forgotten."""

from typing import Final

from lienthong.identity.background.timers import every
from lienthong.identity.people.service.upkeep import Upkeep

LOCK_EVERY: Final = 3600.0
FORGET_EVERY: Final = 300.0


class AccountTimers:
    """The loops. While the database does not answer they go on trying; any other error ends the process."""

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep

    async def lock_idle(self) -> None:
        """Lock accounts that nobody has used for too long; a sign-in on one is refused before that."""
        await every(LOCK_EVERY, "idle accounts", self._upkeep.lock_idle)

    async def forget(self) -> None:
        """Forget what has ended by itself."""
        await every(FORGET_EVERY, "ended sessions", self._upkeep.forget)
