"""Timers of OpenID Connect: what has ended by itself is forgotten."""

from typing import Final

from lienthong.identity.background.timers import every
from lienthong.identity.openid.service.upkeep import SignOnUpkeep

FORGET_EVERY: Final = 60.0


class SignOnTimers:
    """The loops. While the database does not answer they go on trying; any other error ends the process."""

    def __init__(self, upkeep: SignOnUpkeep) -> None:
        self._upkeep = upkeep

    async def forget(self) -> None:
        """Forget requests, codes and sign-ons whose time is over."""
        await every(FORGET_EVERY, "ended sign-ons", self._upkeep.forget)
